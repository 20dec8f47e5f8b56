"""Interleaved rounds: A B C, A B C, …, so that whatever else the machine does hits all alike.

Ratios are the median of the ratios within a round, not the ratio of medians, for the same reason.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

_METER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bare", "meter.py")

SECONDS_PER_RUN = 120.0
"""A command that takes longer is killed, and left out with that reason."""


class Tool(NamedTuple):
    """A command that is measured, and the name that tables give it."""

    name: str
    argv: tuple[str, ...]


class Run(NamedTuple):
    """One run of a command: wall, user and system seconds, peak memory in KiB, and what it printed.

    `floor_kib` is the least peak that could be seen (bare/meter.py); `status` its exit code, None when it was killed.
    """

    seconds: float
    user: float
    system: float
    peak_kib: int
    floor_kib: int
    lines: int
    bytes: int
    status: int | None
    error: str


class MeterError(Exception):
    """A command could not be started."""


class Meter:
    """Runs commands one after the other from a small process; between `with` and its end."""

    def __enter__(self) -> Self:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG"))}
        self._state = tempfile.TemporaryDirectory(prefix="homeport-benchmark-")
        environment |= {"LC_ALL": "C.UTF-8", "NO_COLOR": "1", "XDG_STATE_HOME": self._state.name}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-E", _METER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        with self._state, self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def run(self, argv: Sequence[str], keep: str | None = None) -> Run:
        """Runs a command to its end; `keep` names a file that gets its output. Raises MeterError: did not start."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps({"argv": argv, "seconds": SECONDS_PER_RUN, "keep": keep}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "failure" in answer:
            raise MeterError(answer["failure"])
        return Run(**answer)


class Series(NamedTuple):
    """All runs of the tools in a case, and why some are left out. Runs of the same index are of the same round."""

    runs: Mapping[str, Sequence[Run]]
    left_out: Mapping[str, str]

    def seconds(self, tool: str) -> float:
        """Median wall time."""
        return statistics.median(run.seconds for run in self.runs[tool])

    def peak_mib(self, tool: str) -> float:
        """Largest peak of memory."""
        return max(run.peak_kib for run in self.runs[tool]) / 1024

    def ratio(self, tool: str, other: str) -> float:
        """How many times as long as `other` it takes: the median over the rounds."""
        pairs = zip(self.runs[tool], self.runs[other], strict=True)
        return statistics.median(mine.seconds / its.seconds for mine, its in pairs)

    def has(self, *tools: str) -> bool:
        """Whether all of these were measured."""
        return all(tool in self.runs for tool in tools)

    def joined(self, later: Series) -> Series:
        """The rounds of both, for the tools that both have."""
        runs = {tool: [*runs, *later.runs[tool]] for tool, runs in self.runs.items() if tool in later.runs}
        return Series(runs, {**self.left_out, **later.left_out})


def interleave(meter: Meter, tools: Sequence[Tool], rounds: int, *, at_least: int = 0) -> Series:
    """Warms each tool up once, then measures all in turn, `rounds` times.

    A tool that does not start, does not end, prints less than `at_least` lines or exits with anything but 0 (or 1: the
    answer is no) in the warm-up is left out and the reason kept; the others go on.
    """
    left_out: dict[str, str] = {}
    for tool in tools:
        problem = _problem(meter, tool, at_least)
        if problem is not None:
            left_out[tool.name] = problem
    measured = [tool for tool in tools if tool.name not in left_out]
    runs: dict[str, list[Run]] = {tool.name: [] for tool in measured}
    for _ in range(rounds):
        for tool in measured:
            runs[tool.name].append(meter.run(tool.argv))
    return Series(runs, left_out)


def _problem(meter: Meter, tool: Tool, at_least: int) -> str | None:
    """Runs a tool once: what is wrong with it, or None."""
    try:
        run = meter.run(tool.argv)
    except MeterError as error:
        return str(error)
    complaint = f": {run.error.strip().splitlines()[0]}" if run.error.strip() else ""
    if run.status is None:
        return f"took longer than {SECONDS_PER_RUN:.0f} s"
    if run.status not in (0, 1):
        return f"exit code {run.status}{complaint}"
    if run.lines < at_least:
        return f"printed {run.lines} lines where {at_least} are due{complaint}"
    return None
