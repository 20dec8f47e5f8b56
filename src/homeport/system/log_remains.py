"""Core files, the kernel's words about processes that it ended, and the files of containers' output."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from homeport.errors import WireError
from homeport.logs.places.kind import Member, Remains
from homeport.model.owners import Container, Process
from homeport.system import procfs
from homeport.system.engines import Engines
from homeport.system.programs import output_of
from homeport.system.reading import open_inside
from homeport.wire import core_files

MAX_CORES = 8
MAX_NAMES = 2000
OLDEST = 14 * 86_400
"""Seconds: what crashed earlier is no news."""
_MOST_KERNEL = 1 << 20
_ENDED = re.compile(r"Killed process|segfault at|general protection|traps:|trap invalid opcode")
_CONMON_PATH = re.compile(r"(?:k8s-file|json-file):(/.*)")


def cores(members: Iterable[Member]) -> Iterator[Remains]:
    """The core files in the owners' working folders and where core_pattern (core(5)) puts them, newest first."""
    folders: dict[tuple[str | None, str], None] = {}
    for one in members:
        if one.process.cwd is not None:
            folders[one.root, one.process.cwd] = None
    pattern = (procfs.read_text("/proc/sys/kernel/core_pattern") or "").strip()
    if pattern.startswith("/") and "%" not in os.path.dirname(pattern):
        folders[None, os.path.dirname(pattern)] = None
    found = [each for root, folder in list(folders)[:16] for each in _in_folder(root, folder)]
    found += _coredumpctl()
    newest = sorted(found, key=lambda one: -one.modified)
    yield from [one for one in newest if time.time() - one.modified < OLDEST][:MAX_CORES]


def _in_folder(root: str | None, folder: str) -> Iterator[Remains]:
    try:
        names = os.listdir(f"{root or ''}{folder}")[:MAX_NAMES]
    except OSError:  # gone, or closed to the caller
        return
    for name in [one for one in names if one == "core" or one.startswith("core.") or ".core" in one][:MAX_CORES]:
        try:
            descriptor = open_inside(root, os.path.join(folder, name))
            try:
                head = os.pread(descriptor, core_files.MOST, 0)
                modified = os.fstat(descriptor).st_mtime
            finally:
                os.close(descriptor)
            one = core_files.core(head)
        except (OSError, WireError):  # another kind of file, or closed to the caller: no core file to tell of
            continue
        yield Remains(os.path.join(folder, name), modified, one.pid, one.name, one.signal)


def _coredumpctl() -> list[Remains]:
    """What systemd-coredump keeps; its list needs a reader of the journal."""
    if shutil.which("coredumpctl") is None:
        return []
    text, _ = output_of("coredumpctl", "list", "--json=short", "--no-pager", patience=1.0)
    try:
        rows = json.loads(text or b"[]")
        return [
            Remains(f"coredumpctl info {int(row['pid'])}", row["time"] / 1e6, int(row["pid"]),
                    os.path.basename(str(row["exe"]))[:15], int(row["sig"]))
            for row in rows
        ]  # fmt: skip
    except (ValueError, TypeError, KeyError):  # an older version without --json, or nothing to list
        return []


def kernel_lines() -> Iterator[tuple[datetime, str]]:
    """What the kernel said of processes that it ended, from /dev/kmsg (Documentation/ABI/testing/dev-kmsg)."""
    try:
        descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # closed to the caller (dmesg_restrict), or no such device
        return
    boot = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC)
    left = _MOST_KERNEL
    try:
        while left > 0:
            try:
                record = os.read(descriptor, 8192).decode("utf-8", "replace")
            except BrokenPipeError:  # overwritten while it was read: the next read goes on
                left -= 1024
                continue
            left -= len(record)
            head, _, text = record.partition(";")
            fields = head.split(",")
            if len(fields) > 2 and fields[2].isdigit() and _ENDED.search(text):
                yield datetime.fromtimestamp(boot + int(fields[2]) / 1e6, UTC), text.split("\n")[0]
    except OSError:  # EAGAIN: that was the last
        return
    finally:
        os.close(descriptor)


def container_log(container: Container | None, chain: Sequence[Process]) -> tuple[str | None, str | None]:
    """The file that holds a container's output, if it may be read; else the name of an engine that knows it."""
    if container is None:
        return None, None
    candidates = [f"/var/lib/docker/containers/{container.id}/{container.id}-json.log"]
    for one in chain:
        candidates += [found[1] for word in one.cmdline or () if (found := _CONMON_PATH.match(word))]
    candidates += _monitored(container.id)
    path = next((one for one in candidates if os.path.isfile(one) and os.access(one, os.R_OK)), None)
    place = Engines().place_of(container.id) if path is None else None
    return path, None if place is None else place.name


def _monitored(identity: str) -> list[str]:
    """The log path in the words of the conmon that holds a container, wherever that runs."""
    for pid in procfs.all_pids()[:4096]:
        if (procfs.read_text(f"/proc/{pid}/comm", 64) or "").startswith("conmon"):
            process = procfs.read_process(pid)
            words = () if process is None else process.cmdline or ()
            if identity in words:
                return [found[1] for word in words if (found := _CONMON_PATH.match(word))]
    return []
