"""What is measured, and which target each figure has. Every case makes its own crowd and ends it.

To add a case: a function `(Bench) -> Result` and a line in `CASES`.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from benchmarks import ledger
from benchmarks.crowd import Crowd, Held, Size
from benchmarks.ledger import Check
from benchmarks.rounds import Meter, MeterError, Run, Series, Tool, interleave
from benchmarks.tools import HOMEPORT, ORDINARY_UID, SOURCES, Toolbox

SS, LSOF, PASS = "ss -tlnp", "lsof -iTCP -sTCP:LISTEN", "python -c pass"
MEBIBYTES = 200
TIMES = "\N{MULTIPLICATION SIGN}"


class Plan(NamedTuple):
    """How large and how often."""

    crowd: Size
    sizes: tuple[int, ...]
    rounds: int
    idle_rounds: int
    curve_rounds: Mapping[int, int]

    @classmethod
    def full(cls, rounds: int | None) -> Plan:
        """What the targets speak of."""
        return cls(
            crowd=Size(1000, 10, 40),
            sizes=(10, 100, 1_000, 10_000, 100_000),
            rounds=rounds or 9,
            idle_rounds=rounds or 21,
            curve_rounds={100_000: min(rounds or 3, 3)},
        )

    @classmethod
    def quick(cls, rounds: int | None) -> Plan:
        """Enough to prove that everything works; the figures mean nothing."""
        return cls(Size(20, 10, 40), (10, 100), rounds or 2, rounds or 2, {})

    def rounds_for(self, sockets: int) -> int:
        """Rounds for one point of the curve."""
        return self.curve_rounds.get(sockets, min(self.rounds, 5))


class Bench(NamedTuple):
    """What a case works with."""

    meter: Meter
    tools: Toolbox
    plan: Plan
    say: Callable[[str], None]


class Figure(NamedTuple):
    """One row of the table: `value` as measured, `limit` the most it may be (None: no target), `unit` x or MiB."""

    what: str
    value: float | None
    limit: float | None
    unit: str
    detail: str

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is no target, or nothing was measured."""
        return None if self.limit is None or self.value is None else self.value <= self.limit


class Result(NamedTuple):
    """What a case found: figures, the series they come from (by the title of its table), and comparisons."""

    name: str
    title: str
    figures: list[Figure]
    series: dict[str, Series]
    checks: list[Check]


def milliseconds(seconds: float) -> str:
    """Three digits: 9.31 ms, 93.1 ms, 931 ms, 9310 ms."""
    value = seconds * 1000
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms" if value >= 10 else f"{value:.2f} ms"


def against(what: str, series: Series, mine: str, other: str, limit: float | None) -> Figure:
    """The ratio of two tools of one series."""
    if not series.has(mine, other):
        missing = [f"`{name}`: {series.left_out[name]}" for name in (mine, other) if name in series.left_out]
        return Figure(what, None, limit, "x", "; ".join(missing))
    detail = f"{milliseconds(series.seconds(mine))} : {milliseconds(series.seconds(other))}"
    return Figure(what, series.ratio(mine, other), limit, "x", detail)


def verify(bench: Bench, what: str, tool: Tool, held: Sequence[Held], *, owners: bool = True) -> Check:
    """Lists once more as JSON and compares with the ledger."""
    with tempfile.NamedTemporaryFile() as file:
        try:
            run = bench.meter.run((*tool.argv, "--json"), keep=file.name)
            return ledger.compare(what, held, ledger.read(file.name), owners=owners)
        except (MeterError, ValueError) as error:
            said = "" if isinstance(error, MeterError) else run.error.partition("\n")[0]
            return Check(what, False, (said or str(error),))


def crowd_as_root(bench: Bench) -> Result:
    """The whole list with owners."""
    size, tools = bench.plan.crowd, bench.tools
    title = f"root, {_words(size)}: the whole list"
    with Crowd(size) as crowd:
        series = interleave(bench.meter, tools.listing(), bench.plan.rounds, at_least=size.sockets)
        forced = [tool for tool in tools.homeport_sources() if series.has(tool.name)]
        asked = (tools.homeport("ls", "--tcp"), *forced)
        checks = [verify(bench, f"{one.name} against the ledger", one, crowd.listeners) for one in asked]
    figures = [
        against(f"{title}, against `ss -tlnp`", series, HOMEPORT, SS, 0.5),
        against(f"{title}, against `lsof -nP -iTCP -sTCP:LISTEN`", series, HOMEPORT, LSOF, 0.25),
    ]
    return Result("crowd", title, figures, {title: series}, checks)


def one_port(bench: Bench) -> Result:
    """One port of the crowd, and the same port on an empty machine, in turns of a few rounds each."""
    size, name = bench.plan.crowd, "homeport ls :PORT"
    title = f"root, {_words(size)}: one port"
    turns = 3 if bench.plan.rounds >= 3 else 1
    crowded, empty = [], []
    for _ in range(turns):
        rounds = -(-bench.plan.rounds // turns)
        with Crowd(size) as crowd:
            tools = bench.tools.one_port(crowd.port)
            crowded.append(interleave(bench.meter, tools, rounds, at_least=0))
            held = [one for one in crowd.listeners if one.port == crowd.port]
            check = verify(bench, f"{name} against the ledger", tools[0], held)
            port = crowd.port
        with Crowd(Size(1, 1, 0), first_port=port):
            empty.append(interleave(bench.meter, tools, rounds))
    full, alone = _joined(crowded), _joined(empty)
    against_lsof = against(f"{title}, against `lsof -nP -iTCP:PORT`", full, name, "lsof -iTCP:PORT", 0.3)
    figures = [
        against_lsof,
        _grown(f"{title}, against the same on an empty machine", full, alone, name, 1.5),
        _grown(f"{title}, as a page, against the same on an empty machine", full, alone, "homeport show PORT", None),
    ]
    return Result("one-port", title, figures, {title: full, "the same on an empty machine": alone}, [check])


def _grown(what: str, full: Series, alone: Series, name: str, limit: float | None) -> Figure:
    if not (full.has(name) and alone.has(name)):
        return Figure(what, None, limit, "x", full.left_out.get(name) or alone.left_out.get(name, "not measured"))
    mine, its = full.seconds(name), alone.seconds(name)
    return Figure(what, mine / its, limit, "x", f"{milliseconds(mine)} : {milliseconds(its)}")


def idle(bench: Bench) -> Result:
    """The whole list where next to nothing listens."""
    title = "idle machine: the whole list"
    tools = (*bench.tools.listing(), bench.tools.homeport("ls", name="homeport ls"), bench.tools.python_pass())
    series = interleave(bench.meter, tools, bench.plan.idle_rounds)
    figures = [
        against(f"{title}, against `python -c pass`", series, HOMEPORT, PASS, 4.0),
        against(f"{title} with UDP, against `python -c pass`", series, "homeport ls", PASS, 4.0),
    ]
    return Result("idle", title, figures, {title: series}, [])


def ordinary_user(bench: Bench) -> Result:
    """Without rights and eBPF: a crowd of one's own, and one of root's."""
    result = Result("user", "ordinary user, no eBPF: the whole list", [], {}, [])
    with tempfile.TemporaryDirectory(prefix="homeport-benchmark-") as folder:
        tools = None if os.geteuid() else bench.tools.as_ordinary_user().reachable(folder)
        for whose, uid in (("their own crowd", ORDINARY_UID), ("root's crowd", None)):
            size = bench.plan.crowd._replace(uid=uid)
            title = f"ordinary user, no eBPF, {whose}, {_words(size)}: the whole list"
            what = f"{title}, against `ss -tlnp` by the same user"
            if tools is None:
                reason = "needs root, to run as somebody else, and a Python that everybody can reach"
                result.figures.append(Figure(what, None, 1.0, "x", reason))
                continue
            with Crowd(size, python=tools.python) as crowd:
                least = 1 if uid is None else size.sockets  # some tools pass over what they may not see
                series = interleave(bench.meter, tools.listing(), bench.plan.rounds, at_least=least)
                asked = tools.homeport("ls", "--tcp")
                check = verify(bench, f"{title}: against the ledger", asked, crowd.listeners, owners=uid is not None)
            result.figures.append(against(what, series, HOMEPORT, SS, 1.0))
            result.series[title] = series
            result.checks.append(check)
    return result


def growth(bench: Bench) -> Result:
    """The curve: how time and memory grow with the number of sockets."""
    result = Result("curve", "root: time and memory by number of sockets", [], {}, [])
    chosen = [tool for tool in bench.tools.listing() if not tool.name.endswith("script)")]
    for sockets in bench.plan.sizes:
        with Crowd(Size.of(sockets)) as crowd:
            bench.say(f"{sockets} sockets")
            series = interleave(bench.meter, chosen, bench.plan.rounds_for(sockets), at_least=sockets)
            asked = bench.tools.homeport("ls", "--tcp")
            result.checks.append(verify(bench, f"{sockets} sockets against the ledger", asked, crowd.listeners))
        result.series[str(sockets)] = series
    names = (HOMEPORT, *(f"homeport --source {source}" for source in SOURCES))
    result.figures.extend(_linear(result.series, name) for name in names)
    result.figures.extend(_memory(result.series, name) for name in names)
    return result


def _linear(points: Mapping[str, Series], name: str) -> Figure:
    """The largest growth of time from one size to the next; at worst it grows as the number of sockets does."""
    what = f"time per tenfold number of sockets, `{name}`"
    limit = 10.0
    measured = [(size, series) for size, series in points.items() if series.has(name)]
    if len(measured) < 2:
        return Figure(
            what, None, limit, "x", "; ".join({s.left_out.get(name, "one size only") for s in points.values()})
        )
    steps = [
        (now.seconds(name) / before.seconds(name), small, large) for (small, before), (large, now) in pairwise(measured)
    ]
    worst, small, large = max(steps)
    return Figure(what, worst, limit, "x", f"the steepest step is from {small} to {large}")


def _memory(points: Mapping[str, Series], name: str) -> Figure:
    size, series = list(points.items())[-1]
    what = f"peak memory at {size} sockets, `{name}`"
    if not series.has(name):
        return Figure(what, None, MEBIBYTES, "MiB", series.left_out.get(name, "not measured"))
    return Figure(what, series.peak_mib(name), MEBIBYTES, "MiB", milliseconds(series.seconds(name)))


def _joined(series: Sequence[Series]) -> Series:
    first, *rest = series
    for one in rest:
        first = first.joined(one)
    return first


def _words(size: Size) -> str:
    return f"{size.processes:,} processes {TIMES} {size.listeners} listeners {TIMES} {size.others} other descriptors"


def spread(runs: Sequence[Run]) -> float:
    """How far the quartiles lie apart, as a share of the median: what a difference must exceed to mean anything."""
    seconds = [run.seconds for run in runs]
    if len(seconds) < 4:
        return (max(seconds) - min(seconds)) / statistics.median(seconds)
    low, middle, high = statistics.quantiles(seconds, n=4)
    return (high - low) / middle


CASES: tuple[tuple[str, Callable[[Bench], Result]], ...] = (
    ("crowd", crowd_as_root),
    ("one-port", one_port),
    ("idle", idle),
    ("user", ordinary_user),
    ("curve", growth),
)
