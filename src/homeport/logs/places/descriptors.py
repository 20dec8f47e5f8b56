"""Files that the processes have open for writing, and that are logs by their names and what is in them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from homeport.logs.places.kind import Candidate, Descriptor, Facts, OfFile, Place, Shape
from homeport.model.evidence import Evidence
from homeport.model.logs import LogKind

_NOT_LOGS = re.compile(
    r"""(?ix) \.(?: db|db3|sqlite|sqlite3|mdb|ldb|sst|ibd|ibdata\d*|myd|myi|frm|rdb|aof|wal|wt|bson|lock|lck|pid
    | sock|shm|tmp|swp|bin|dat|data|idx|index|pack|so|jar|pyc|png|jpe?g|gif|zip|gz|xz|zst|tar|img|iso|qcow2|cache
    | part )$ | -(?:wal|shm|journal)$ | (?:^|/)\d{6,}\.log$ | ^(?:ib_logfile|ib_redo|undo|binlog\.|mysql-bin\.|aria_log)
    | (?:^|[-_.])wal\.log$ | ^(?:lock|pid|manifest(?:-\d+)?|current|appendonly\..*|core)$ | \.aof\. """
)
_LOGS = re.compile(
    r"(?i)\.(?:log|logs|out|err|stdout|stderr|trace)(?:[.-][\w.-]*)?$|^(?:stdout|stderr|access|error|catalina|syslog|messages)"
    r"|[-_.](?:log|access|error|stdout|stderr)$|^(?:log|logs|nohup\.out)$|[-_]log[-_.]\d"
)
_NAMED = re.compile(r"[A-Za-z]\.log$")
_FOLDERS = re.compile(r"/(?:logs?|journal)/")


def is_log(one: Descriptor) -> str | None:
    """Why an open file is taken for a log; None where it is not."""
    if one.shape is not Shape.REGULAR or not one.writable:
        return None
    name = posixpath.basename(one.target)
    if _NOT_LOGS.search(name) or one.target.startswith(("/memfd:", "/dev/shm/", "/SYSV", "/dev/zero")):  # noqa: S108
        return None
    if one.text is False:  # write-ahead logs are named so too, but by numbers, and are not only added to
        return "named as a log" if one.append and _NAMED.search(name) else None
    if _LOGS.search(name):
        return "named as a log"
    if one.deleted or one.text is None:
        return None
    if _FOLDERS.search(one.target):
        return "in a folder of logs"
    return "text that is only added to" if one.append else None


def find(facts: Facts) -> Iterator[Candidate]:
    """Each file once a process; standard output and error are told elsewhere."""
    for member in facts.members:
        for one in member.descriptors or ():
            why = is_log(one) if one.number > 2 else None
            if why is None:
                continue
            text = f"process {member.process.pid} ({member.program}) has it open for writing; {why}"
            evidence = Evidence(one.link, text)
            yield candidate(one, posixpath.basename(one.target), member.root, evidence)


def candidate(one: Descriptor, label: str, root: str | None, evidence: Evidence) -> Candidate:
    """An open file as a place."""
    if one.deleted:
        reading = OfFile(one.link, None, one.link)
        note = Evidence(one.link, "the file was deleted, and is read through the descriptor of the process")
        return Candidate(LogKind.DELETED_FILE, label, one.target, reading, (evidence, note))
    return Candidate(LogKind.FILE, label, one.target, OfFile(one.target, root, one.link), (evidence,))


PLACE = Place("open files", find)
