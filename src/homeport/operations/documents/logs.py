"""The document of `homeport logs`."""

from __future__ import annotations

from typing import Any

from homeport.model.logs import ErrorGroup, LogLine, Logs, LogSource
from homeport.operations.documents.listing import evidence


def document(one: Logs) -> dict[str, Any]:
    """`{asked, taken_at, sources, lines, groups, hints, limits}`."""
    return {
        "asked": one.asked,
        "taken_at": one.taken_at.isoformat(),
        "sources": [source(each) for each in one.sources],
        "lines": [line(each) for each in one.lines],
        "groups": [group(each) for each in one.groups],
        "hints": list(one.hints),
        "limits": list(one.limits),
        "denied": one.denied,
    }


def source(one: LogSource) -> dict[str, Any]:
    """A place where the owner logs; `what` is a path or a command, secrets in the evidence are masked."""
    return {
        "kind": one.kind.value,
        "label": one.label,
        "what": one.what,
        "readable": one.readable,
        "reason": one.reason,
        "remedy": one.remedy,
        "denied": one.denied,
        "size": one.size,
        "evidence": evidence(one.evidence),
    }


def line(one: LogLine) -> dict[str, Any]:
    """An entry as it is in the log (`text`, with newlines where it has continuation lines), and what was read of it."""
    return {
        "time": None if one.time is None else one.time.isoformat(),
        "inherited": one.inherited,
        "level": None if one.level is None else one.level.value,
        "source": one.source,
        "stream": one.stream,
        "message": one.message,
        "text": one.text,
    }


def group(one: ErrorGroup) -> dict[str, Any]:
    """Errors of one shape."""
    return {
        "shape": one.shape,
        "level": one.level.value,
        "count": one.count,
        "first": None if one.first is None else one.first.isoformat(),
        "last": None if one.last is None else one.last.isoformat(),
        "example": one.example,
        "sources": list(one.sources),
    }
