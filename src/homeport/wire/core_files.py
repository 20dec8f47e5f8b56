"""Core files (core(5), elf(5)): whose they are. Only the notes at the beginning are read."""

from __future__ import annotations

import struct

from homeport.errors import WireError
from homeport.lean import NamedTuple

MOST = 1 << 16
"""Bytes of a file that are enough: the kernel writes headers and notes first."""
_CORE, _NOTE, _PRSTATUS, _PRPSINFO = 4, 4, 1, 3


class Core(NamedTuple):
    """The process id, name (comm, at most 15 bytes) and the signal that ended it."""

    pid: int | None
    name: str | None
    signal: int | None


def core(head: bytes) -> Core:
    """A 64-bit core file by its first `MOST` bytes. Raises WireError for anything else."""
    if head[:5] != b"\x7fELF\x02" or head[5:6] not in (b"\x01", b"\x02"):
        raise WireError("no 64-bit ELF file")
    order = "<" if head[5] == 1 else ">"
    try:
        kind, _, _, _, offset, _, _, _, size, count = struct.unpack_from(f"{order}HHIQQQIHHH", head, 16)
        if kind != _CORE:
            raise WireError("no core file")
        found = Core(None, None, None)
        for number in range(min(count, 64)):
            part, _, start, _, _, length = struct.unpack_from(f"{order}IIQQQQ", head, offset + number * size)
            if part == _NOTE:
                found = _notes(head[start : start + length], order, found)
                break
    except (struct.error, OverflowError):
        raise WireError("a core file that is cut off") from None
    return found


def _notes(data: bytes, order: str, found: Core) -> Core:
    """struct elf_prpsinfo of include/linux/elfcore.h: pid at 24, comm at 40; elf_prstatus: cursig at 12."""
    at = 0
    while at + 12 <= len(data):
        name_size, size, kind = struct.unpack_from(f"{order}III", data, at)
        start = at + 12 + (name_size + 3) // 4 * 4
        content = data[start : start + size]
        if kind == _PRPSINFO and len(content) >= 56:
            name = content[40:56].split(b"\0")[0].decode("utf-8", "surrogateescape")
            found = found._replace(pid=struct.unpack_from(f"{order}I", content, 24)[0], name=name or None)
        elif kind == _PRSTATUS and len(content) >= 14 and found.signal is None:
            found = found._replace(signal=struct.unpack_from(f"{order}H", content, 12)[0])
        at = start + (size + 3) // 4 * 4
    return found
