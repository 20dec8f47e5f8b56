"""Why a listener has the port it has."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from homeport.model.evidence import Confidence
from homeport.model.owners import Owner, Process
from homeport.model.provenance import Origin, Provenance
from homeport.model.publishing import Published
from homeport.model.snapshot import Listener
from homeport.rules import port_texts
from homeport.rules.provenance import Facts, Part, Place, Text, judge, literal, wanted
from homeport.system import procfs
from homeport.system.containment import foreign_namespaces
from homeport.system.reading import Reader, environment, open_files

MAX_DEPTH = 4
"""How deep files that include others are followed."""
_FROM_MAIN = frozenset(("nginx", "apache", "sshd"))
"""Kinds whose relative includes start from the folder of the main file, wherever they stand."""
_UNITS = (".service", ".socket")


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
    started_with = environment(process.pid)
    searched = [f"/proc/{process.pid}/cmdline"]
    searched.append(
        f"/proc/{process.pid}/environ" + ("" if started_with is not None else " (closed to this user: not read)")
    )
    files = procfs.read_link(f"/proc/{process.pid}/root")
    reader = Reader(_root_of(process, files))
    texts: tuple[Text, ...] = ()
    if files is None and owner.container is not None:  # the files of these names on this side are not its own
        searched.append("files of its container (closed to this user: not read)")
    else:
        texts = _read(reader, listener.owners, chain)
    if reader.root is not None:
        searched.append(f"files as the process sees them, below {reader.root}:")
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
        contained=owner.container is not None,
    )
    found = judge(facts)
    if found.file is not None and reader.root is not None:
        return replace(found, statement=f"{found.statement} (a file as the process sees it, below {reader.root})")
    return found


def _read(reader: Reader, owners: Sequence[Owner], chain: Sequence[Process]) -> tuple[Text, ...]:
    process, project = owners[0].process, owners[0].project
    # a socket that init made is the matter of the unit that it was handed to
    unit = next((one.unit for one in owners if one.unit is not None and one.unit.name.endswith(_UNITS)), None)
    # parents on the other side of a container see other files by the same names
    parents = [one for one in chain if one.mount_namespace == process.mount_namespace]
    places = wanted(process, parents, project, unit)
    root = project.root.rstrip("/") if project is not None else None
    for path in open_files(process.pid):
        inside = root is not None and path.startswith(root + "/")
        places.append(Place(literal(path), Part.OPEN, root if inside else None))
    return tuple(text for place in places for text in _follow(reader, place, None, 0))


def _follow(reader: Reader, place: Place, main: str | None, depth: int) -> list[Text]:
    """The files of a place, and what they include; `main` is the folder of the first of them."""
    found = []
    for path, text in reader.texts(place.path, place.within):
        found.append(Text(path, place.part, text, place.kind))
        if depth < MAX_DEPTH:
            own = posixpath.dirname(path)
            first = own if main is None else main
            base = first if port_texts.kind_of(path, place.kind).name in _FROM_MAIN else own
            for name in port_texts.includes(path, text, place.kind):
                further = posixpath.normpath(posixpath.join(base, name))
                found += _follow(reader, Place(further, place.part, place.within, place.kind), first, depth + 1)
    return found


def _root_of(process: Process, files: str | None) -> str | None:
    """Where the files of a process are that has a mount namespace, or a root folder (chroot(2)), of its own."""
    foreign = foreign_namespaces(process.pid)
    apart = (foreign is not None and "mnt" in foreign) or files not in (None, "/")
    return f"/proc/{process.pid}/root" if apart else None
