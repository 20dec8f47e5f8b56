"""Compares what homeport lists with what the crowd really holds: speed must not be bought with wrong answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from benchmarks.crowd import Held


class Check(NamedTuple):
    """One comparison: what was compared, whether it holds, and the first differences."""

    what: str
    ok: bool
    differences: tuple[str, ...]


def compare(what: str, held: Iterable[Held], document: dict[str, Any], *, owners: bool) -> Check:
    """Every listener of the ledger must be listed once, with exactly its process; without `owners`, with a reason."""
    listed: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for listener in document["listeners"]:
        listed.setdefault((listener["address"], listener["port"]), []).append(listener)
    differences = []
    for one in held:
        rows = listed.get((one.address, one.port), [])
        problem = _problem(one, rows, owners)
        if problem is not None:
            differences.append(f"{one.address}:{one.port}: {problem}")
    return Check(what, not differences, tuple(differences[:5]))


def _problem(held: Held, rows: Sequence[dict[str, Any]], owners: bool) -> str | None:
    if len(rows) != 1:
        return f"listed {len(rows)} times"
    (row,) = rows
    if row["inode"] not in (held.inode, None):
        return f"inode {row['inode']} instead of {held.inode}"
    pids = [owner["pid"] for owner in row["owners"]]
    if owners and pids != [held.pid]:
        return f"owners {pids} instead of [{held.pid}]"
    if not owners and (pids or not row["unattributed"]):
        return f"owners {pids} where none can be seen, reason {row['unattributed']}"
    return None


def read(path: str) -> dict[str, Any]:
    """The document that `homeport ls --json` printed. Raises ValueError: it is none."""
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    if not isinstance(document, dict) or "listeners" not in document:
        raise ValueError("no listing")
    return document
