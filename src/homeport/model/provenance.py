"""Why a listener has the port it has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from homeport.model.evidence import Confidence, Evidence


class Origin(StrEnum):
    """Where a port number came from."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    FILE = "file"
    INHERITED = "inherited"
    """The socket was made by somebody else (a supervisor, socket activation) and handed over."""
    PUBLISHED = "published"
    """A container engine leads it to a container."""
    KERNEL = "kernel"
    """bind(2) with port 0: the kernel chose it from its ephemeral range."""
    DEFAULT = "default"
    """Written nowhere that was read; it is the program's well-known default."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The best supported origin, every piece of evidence (strongest first, secrets masked), and what was read.

    For `Origin.FILE`, `file` and `line` (from 1) point at the number; `searched` lists what was read, so that "written
    nowhere" can be checked.
    """

    origin: Origin
    statement: str
    confidence: Confidence
    file: str | None
    line: int | None
    evidence: tuple[Evidence, ...]
    searched: tuple[str, ...]
