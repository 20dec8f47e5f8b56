"""What was recognised at listeners that are still the same: `services.json` in homeport's own folder (see `state`).

The key is the listener's identity (law 1), so that another program on the same port is another listener. What was not
recognised is kept for a moment only: the server may have been starting.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from homeport import __version__
from homeport.model.evidence import Confidence, Evidence
from homeport.model.services import Service
from homeport.model.snapshot import Listener
from homeport.system import procfs, state

MOST_BYTES = 1 << 21
MOST_ENTRIES = 1000
KNOWN = 3600
"""Seconds for which a recognised service counts: a server may be told to demand a password meanwhile."""
UNKNOWN = 20
"""Seconds for which it counts that nothing was recognised, or only by the owner's name."""

Entry = tuple[int, Service | None]

_seen: dict[str, Entry] = {}
"""What this process found, where no file may be kept: `--watch` looks again and again."""


def identity(one: Listener) -> str | None:
    """The identity of a listener as text; None where it has none that lasts."""
    socket = one.socket
    number = socket.cookie or (socket.inode if one.owners else None)
    if number is None:
        return None
    holders = ",".join(f"{each.process.pid}@{each.process.start_ticks}" for each in one.owners[:8])
    return f"{holders} {socket.protocol.value} {socket.address} {socket.port} {number} {socket.netns}"


def load() -> dict[str, Service | None]:
    """What is remembered and recent enough, by identity; where it is turned off, what this process itself found."""
    folder = state.folder()
    now = int(time.time())
    entries = {key: one for key, one in _seen.items() if _counts(one, now)}
    if folder is not None and not state.turned_off():
        entries = _read(folder, now)
    return {key: service for key, (_, service) in entries.items()}


def store(found: Mapping[Listener, Service | None]) -> None:
    """Remember these too; no OSError gets out."""
    folder = state.folder()
    now = int(time.time())
    fresh = {key: (now, service) for one, service in found.items() if (key := identity(one)) is not None}
    if folder is None or not fresh or state.turned_off():
        _seen.update(fresh)
        return
    try:
        state.prepare(folder)
        lock = state.lock(os.path.join(folder, "services.lock"))
        try:
            kept = {key: one for key, one in _read(folder, now).items() if _lives(key)} | fresh
            state.replace(os.path.join(folder, "services.json"), _dump(kept))
        finally:
            os.close(lock)
    except (OSError, UnicodeEncodeError):
        # a full or read-only disk, a folder of somebody else, a name that is no text, another homeport that writes at
        # this moment: to forget is harmless
        return


def _read(folder: str, now: int) -> dict[str, Entry]:
    """The entries that count; none where the file is missing, broken, of another boot or of another version."""
    text = state.read(os.path.join(folder, "services.json"), MOST_BYTES)
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):  # rubbish: nothing is remembered
        return {}
    if not isinstance(document, dict) or (document.get("boot"), document.get("version")) != (_boot(), __version__):
        return {}
    entries = document.get("services")
    found: dict[str, Entry] = {}
    for key, value in entries.items() if isinstance(entries, dict) else ():
        entry = _entry(value)
        if entry is not None and _counts(entry, now):
            found[key] = entry
    return found


def _counts(entry: Entry, now: int) -> bool:
    return 0 <= now - entry[0] <= _lasting(entry[1])


def _lasting(service: Service | None) -> int:
    return KNOWN if service is not None and (service.spoke or not service.evidence) else UNKNOWN


def _dump(entries: Mapping[str, Entry]) -> str:
    newest = sorted(entries.items(), key=lambda pair: -pair[1][0])[:MOST_ENTRIES]
    services = {key: [at, service and service._asdict()] for key, (at, service) in newest}
    return json.dumps({"boot": _boot(), "version": __version__, "services": services}, separators=(",", ":"))


def _entry(value: Any) -> Entry | None:
    """An entry out of JSON; None where it is none."""
    try:
        at, fields = value
        if fields is None:
            return int(at), None
        service = Service(**fields)
        texts = (service.protocol, service.product or "", service.version or "")
        if not all(isinstance(text, str) for text in texts):
            return None
        return int(at), service._replace(
            tls=bool(service.tls),
            confidence=Confidence(service.confidence),
            evidence=tuple(Evidence(str(source), str(text)) for source, text in service.evidence),
            facts=tuple((str(name), str(text)) for name, text in service.facts),
        )
    except (TypeError, ValueError, OverflowError):  # of another shape: not ours
        return None


def _lives(key: str) -> bool:
    """Whether the first holder of a listener is still the same process."""
    if key.startswith(" "):  # nobody can be named: its time will be over
        return True
    pid, _, ticks = key.partition(" ")[0].partition(",")[0].partition("@")
    return pid.isdecimal() and str(procfs.start_ticks(int(pid))) == ticks


def _boot() -> str:
    return (procfs.read_text("/proc/sys/kernel/random/boot_id") or "").strip()
