"""The laws that hold the project together: layers, the hot path, files that stay small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "homeport"
MODULES = sorted(SOURCE.rglob("*.py"))

# What listing an idle machine cannot afford: each costs a part of the 40 ms that the whole answer may take.
HEAVY = {
    "asyncio", "click", "dataclasses", "enum34", "http", "importlib.resources", "inspect", "json", "logging", "msgspec",
    "pathlib", "psutil", "re", "rich", "ruamel", "sqlite3", "subprocess", "tomllib", "typing", "unittest", "urllib",
    "xml",
}  # fmt: skip


def test_imports_go_downwards_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("words", [["ls"], [], ["ls", "--tcp", "--wide"], ["-q"]])
def test_a_plain_listing_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from homeport.cli.run import run; code = run(sys.argv[1:] + ['--netns', 'own']);"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    # A network namespace of its own: no container of this machine owns anything that would have to be described.
    command = ["unshare", "--net", sys.executable, "-I", "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"XDG_STATE_HOME": str(tmp_path)})
    modules = set(done.stderr.splitlines())
    assert "homeport.operations.ls" in modules, done.stderr
    assert not modules & HEAVY


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_stays_small_enough_to_be_read(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 600
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            said = ast.get_docstring(node, clean=False)
            size = (node.end_lineno or 0) - node.lineno - (said.count("\n") + 1 if said is not None else 0)
            assert size < 50, f"{node.name} is long"
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            assert len(methods) <= 20, f"{node.name} has many methods"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_is_whole(path: Path) -> None:
    """No stubs, no work that is put off, and no silent handler: every `except` that swallows says why."""
    text = path.read_text("utf-8")
    assert not re.search(r"\b(NotImplementedError|TO" r"DO|FIX" r"ME|XX" r"X)\b", text)
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(one, ast.Pass) for one in node.body):
            near = lines[node.lineno - 2 : (node.end_lineno or node.lineno) + 1]
            assert any("#" in line for line in near), f"line {node.lineno} swallows without a word"
