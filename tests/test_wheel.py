"""What a wheel carries, built as a release would be and installed into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import homeport

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "homeport"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = folder.glob("*.whl")
    return found


def test_it_carries_the_whole_package(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    kept = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert {str(path.relative_to(PACKAGE.parent)) for path in kept} <= names
    assert "homeport/py.typed" in names
    assert any(name.endswith(".bpf.o") for name in names)
    assert any(name.startswith("homeport/data/") for name in names)


def test_it_carries_the_man_page_the_completions_and_the_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for path in (
        "share/man/man1/homeport.1",
        "share/bash-completion/completions/homeport",
        "share/zsh/site-functions/_homeport",
        "share/fish/vendor_completions.d/homeport.fish",
        "licenses/LICENSE",
    ):
        assert any(name.endswith(path) for name in names), path


def test_it_runs_where_only_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*install, str(wheel)], check=True, capture_output=True)
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from homeport.__main__ import main; sys.exit(main())"
    command = [sys.executable, "-I", "-c", code, str(target)]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == f"homeport {homeport.__version__}\n"
    assert subprocess.run([*command, "ls"], capture_output=True, check=False, cwd=tmp_path).returncode in (0, 1)
