"""Tables, markers, comparisons and the picture, from built values."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import curve, ledger, report
from benchmarks.cases import Figure, Result, against, milliseconds
from benchmarks.crowd import Held
from benchmarks.curve import Line
from benchmarks.ledger import Check
from benchmarks.rounds import Run, Series
from benchmarks.run import curve_lines
from benchmarks.tools import HOMEPORT, Machine

SVG = "{http://www.w3.org/2000/svg}"
HELD = Held(42, "127.77.0.1", 20_000, 777)


def run(seconds: float, peak: int = 30_000) -> Run:
    return Run(seconds, seconds, 0.0, peak, 12_000, 7, 700, 0, "a warning")


def listed(**changes: Any) -> dict[str, Any]:
    row = {"address": HELD.address, "port": HELD.port, "inode": HELD.inode, "owners": [{"pid": HELD.pid}]}
    return {"listeners": [{**row, "unattributed": None, **changes}]}


def results() -> tuple[Result, ...]:
    series = Series({HOMEPORT: [run(0.1)], "ss -tlnp": [run(0.25, 3_000)]}, {"netstat -tlnp": "not there"})
    figures = [
        against("crowd", series, HOMEPORT, "ss -tlnp", 0.5),
        against("crowd", series, HOMEPORT, "ss -tlnp", 0.3),
        against("crowd", series, HOMEPORT, "netstat -tlnp", 0.5),
        Figure("memory", 150.4, 200, "MiB", "1 s"),
        Figure("page", 1.0, None, "x", "no target"),
    ]
    whole = Result("crowd", "the crowd", figures, {"the crowd": series}, [Check("sockets", True, ())])
    points = {"10": series, "100": Series({HOMEPORT: [run(0.2)]}, {})}
    return whole, Result("curve", "the curve", [], points, [])


def test_a_figure_is_met_or_not_or_neither() -> None:
    table = report.figures_table(results()).splitlines()
    assert (
        table[2] == "| crowd | 0.40 \N{MULTIPLICATION SIGN} (100 ms : 250 ms) | ≤ 0.5 \N{MULTIPLICATION SIGN} | yes |"
    )
    assert table[3].endswith("| **no** |")
    assert table[4].startswith("| crowd | not measured (`netstat -tlnp`: not there) |")
    assert table[5] == "| memory | 150 MiB (1 s) | ≤ 200 MiB | yes |"
    assert table[6].endswith("| - | - |")


def test_a_series_shows_every_tool_and_the_floor_of_memory() -> None:
    table = report.series_table(results()[0].series["the crowd"])
    assert "| `ss -tlnp` | 250 ms | 0% | 250 ms | ≤ 12 MiB | 7 | 0.40 \N{MULTIPLICATION SIGN} |" in table
    assert "| `homeport` | 100 ms | 0% | 100 ms | 29 MiB | 7 | 1.00 \N{MULTIPLICATION SIGN} |" in table
    assert "| `netstat -tlnp` | left out: not there |" in table


def test_the_document_holds_every_run() -> None:
    machine = Machine("6.1", "some CPU", 2, "3.11", {"iproute2": "6.1.0"})
    document = json.loads(report.as_json(report.Report("2024-05-01", machine, results())))
    assert document["machine"]["kernel"] == "6.1"
    assert document["results"][0]["figures"][0]["met"] is True
    assert document["results"][0]["series"]["the crowd"]["runs"]["ss -tlnp"][0]["seconds"] == 0.25
    page = report.page(report.Report("2024-05-01", machine, results()))
    assert "Linux 6.1, 2 cores (some CPU), Python 3.11, iproute2 6.1.0" in page
    assert "- sockets: holds" in page


def test_generated_text_goes_between_the_markers_and_nowhere_else() -> None:
    start, end = report.MARKERS
    text = f"before\n{start}\nold\n{end}\nafter\n"
    once = report.between_markers(text, "new")
    assert once == f"before\n{start}\nnew\n{end}\nafter\n"
    assert report.between_markers(once, "new") == once


@pytest.mark.parametrize("text", ["", report.MARKERS[0], f"{report.MARKERS[1]} {report.MARKERS[0]}"])
def test_without_markers_nothing_is_replaced(text: str) -> None:
    with pytest.raises(ValueError, match="no <!-- benchmark -->"):
        report.between_markers(text, "new")


def test_a_right_listing_agrees_with_the_ledger() -> None:
    assert ledger.compare("x", [HELD], listed(), owners=True).ok
    assert ledger.compare("x", [HELD], listed(inode=None), owners=True).ok
    assert ledger.compare("x", [HELD], listed(owners=[], unattributed={"reason": "other-user"}), owners=False).ok


@pytest.mark.parametrize(
    ("document", "owners", "problem"),
    [
        ({"listeners": []}, True, "listed 0 times"),
        ({"listeners": listed()["listeners"] * 2}, True, "listed 2 times"),
        (listed(port=1), True, "listed 0 times"),
        (listed(inode=778), True, "inode 778 instead of 777"),
        (listed(owners=[{"pid": 43}]), True, "owners [43] instead of [42]"),
        (listed(owners=[{"pid": 42}, {"pid": 43}]), True, "owners [42, 43] instead of [42]"),
        (listed(owners=[]), True, "owners [] instead of [42]"),
        (listed(), False, "owners [42] where none can be seen"),
        (listed(owners=[]), False, "owners [] where none can be seen, reason None"),
    ],
)
def test_a_wrong_listing_does_not(document: dict[str, Any], owners: bool, problem: str) -> None:
    check = ledger.compare("x", [HELD], document, owners=owners)
    assert not check.ok
    assert problem in check.differences[0]


def test_the_picture_is_xml_with_a_line_and_a_name_for_each_tool() -> None:
    lines = [Line("homeport", ((10, 0.05), (1000, 0.2))), Line("a < b & c", ((10, 0.01), (100, 0.1), (1000, 3.0)))]
    root = ElementTree.fromstring(curve.svg(lines, "some note"))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"homeport", "a < b & c", "some note", "10", "1,000", "10 ms", "10 s"} <= set(texts)
    assert len(list(root.iter(f"{SVG}circle"))) == 5


def test_points_lie_inside_and_rise_with_time() -> None:
    lines = [Line("homeport", ((10, 0.001), (100, 0.02), (100_000, 30.0)))]
    root = ElementTree.fromstring(curve.svg(lines, ""))
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter(f"{SVG}circle")]
    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)
    assert all(0 < x < 860 and 0 < y < 500 for x, y in dots)


@given(st.lists(st.floats(60, 440), min_size=1, max_size=12))
def test_names_at_the_ends_do_not_cover_one_another(heights: list[float]) -> None:
    placed = sorted(curve._spread_out({str(i): height for i, height in enumerate(heights)}).values())
    assert all(b - a > 16.9 for a, b in pairwise(placed))
    assert placed[0] > 40
    assert placed[-1] < 460


def test_a_tool_needs_two_sizes_for_a_line() -> None:
    lines = curve_lines(results()[1])
    assert [(line.name, line.points) for line in lines] == [(HOMEPORT, ((10, 0.1), (100, 0.2)))]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.00931, "9.31 ms"), (0.0931, "93.1 ms"), (0.931, "931 ms"), (9.31, "9310 ms")]
)
def test_milliseconds(seconds: float, text: str) -> None:
    assert milliseconds(seconds) == text
