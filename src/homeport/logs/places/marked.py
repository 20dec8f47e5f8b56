"""Files that name one of the processes in their lines: a syslog daemon's, and logs that are opened line by line."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from homeport.logs.places.kind import Candidate, Facts, OfFile, Place
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind


def find(facts: Facts) -> Iterator[Candidate]:
    """Each such file, of a syslog daemon's only the lines of the program."""
    for one in facts.marked:
        evidence = Evidence(one.path, f"a line of it names the process: {one.line}")
        name = posixpath.basename(one.path)
        if one.tag is None:
            yield Candidate(LogKind.FILE, name, one.path, OfFile(one.path, one.root), (evidence,))
        else:
            reading = OfFile(one.path, one.root, only=one.tag)
            yield Candidate(LogKind.SYSLOG, f"{one.tag} in {name}", one.path, reading, (evidence,))


PLACE = Place("files that name the process", find)
