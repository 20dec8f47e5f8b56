"""Where the time of a listing goes. Run it while a crowd is there (`python -m benchmarks.crowd` in another terminal).

    python -m benchmarks.profile                      the functions of `homeport ls --tcp`, dearest first
    python -m benchmarks.profile ls :25000            of another command
    python -m benchmarks.profile --imports            the modules it imports, dearest first
    python -m benchmarks.profile --stages             the whole command step by step: interpreter, imports, work
    python -m benchmarks.profile --phases             the work step by step, without a profiler's cost
    strace -c -f homeport ls --tcp                    what it asks of the kernel
    perf stat -d homeport ls --tcp                    and of the processor

cProfile makes calls dearer than they are: it ranks; the benchmark measures.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import importlib
import io
import os
import pstats
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|( *)(\S+)")
_ROUNDS = 15
PHASES = (
    "homeport.system.sources:choose",
    "homeport.system.procfs:all_pids",
    "homeport.system.namespaces:census",
    "homeport.system.netlink:dump",
    "homeport.system.procfs:walk",
    "homeport.operations.ls:look",
    "homeport.cli.listing:take",
    "homeport.cli.listing:lines",
    "homeport.cli.listing:answer",
)
"""module:function of the steps of a listing. A step contains those that it calls."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.profile", description="where the time of homeport goes")
    parser.add_argument("--imports", action="store_true", help="modules instead of functions")
    parser.add_argument("--stages", action="store_true", help="interpreter, imports, work")
    parser.add_argument("--phases", action="store_true", help="the steps of the work")
    parser.add_argument("--rows", type=int, default=35)
    asked, words = parser.parse_known_args()
    words = words or ["ls", "--tcp"]
    if asked.imports:
        print(imports(words, asked.rows))
    elif asked.stages:
        print(stages(words))
    elif asked.phases:
        print(phases(words))
    else:
        print(functions(words, asked.rows))


def functions(words: list[str], rows: int) -> str:
    """The functions of one run of a command, by their own time and by that of all they call."""
    profile = cProfile.Profile()
    profile.runcall(_quietly, words)
    text = io.StringIO()
    figures = pstats.Stats(profile, stream=text).strip_dirs()
    figures.sort_stats("tottime").print_stats(rows)
    figures.sort_stats("cumulative").print_stats(rows)
    return text.getvalue()


def imports(words: list[str], rows: int) -> str:
    """`-X importtime`, sorted by a module's own time."""
    command = [sys.executable, "-X", "importtime", "-m", "homeport", *words]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    found = [(int(m[1]), int(m[2]), m[4]) for m in map(_IMPORT.match, done.stderr.splitlines()) if m]
    found.sort(reverse=True)
    lines = [
        f"{own / 1000:8.2f} ms itself {every / 1000:8.2f} ms with what it imports   {name}"
        for own, every, name in found
    ]
    return "\n".join((*lines[:rows], f"{sum(own for own, _, _ in found) / 1000:8.2f} ms in {len(found)} modules"))


def stages(words: list[str]) -> str:
    """Medians of whole processes that go a step further each."""
    hot = "import homeport.cli.run, homeport.cli.quick, homeport.cli.listing"
    steps = {
        "python -I -S -c pass": ["-I", "-S", "-c", "pass"],
        "python -c pass": ["-c", "pass"],
        "imports of the hot path": ["-c", hot],
        f"homeport {' '.join(words)}": ["-m", "homeport", *words],
    }
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(_ROUNDS):
        for name, arguments in steps.items():
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
            )
            seconds[name].append(time.perf_counter() - started)
    return "\n".join(f"{statistics.median(found) * 1000:8.1f} ms  {name}" for name, found in seconds.items())


def phases(words: list[str]) -> str:
    """Wall time of the steps in `PHASES` of one run; what is not called is left out."""
    seconds: dict[str, float] = {}
    modules = {name: importlib.import_module(name) for name in dict.fromkeys(p.partition(":")[0] for p in PHASES)}
    for phase in PHASES:
        module, _, name = phase.partition(":")
        plain: Callable[..., Any] = getattr(modules[module], name)
        for importer in [m for n, m in sys.modules.items() if n.startswith("homeport.")]:
            if getattr(importer, name, None) is plain:  # `from … import …` made a name of its own
                setattr(importer, name, _timed(phase, plain, seconds))
    gc.disable()  # as the command does
    _quietly(words)
    return "\n".join(f"{seconds[phase] * 1000:8.1f} ms  {phase}" for phase in PHASES if phase in seconds)


def _timed(phase: str, plain: Callable[..., Any], seconds: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return plain(*arguments, **named)
        finally:
            seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - started

    return timed


def _quietly(words: list[str]) -> None:
    """Run a command in this process and throw its output away."""
    from homeport.cli.run import run

    output = sys.stdout
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        try:
            run(words)
        finally:
            sys.stdout = output


if __name__ == "__main__":
    main()
