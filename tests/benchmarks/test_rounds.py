"""The meter measures what happened, and rounds are put together as they should."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import rounds
from benchmarks.rounds import Meter, MeterError, Run, Series, Tool, interleave


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", code)


def run(seconds: float, peak: int = 1) -> Run:
    return Run(seconds, seconds, 0.0, peak, 1, 0, 0, 0, "")


def test_lines_bytes_status_and_errors(tmp_path: Path) -> None:
    code = "import sys; print('a' * 9); print('b'); sys.stderr.write('oh'); sys.exit(3)"
    with Meter() as meter:
        seen = meter.run(python(code), keep=str(tmp_path / "kept"))
    assert (seen.lines, seen.bytes, seen.status, seen.error) == (2, 12, 3, "oh")
    assert (tmp_path / "kept").read_text() == "aaaaaaaaa\nb\n"


def test_time_and_memory_are_those_of_the_process() -> None:
    with Meter() as meter:
        small = meter.run(python("pass"))
        large = meter.run(python("import time; x = b'x' * 80_000_000; time.sleep(0.2)"))
    assert large.seconds >= 0.2
    assert large.peak_kib - small.peak_kib > 70_000
    assert small.floor_kib <= small.peak_kib + 1024


def test_more_output_than_a_pipe_holds() -> None:
    with Meter() as meter:
        seen = meter.run(python("for _ in range(50_000): print('x' * 99)"))
    assert (seen.lines, seen.bytes) == (50_000, 5_000_000)


def test_a_command_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SECONDS_PER_RUN", 0.3)
    with Meter() as meter:
        assert meter.run(python("import time; time.sleep(600)")).status is None
        assert meter.run(python("pass")).status == 0


def test_a_command_that_is_not_there() -> None:
    with Meter() as meter:
        with pytest.raises(MeterError, match="No such file"):
            meter.run(("/nowhere/to/be/found",))
        assert meter.run(python("pass")).status == 0


def test_rounds_are_interleaved_after_a_warm_up(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tools = [Tool(name, python(f"open({str(log)!r}, 'a').write({name!r})")) for name in "abc"]
    with Meter() as meter:
        series = interleave(meter, tools, 3)
    assert log.read_text() == "abc" + "abc" * 3
    assert {name: len(runs) for name, runs in series.runs.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_tool_that_does_not_do_its_work_is_left_out_with_the_reason() -> None:
    tools = [
        Tool("good", python("print(1); print(2)")),
        Tool("missing", ("/nowhere/to/be/found",)),
        Tool("failing", python("import sys; sys.exit('it broke\\nand more')")),
        Tool("bug", python("import sys; sys.stderr.write('oops\\nmore'); sys.exit(70)")),
        Tool("lazy", python("print(1)")),
    ]
    with Meter() as meter:
        series = interleave(meter, tools, 1, at_least=2)
    assert list(series.runs) == ["good"]
    assert "No such file" in series.left_out["missing"]
    assert series.left_out["failing"] == "printed 0 lines where 2 are due: it broke"
    assert series.left_out["bug"] == "exit code 70: oops"
    assert series.left_out["lazy"] == "printed 1 lines where 2 are due"


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    # the second round was disturbed as a whole: its ratio says the same as the others
    series = Series({"a": [run(1), run(30), run(1)], "b": [run(2), run(60), run(2)]}, {})
    assert series.ratio("a", "b") == 0.5
    assert series.seconds("a") == 1


def test_joined_series_keep_what_both_have() -> None:
    first = Series({"a": [run(1)], "b": [run(2)]}, {"c": "gone"})
    joined = first.joined(Series({"a": [run(3, peak=2048)]}, {"b": "broke"}))
    assert [one.seconds for one in joined.runs["a"]] == [1, 3]
    assert joined.left_out == {"b": "broke", "c": "gone"}
    assert not joined.has("a", "b")
    assert joined.peak_mib("a") == 2
