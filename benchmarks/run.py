"""The command: measures homeport against ss, lsof, netstat and psutil, and writes what it found.

    scripts/benchmark                    everything; writes docs/benchmarks.md, .json, the curve and the README's table
    scripts/benchmark --quick            a small crowd and two rounds: does it work? writes nothing
    scripts/benchmark --case idle        only that, printed; writes nothing

As root for all cases; needs ss, lsof, netstat and setpriv. Everything it starts ends with it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Sequence

from benchmarks import curve, report
from benchmarks.cases import CASES, Bench, Plan, Result
from benchmarks.crowd import CrowdError, Size
from benchmarks.curve import Line
from benchmarks.report import Report
from benchmarks.rounds import Meter
from benchmarks.tools import HOMEPORT, Toolbox, machine

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(words: Sequence[str] | None = None) -> int:
    """0: everything was measured and every answer was right (met targets or not); 1: something was not."""
    asked = _parser().parse_args(words)
    plan = Plan.quick(asked.rounds) if asked.quick else Plan.full(asked.rounds)
    if asked.crowd:
        plan = plan._replace(crowd=Size(*asked.crowd))
    results: list[Result] = []
    with Meter() as meter:
        bench = Bench(meter, Toolbox(os.path.abspath(asked.python)), plan, _say)
        for name, case in CASES:
            if asked.case and name not in asked.case:
                continue
            _say(name)
            try:
                results.append(case(bench))
            except CrowdError as error:
                _say(f"{name}: {error}")
                return 1
    done = Report(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}", machine(asked.python), tuple(results))
    print(report.page(done))
    whole = not asked.quick and not asked.case
    right = all(check.ok for result in results for check in result.checks)
    if asked.write or (whole and right and not asked.dry):
        write(done, _ROOT)
    elif whole and not right:
        _say("an answer is wrong: nothing is written")
    return 0 if right else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmark", description="homeport against ss, lsof, netstat and psutil")
    parser.add_argument("--quick", action="store_true", help="a small crowd and two rounds, to see that it works")
    parser.add_argument("--case", action="append", choices=[name for name, _ in CASES], help="only this; repeatable")
    parser.add_argument("--rounds", type=int, help="rounds per case")
    parser.add_argument("--crowd", type=int, nargs=3, metavar=("PROCESSES", "LISTENERS", "OTHERS"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter with homeport and psutil installed")
    writing = parser.add_mutually_exclusive_group()
    writing.add_argument("--write", action="store_true", help="write docs and README, whatever was measured")
    writing.add_argument("--dry", action="store_true", help="write nothing")
    return parser


def write(done: Report, root: str) -> None:
    """Put the results into the documentation below `root`."""
    docs = os.path.join(root, "docs")
    _save(os.path.join(docs, "benchmarks.json"), report.as_json(done))
    _replace(os.path.join(docs, "benchmarks.md"), report.page(done))
    line = f"On {done.machine} ([all figures](docs/benchmarks.md)):"
    _replace(os.path.join(root, "README.md"), f"\n{line}\n\n{report.figures_table(done.results)}\n")
    for result in done.results:
        if result.name == "curve" and len(result.series) > 1:
            note = f"median wall time of the whole command, as root, {done.machine.cores} cores"
            _save(os.path.join(docs, "benchmark-curve.svg"), curve.svg(curve_lines(result), note))


def curve_lines(result: Result) -> list[Line]:
    """A line for each tool that was measured at two sizes at least; homeport first."""
    points: dict[str, list[tuple[int, float]]] = {HOMEPORT: []}
    for size, series in result.series.items():
        for name in series.runs:
            points.setdefault(name, []).append((int(size), series.seconds(name)))
    return [Line(name, tuple(found)) for name, found in points.items() if len(found) > 1]


def _replace(path: str, generated: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    _save(path, report.between_markers(text, generated))


def _save(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
