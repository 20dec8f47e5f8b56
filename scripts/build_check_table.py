"""Writes the table of cases in docs/check.md from the `@case(…)` decorators of tests/acceptance/checks.

build_check_table.py            write the table
build_check_table.py --check    write nothing; 1 when the table is not what it would be
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from homeport.model.diagnosis import Verdict

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/check.md"
CASES = ROOT / "tests/acceptance/checks"
START, END = "<!-- cases -->", "<!-- /cases -->"


class Case(NamedTuple):
    """What a decorator says: verdict, situation, what it could be mistaken for, whether the remedy was tried."""

    verdict: str
    situation: str
    near: str | None
    cured: bool


def cases() -> list[Case]:
    """Every case of the tests, in the order of the verdicts and then of the files."""
    found = [one for path in sorted(CASES.glob("test_*.py")) for one in _of(path)]
    order = [one.value for one in Verdict]
    return sorted(found, key=lambda one: order.index(one.verdict))


def _of(path: Path) -> Iterator[Case]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for call in getattr(node, "decorator_list", ()):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "case":
                words = [ast.literal_eval(word) for word in call.args]
                named = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
                yield Case(words[0], words[1], named.get("near"), named.get("cured", False))


def table() -> str:
    """The table; a verdict stands before its first case."""
    rows = ["| verdict | situation | not to be taken for | remedy tried |", "|---|---|---|---|"]
    before = None
    for one in cases():
        name = "" if one.verdict == before else f"`{one.verdict}`"
        before = one.verdict
        near = f"`{one.near}`" if one.near else ""
        rows.append(
            f"| {name} | {one.situation.replace('|', chr(92) + '|')} | {near} | {'→ `ok`' if one.cured else ''} |"
        )
    return "\n".join(rows)


def page() -> str:
    """docs/check.md as it should be."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


def main() -> int:
    """See above."""
    wanted = page()
    if PAGE.read_text("utf-8") == wanted:
        return 0
    if "--check" in sys.argv[1:]:
        print(f"{PAGE.relative_to(ROOT)} is not what the tests make: run scripts/build-check-table")
        return 1
    PAGE.write_text(wanted, "utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
