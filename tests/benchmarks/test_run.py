"""The whole benchmark on a small crowd: it measures every competitor, and every answer is right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.cases import CASES, Result
from benchmarks.report import MARKERS, Report
from benchmarks.rounds import Run, Series
from benchmarks.tools import HOMEPORT, Machine

ROOT = Path(__file__).resolve().parents[2]


def benchmark(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--quick", "--crowd", "8", "5", "12", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_every_case_works() -> None:
    before = {path: path.read_bytes() for path in (ROOT / "README.md", ROOT / "docs" / "benchmarks.md")}
    done = benchmark("--rounds", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.removeprefix("… ") for line in done.stderr.splitlines()]
    assert [name for name, _ in CASES if name in told] == [name for name, _ in CASES]
    assert "DOES NOT HOLD" not in done.stdout
    assert len(re.findall(r"^- .*: holds$", done.stdout, re.MULTILINE)) >= 5
    for tool in ("homeport", "ss -tlnp", "lsof -iTCP -sTCP:LISTEN", "netstat -tlnp", "psutil.net_connections"):
        assert re.search(rf"^\| `{tool}` \| [\d.]+ ms", done.stdout, re.MULTILINE), f"{tool} was not measured"
    if os.geteuid() == 0:
        missing = [line for line in done.stdout.splitlines() if "not measured" in line]
        assert [line for line in missing if "--source bpf" not in line] == []  # eBPF is not to be had everywhere
    assert {path: path.read_bytes() for path in before} == before


def test_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/benchmarks.md"):
        (tmp_path / name).write_text(f"kept\n{MARKERS[0]}\nstale\n{MARKERS[1]}\nkept too\n")
    one = Series({HOMEPORT: [Run(0.1, 0.1, 0.0, 1, 1, 1, 1, 0, "")]}, {})
    result = Result("curve", "the curve", [], {"10": one, "100": one}, [])
    run.write(Report("2024-05-01", Machine("6.1", "CPU", 2, "3.11", {}), (result,)), str(tmp_path))
    for name in ("README.md", "docs/benchmarks.md"):
        text = (tmp_path / name).read_text()
        assert text.startswith("kept\n") and text.endswith("kept too\n") and "stale" not in text
    assert (tmp_path / "docs" / "benchmark-curve.svg").read_text().startswith("<svg")
    assert "the curve" in (tmp_path / "docs" / "benchmarks.json").read_text()


@pytest.mark.parametrize("name", ["README.md", "docs/benchmarks.md"])
def test_the_documents_have_room_for_the_figures(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert 0 <= text.find(MARKERS[0]) < text.find(MARKERS[1])


@pytest.mark.parametrize("words", [[], ["--phases"], ["--imports", "--rows=999"], ["--stages"]])
def test_the_profile_says_where_time_goes(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.profile", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    expected = {"": "cumulative", "--phases": "homeport.cli.listing:lines", "--stages": "python -c pass"}
    assert expected.get(words[0] if words else "", "homeport.cli.run") in done.stdout
