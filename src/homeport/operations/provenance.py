"""Why a listener has the port it has."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from homeport.model.evidence import Confidence
from homeport.model.owners import Owner, Process
from homeport.model.provenance import Origin, Provenance
from homeport.model.publishing import Published
from homeport.model.snapshot import Listener
from homeport.rules import port_texts
from homeport.rules.provenance import Facts, Part, Place, Text, judge, wanted
from homeport.system.containment import foreign_namespaces
from homeport.system.reading import Reader, environment, open_files

MAX_DEPTH = 4
"""How deep configuration files that include others are followed."""


def provenance(
    listener: Listener,
    chain: Sequence[Process],
    *,
    ephemeral: tuple[int, int] | None,
    published: Published | None = None,
) -> Provenance:
    """Where its port number comes from, by its oldest holder, who made it.

    `chain`: the parents of that process, nearest first; `ephemeral`: ip_local_port_range of its namespace.
    """
    if not listener.owners:
        return Provenance(
            origin=Origin.UNKNOWN, statement="nothing is known of who holds it", confidence=Confidence.CERTAIN,
            file=None, line=None, evidence=(), searched=(),
        )  # fmt: skip
    owner = listener.owners[0]
    process = owner.process
    reader = Reader(_root_of(process))
    started_with = environment(process.pid)
    texts = _read(reader, owner, chain)
    searched = [f"/proc/{process.pid}/cmdline"]
    searched.append(
        f"/proc/{process.pid}/environ" + ("" if started_with is not None else " (closed to this user: not read)")
    )
    facts = Facts(
        port=listener.socket.port,
        process=process,
        chain=tuple(chain),
        heirs=listener.owners[1:],
        environment=started_with,
        texts=texts,
        ephemeral=ephemeral,
        published=published,
        searched=(*searched, *reader.searched),
    )
    return judge(facts)


def _read(reader: Reader, owner: Owner, chain: Sequence[Process]) -> tuple[Text, ...]:
    process = owner.process
    places = wanted(process, chain, owner.project, owner.unit)
    project = owner.project.root if owner.project is not None else None
    for path in open_files(process.pid):
        inside = project is not None and path.startswith(project + "/")
        places.append(Place(path.replace("[", "[[]"), Part.OPEN, project if inside else None))
    return tuple(text for place in places for text in _follow(reader, place, 0))


def _follow(reader: Reader, place: Place, depth: int) -> list[Text]:
    """The files of a place, and what they include; only configuration leads on."""
    found = []
    for path, text in reader.texts(place.path, place.within):
        found.append(Text(path, place.part, text, place.kind))
        if place.part is Part.CONFIGURATION and depth < MAX_DEPTH:
            for name in port_texts.includes(path, text, place.kind):
                further = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
                found += _follow(reader, Place(further, place.part, place.within, place.kind), depth + 1)
    return found


def _root_of(process: Process) -> str | None:
    """Where the files of a process are that has a mount namespace of its own."""
    foreign = foreign_namespaces(process.pid)
    return f"/proc/{process.pid}/root" if foreign is not None and "mnt" in foreign else None
