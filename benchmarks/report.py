"""Results as Markdown and JSON, and where they are kept. No host names, no paths: figures and versions only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.cases import TIMES, Figure, Result, milliseconds, spread
from benchmarks.rounds import Series
from benchmarks.tools import HOMEPORT, Machine

MARKERS = ("<!-- benchmark -->", "<!-- /benchmark -->")


class Report(NamedTuple):
    """All results of one run of the benchmark."""

    date: str
    machine: Machine
    results: tuple[Result, ...]


def figures_table(results: Sequence[Result]) -> str:
    """Case, figure, target, met: a row for each figure."""
    rows = [_figure_row(figure) for result in results for figure in result.figures]
    return "\n".join(("| case | figure | target | met |", "|---|---|---|---|", *rows))


def _figure_row(figure: Figure) -> str:
    met = {True: "yes", False: "**no**", None: "-"}[figure.met]
    value = f"not measured ({figure.detail})" if figure.value is None else f"{_value(figure)} ({figure.detail})"
    target = "-" if figure.limit is None else f"≤ {figure.limit:g} {_unit(figure)}"
    return f"| {figure.what} | {value} | {target} | {met} |"


def _value(figure: Figure) -> str:
    assert figure.value is not None
    return f"{figure.value:.0f} MiB" if figure.unit == "MiB" else f"{figure.value:.2f} {TIMES}"


def _unit(figure: Figure) -> str:
    return "MiB" if figure.unit == "MiB" else TIMES


def series_table(series: Series) -> str:
    """Every tool of a series: wall and processor time, memory, lines, and how homeport compares."""
    rows = ["| command | median wall | quartiles apart | user + system | peak memory | lines | homeport is |",
            "|---|--:|--:|--:|--:|--:|--:|"]  # fmt: skip
    for name, runs in sorted(series.runs.items(), key=lambda item: series.seconds(item[0])):
        busy = sorted(run.user + run.system for run in runs)[len(runs) // 2]
        peak = max(run.peak_kib for run in runs)
        least = max(run.floor_kib for run in runs)
        memory = f"≤ {least / 1024:.0f} MiB" if peak <= least else f"{peak / 1024:.0f} MiB"
        ratio = f"{series.ratio(HOMEPORT, name):.2f} {TIMES}" if HOMEPORT in series.runs else "-"
        rows.append(
            f"| `{name}` | {milliseconds(series.seconds(name))} | {spread(runs):.0%} | {milliseconds(busy)} "
            f"| {memory} | {runs[0].lines} | {ratio} |"
        )
    rows += [f"| `{name}` | left out: {reason} | | | | | |" for name, reason in series.left_out.items()]
    return "\n".join(rows)


def checks_list(results: Sequence[Result]) -> str:
    """What was compared with the ledger, and whether it holds."""
    lines = []
    for result in results:
        for check in result.checks:
            state = "holds" if check.ok else "DOES NOT HOLD: " + "; ".join(check.differences)
            lines.append(f"- {check.what}: {state}")
    return "\n".join(lines)


def page(report: Report) -> str:
    """The generated part of docs/benchmarks.md."""
    parts = [f"Measured on {report.date}: {report.machine}.", figures_table(report.results)]
    if any(result.name == "curve" for result in report.results):
        parts.append("![Time by number of sockets](benchmark-curve.svg)")
    for result in report.results:
        parts += [f"## {result.title[0].upper()}{result.title[1:]}"]
        for title, series in result.series.items():
            heading = f"{int(title):,} sockets" if title.isdigit() else title
            parts += [f"### {heading}"] if heading != result.title else []
            parts.append(series_table(series))
    told = "Each listing was compared with what the crowd really holds: address, port, inode, process."
    parts += ["## Answers", told, checks_list(report.results)]
    return "\n\n".join(part for part in parts if part)


def between_markers(text: str, generated: str) -> str:
    """`text` with what stands between the markers replaced. Raises ValueError: the markers are not there, in order."""
    start, end = text.find(MARKERS[0]), text.find(MARKERS[1])
    if start < 0 or end < start:
        raise ValueError(f"no {MARKERS[0]} … {MARKERS[1]}")
    return f"{text[: start + len(MARKERS[0])]}\n{generated}\n{text[end:]}"


def as_json(report: Report) -> str:
    """Everything that was measured, run by run."""
    document = {
        "date": report.date,
        "machine": report.machine._asdict(),
        "results": [_result(r) for r in report.results],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _result(result: Result) -> dict[str, Any]:
    return {
        "name": result.name,
        "title": result.title,
        "figures": [{**figure._asdict(), "met": figure.met} for figure in result.figures],
        "checks": [check._asdict() for check in result.checks],
        "series": {
            title: {
                "left_out": dict(series.left_out),
                "runs": {
                    name: [{k: v for k, v in run._asdict().items() if k != "error"} for run in runs]
                    for name, runs in series.runs.items()
                },
            }
            for title, series in result.series.items()
        },
    }
