"""Text of `homeport reach`: the answer in a sentence, each origin in a line, what to do, and what a proof saw."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from textwrap import wrap

from homeport.cli.sheet import Sheet
from homeport.cli.text import Paint, cut, safe, table
from homeport.model.addresses import Protocol
from homeport.model.reach import Answer, Proof, Reach, Reached, ReachReport
from homeport.rules.naming import label
from homeport.rules.neighbours import endpoint_text
from homeport.rules.reach_advice import reason

_WORDS = {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "maybe"}
_STYLES = {Answer.YES: "green", Answer.NO: "red", Answer.UNKNOWN: "yellow"}


def show(address: str, *, source: str | None, prove: bool, as_json: bool) -> int:
    """Print the report; the answer is the exit code: 1 where nothing listens, or a proof disagrees."""
    from homeport.operations.reach import reach

    report = reach(address, source, prove=prove)
    if as_json:
        from homeport.cli.document import emit
        from homeport.operations.documents.reach import document

        emit("reach", document(report))
    else:
        import shutil

        columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        sys.stdout.write("".join(f"{line}\n" for line in lines(report, Paint(), columns)))
    return 0 if report.reaches and not report.disagrees else 1


def lines(report: ReachReport, paint: Paint, columns: int | None) -> list[str]:
    """The page."""
    found: list[str] = []
    for sentence in report.summary:
        found += [paint(line, "bold") for line in wrap(safe(sentence), columns or 10_000)]
    for one in report.reaches:
        found += ["", *_reach(one, paint, columns)]
    found += _advice(report, paint, columns)
    if report.proofs:
        found += ["", *_proofs(report, paint, columns)]
    return [*found, *(paint(f"note: {safe(limit)}", "dim") for limit in report.limits)]


def _reach(one: Reach, paint: Paint, columns: int | None) -> Iterator[str]:
    socket = one.listener.socket
    holders = ", ".join(f"{label(each.process)} ({each.process.pid})" for each in one.listener.owners)
    where = "" if one.netns is None else f" in {one.netns}"
    bound = f"{endpoint_text(socket.address, socket.port)}/{socket.protocol.value}"
    yield f"{paint(safe(bound), 'bold')}  {safe(holders or 'owner not known')}{safe(where)}"
    rows = [[safe(cell) for cell in _row(each)] for each in one.reached]
    head = ["FROM", "ANSWER", "AT", "BECAUSE"]
    for number, line in enumerate(table(rows, head=head)):
        line = line if columns is None else cut(line, columns)
        yield paint(line, "dim") if number == 0 else _painted(line, one.reached[number - 1].answer, paint)


def _row(one: Reached) -> list[str]:
    at = "" if one.way is None or one.answer is Answer.NO else endpoint_text(one.way.address, one.way.port)
    return [one.origin.name, _WORDS[one.answer], at, reason(one)]


def _painted(line: str, answer: Answer, paint: Paint) -> str:
    return line if answer is Answer.YES else paint(line, "dim" if answer is Answer.NO else _STYLES[answer])


def _advice(report: ReachReport, paint: Paint, columns: int | None) -> list[str]:
    if not report.advice:
        return []
    sheet = Sheet(paint, columns)
    sheet.gap()
    for one in report.advice:
        sheet.add(one.kind, f"$ {one.text}" if one.is_command else one.text)
        sheet.add("", one.risk, "dim")
    return ["", *sheet.lines]


def _proofs(report: ReachReport, paint: Paint, columns: int | None) -> Iterator[str]:
    rows = [[safe(cell) for cell in _proof_row(one)] for one in report.proofs]
    for number, line in enumerate(table(rows, head=["TRIED FROM", "AT", "COMPUTED", "SEEN", ""])):
        line = line if columns is None else cut(line, columns)
        wrong = number > 0 and report.proofs[number - 1].agrees is False
        yield paint(line, "dim") if number == 0 else paint(line, "red", "bold") if wrong else line
    tried = [one for one in report.proofs if one.agrees is not None]
    wrong_ones = [one for one in tried if one.agrees is False]
    if wrong_ones:
        yield paint(f"computed and seen DISAGREE in {len(wrong_ones)} of {len(tried)}: believe what was seen", "red")
        for one in wrong_ones:
            yield from (f"  {safe(each.text)} ({safe(each.source)})" for each in one.expected.why)
    elif tried:
        yield f"computed and seen agree in {len(tried)} of {len(tried)}"
    else:
        yield paint("nothing of it could be proved", "yellow")


def _proof_row(one: Proof) -> list[str]:
    verb = "connect" if one.protocol is Protocol.TCP else "arrive"
    computed = {True: f"{verb}s", False: f"does not {verb}", None: "cannot be told"}[one.expected.connects]
    verdict = {True: "agree", False: "DISAGREE", None: ""}[one.agrees]
    return [one.origin, endpoint_text(one.address, one.port), computed, one.seen, verdict]
