"""sysctl(8) values, from /proc/sys: those of the network are of the caller's network namespace."""

from __future__ import annotations

import os

from homeport.system import procfs

ROOT = "/proc/sys"


def read(*path: str) -> str | None:
    """The value of `read("net", "ipv4", "ip_local_port_range")`; None where this system has none, or hides it.

    A path rather than a dotted name, since names of interfaces may have dots in them.
    """
    if any("/" in part or part in ("", ".", "..") or "\0" in part for part in path):
        return None
    if not os.path.isdir(ROOT):  # another system than Linux, or a container without /proc
        return None
    text = procfs.read_text(f"{ROOT}/{'/'.join(path)}")
    return None if text is None else text.strip()


def number(*path: str) -> int | None:
    """The value as a number; None where there is none."""
    text = read(*path)
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def pair(*path: str) -> tuple[int, int] | None:
    """The value as two numbers; None where there are not two."""
    words = (read(*path) or "").split()
    if len(words) != 2 or not all(word.isascii() and word.isdigit() for word in words):
        return None
    return int(words[0]), int(words[1])
