"""What is documented is so, and what is so is documented."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from homeport.cli import run
from homeport.cli.main import COMMANDS, cli
from homeport.errors import HomeportError, RightsError, UsageError

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".git", ".venv", "node_modules", ".hypothesis", "dist", "build"}
TEXTS = sorted(path for path in ROOT.rglob("*.md") if not SKIPPED & set(path.relative_to(ROOT).parts))
REFERENCE = (ROOT / "docs" / "cli.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"^\$ ((?:scripts/)?homeport\b.*)$", README, re.MULTILINE)
PORT = 62893


def section(title: str) -> str:
    """The part of the reference under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section {title!r}"
    return found[1]


def options(command: click.Command) -> set[str]:
    own = {name for one in command.params if isinstance(one, click.Option) for name in one.opts}
    return own | set(cli.context_settings["help_option_names"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: str(one.name))
def test_every_option_of_a_command_is_documented_and_no_other(command: click.Command) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", section(f"homeport {command.name}"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", row)} == options(command)


def test_options_of_homeport_itself_are_documented() -> None:
    text = section("Options of homeport itself")
    assert all(f"`{name}`" in text for name in options(cli))


def test_every_command_stands_in_the_readme() -> None:
    for command in COMMANDS:
        assert re.search(rf"homeport {command.name}\b", README)


def test_every_exit_code_is_documented() -> None:
    def kinds(error: type[HomeportError]) -> Iterator[type[HomeportError]]:
        yield error
        for one in error.__subclasses__():
            yield from kinds(one)

    codes = {0, 1, run.BUG, run.INTERRUPTED, *(one.exit_code for one in kinds(HomeportError))}
    assert {UsageError.exit_code, RightsError.exit_code} == {2, 3}
    documented = {int(code) for code in re.findall(r"^\| `(\d+)` \|", section("Exit codes"), re.MULTILINE)}
    assert documented == codes
    assert cli.epilog is not None
    assert {int(code) for code in re.findall(r"^  (\d+) ", cli.epilog, re.MULTILINE)} == codes


def test_every_variable_that_is_read_is_documented() -> None:
    read = set()
    for path in (ROOT / "src").rglob("*.py"):
        read |= set(
            re.findall(r"environ(?:\.get\(|\[)\"((?:HOMEPORT|XDG|DOCKER|NO)_[A-Z_]+)\"", path.read_text("utf-8"))
        )
    read -= {"DOCKER_TLS_VERIFY"}  # belongs to DOCKER_HOST, and only makes that unusable
    text = section("Environment")
    manual = (ROOT / "share" / "man" / "man1" / "homeport.1").read_text("utf-8")
    assert read == set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert all(rf"\fB{name}\fP" in manual for name in read)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", path.read_text("utf-8")):
        name, anchor = target
        if "://" in name:
            continue
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), name
        if anchor:
            titles = re.findall(r"^#+ (.*)$", file.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_options_that_are_mentioned_exist(path: Path) -> None:
    known = {name for one in (cli, *COMMANDS) for name in options(one)}
    for line in re.findall(r"^(?:\$ |    )(?:sudo )?(?:scripts/)?homeport .*$", path.read_text("utf-8"), re.MULTILINE):
        assert {word.split("=")[0] for word in line.split("#")[0].split() if re.match(r"--?[a-z]", word)} <= known, line


def test_files_that_are_mentioned_exist() -> None:
    for path in TEXTS:
        for name in re.findall(
            r"`((?:src|tests|scripts|docs|requirements|share)/[\w./-]*\w)`", path.read_text("utf-8")
        ):
            assert (ROOT / name).exists() or name.endswith("/NAME.py") or "NAME" in name, f"{path.name}: {name}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The command prefix that enters the README's world: a network namespace with its server, started in a project."""
    folder = tmp_path_factory.mktemp("world")
    project = folder / "shop"
    project.mkdir()
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    ready = folder / "ready"
    start = f'ip link set lo up && : > "$1" && cd "$2" && exec "$3" -m http.server {PORT} --bind 127.0.0.1'
    command = ["unshare", "--net", "sh", "-c", start, "sh", str(ready), str(project), sys.executable]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    enter = ["nsenter", f"--net=/proc/{server.pid}/ns/net"]
    asks = [*enter, sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {PORT})).close()"]
    end = time.monotonic() + 60
    while not ready.exists() or subprocess.run(asks, capture_output=True, check=False).returncode != 0:
        assert server.poll() is None and time.monotonic() < end, "the server did not start"
        time.sleep(0.05)
    yield enter
    server.kill()
    server.wait()


def test_the_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_readme_runs(example: str, world: list[str], tmp_path: Path) -> None:
    said = re.search(r"# exit code (\d+)", example)
    words = shlex.split(example, comments=True)[1:]
    done = subprocess.run(
        [*world, sys.executable, "-P", "-m", "homeport", *words],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)}, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == (int(said[1]) if said else 0), done.stderr
    assert done.stdout
    assert "homeport:" not in done.stderr


def test_no_file_names_a_package_registry() -> None:
    """Where packages come from is the machine's business: its own configuration of pip says it."""
    hosts = ("py" + "pi.org", "python" + "hosted.org", "registry." + "npmjs", "proxy.go" + "lang")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0")[:-1] if listed.returncode == 0 else [str(p.relative_to(ROOT)) for p in TEXTS]
    for name in names:
        path = ROOT / name
        if path.is_file():
            text = path.read_text("utf-8", "replace")
            assert not any(host in text for host in hosts), name
