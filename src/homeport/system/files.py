"""Reading files that anybody may have put there."""

from __future__ import annotations

import os
import stat


def read_regular(path: str, most: int) -> bytes | None:
    """The content of a regular file of at most `most` bytes; None for a longer one, no file, a FIFO, no rights.

    It never waits: O_NONBLOCK keeps a FIFO from blocking open(2), and nothing but a regular file is read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except (OSError, ValueError):  # gone, closed to the caller, a loop of links, a name with a NUL: nothing to read
        return None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            return None
        chunks, size = [], 0
        while chunk := os.read(descriptor, 65_536):
            chunks.append(chunk)
            size += len(chunk)
            if size > most:  # it grew meanwhile, or a file of /proc, which has no size
                return None
        return b"".join(chunks)
    except OSError:  # an error of the disk or of a network's file server: as good as absent
        return None
    finally:
        os.close(descriptor)


def read_regular_text(path: str, most: int) -> str | None:
    """As `read_regular`, decoded so that no byte is lost (surrogateescape)."""
    raw = read_regular(path, most)
    return None if raw is None else raw.decode("utf-8", "surrogateescape")
