"""Text of `homeport check`: the verdict, what to do, then each step with its time."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence

from homeport.cli.sheet import Sheet
from homeport.cli.text import Paint, safe, table
from homeport.model.case import Wish
from homeport.model.diagnosis import Diagnosis, Observation, Outcome, Remedy, RemedyKind
from homeport.model.evidence import Confidence

_SIGNS = {Outcome.OK: "+", Outcome.ODD: "~", Outcome.FAILED: "!", Outcome.SKIPPED: "·"}
_STYLES = {Outcome.OK: "green", Outcome.ODD: "yellow", Outcome.FAILED: "red", Outcome.SKIPPED: "dim"}


def once(address: str, wish: Wish, *, place: str | None, source: str | None, as_json: bool) -> int:
    """Check, and print the page or the document; the answer is the exit code."""
    from homeport.operations.check import check

    found = check(address, wish, place=place, source=source)
    _print(found, as_json)
    return 0 if found.ok else 1


def watch(address: str, wish: Wish, seconds: float, *, place: str | None, source: str | None, as_json: bool) -> int:
    """Check again and again until Ctrl-C: first the whole page, then a line for each change."""
    from homeport.operations.check import check

    before: Diagnosis | None = None
    while True:
        found = check(address, wish, place=place if before is None else None, source=source)
        if as_json or before is None:
            _print(found, as_json)
        elif (found.verdict, found.cause) != (before.verdict, before.cause):
            paint = Paint()
            style = "green" if found.ok else "red"
            when = found.taken_at.astimezone().strftime("%H:%M:%S")
            print(f"{when}  {paint(found.verdict.value, style, 'bold')}  {safe(found.cause)}")
        sys.stdout.flush()
        before = found
        time.sleep(seconds)


def _print(found: Diagnosis, as_json: bool) -> None:
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.check import document

        emit("check", document(found))
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    sys.stdout.write("".join(f"{line}\n" for line in lines(found, Paint(), columns)))


def lines(one: Diagnosis, paint: Paint, columns: int | None) -> list[str]:
    """The page."""
    sheet = Sheet(paint, columns)
    head(sheet, one)
    sheet.gap()
    return [*sheet.lines, *_steps(one.observations, paint), *_end(one, paint)]


def head(sheet: Sheet, one: Diagnosis) -> None:
    """The verdict with its cause, evidence and remedies; the page of `show` has the same lines."""
    style = "green" if one.ok else "red"
    sure = "" if one.confidence is Confidence.CERTAIN else f" ({one.confidence.value})"
    sheet.add("verdict", one.verdict.value + sure, style, "bold")
    sheet.add("because", one.cause)
    if not one.ok:
        sheet.many("evidence", (f"{each.text} ({each.source})" for each in one.evidence))
        for number, remedy in enumerate(one.remedies):
            sheet.add("" if number else "to do", _remedy(remedy))


def _remedy(one: Remedy) -> str:
    text = one.text if one.kind is not RemedyKind.COMMAND else f"$ {one.text}"
    return f"{text}   — {one.why}" if one.why else text


def _steps(observations: Sequence[Observation], paint: Paint) -> list[str]:
    rows = []
    before = None
    for one in observations:
        layer = "" if one.layer is before else one.layer.value
        before = one.layer
        rows.append([_SIGNS[one.outcome], layer, _time(one.seconds), safe(one.detail)])
    found = table(rows, right=(2,))
    return [paint(line, _STYLES[one.outcome]) if one.outcome is not Outcome.OK else line
            for one, line in zip(observations, found, strict=True)]  # fmt: skip


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _end(one: Diagnosis, paint: Paint) -> list[str]:
    notes = [paint(f"note: {safe(limit)}", "dim") for limit in one.limits]
    return [*notes, paint(f"checked in {_time(one.seconds)}", "dim")]
