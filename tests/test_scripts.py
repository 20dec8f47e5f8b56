"""scripts/homeport on a fresh checkout, as a user starts it. The packages come from wherever pip gets them here."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import homeport

ROOT = Path(__file__).resolve().parent.parent
VERSION = f"homeport {homeport.__version__}\n"
NEEDED = ("src", "scripts", "requirements", "pyproject.toml")


def copy(folder: Path) -> Path:
    """A checkout without an environment, in `folder`."""
    folder.mkdir(parents=True)
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def launch(script: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script, *words], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was started once, in a folder whose name is not a simple one."""
    folder = copy(tmp_path_factory.mktemp("machine") / "a folder, wïth a name")
    first = launch(folder / "scripts" / "homeport", "--version", cwd=folder)
    assert (first.returncode, first.stdout) == (0, VERSION), first.stderr
    assert "set-up" in first.stderr
    return folder


@pytest.fixture
def own_checkout(checkout: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the started checkout that a test may break; its environment still belongs to the other place."""
    folder = tmp_path / "moved"
    shutil.copytree(checkout, folder, symlinks=True)
    yield folder


def test_the_second_run_says_nothing_of_a_set_up(checkout: Path) -> None:
    second = launch(checkout / "scripts" / "homeport", "--version")
    assert (second.returncode, second.stdout, second.stderr) == (0, VERSION, "")


def test_it_runs_through_links_and_from_any_folder(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "one").symlink_to(checkout / "scripts" / "homeport")
    (tmp_path / "bin" / "two").symlink_to("one")
    assert launch(tmp_path / "bin" / "two", "--version", cwd=Path("/")).stdout == VERSION
    searched = subprocess.run(
        ["two", "--version"], env={"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert searched.stdout == VERSION
    named_by_sh = subprocess.run(
        ["sh", "two", "--version"], cwd=tmp_path / "bin", capture_output=True, text=True, check=False
    )
    assert named_by_sh.stdout == VERSION


def test_modules_of_the_current_folder_are_not_taken_for_its_own(checkout: Path, tmp_path: Path) -> None:
    for name in ("homeport", "click", "json", "socket"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not this one')")
    assert launch(checkout / "scripts" / "homeport", "--version", cwd=tmp_path).stdout == VERSION


def test_a_moved_checkout_makes_its_environment_anew(own_checkout: Path) -> None:
    done = launch(own_checkout / "scripts" / "homeport", "--version")
    assert (done.returncode, done.stdout) == (0, VERSION), done.stderr
    assert (own_checkout / ".venv" / "homeport-root").read_text("utf-8") == f"{own_checkout}\n"


def test_changed_requirements_are_installed(own_checkout: Path) -> None:
    (own_checkout / ".venv" / "homeport-root").write_text(f"{own_checkout}\n", "utf-8")
    requirements = own_checkout / "requirements" / "run.txt"
    requirements.write_text("# changed\n" + requirements.read_text("utf-8"), "utf-8")
    done = launch(own_checkout / "scripts" / "homeport", "--version")
    assert (done.returncode, done.stdout) == (0, VERSION), done.stderr
    assert "set-up" in done.stderr
    assert (own_checkout / ".venv" / "homeport-run.txt").read_text("utf-8") == requirements.read_text("utf-8")


def test_a_package_with_another_hash_is_refused(own_checkout: Path) -> None:
    (own_checkout / ".venv" / "homeport-root").unlink()
    shutil.rmtree(own_checkout / ".venv")
    (own_checkout / "requirements" / "run.txt").write_text(f"click==8.5.1 --hash=sha256:{'0' * 64}\n", "utf-8")
    done = launch(own_checkout / "scripts" / "homeport", "--version")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install ended with status" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_first_runs_at_once_make_one_environment(tmp_path: Path) -> None:
    folder = copy(tmp_path / "twice")
    command = [str(folder / "scripts" / "homeport"), "--version"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [one.communicate() for one in both]
    assert [one.returncode for one in both] == [0, 0], answers
    assert [out for out, _ in answers] == [VERSION, VERSION]
    assert sum("making .venv" in err for _, err in answers) == 1


def test_an_interrupted_set_up_is_taken_up_by_the_next_run(tmp_path: Path) -> None:
    folder = copy(tmp_path / "interrupted")
    process = subprocess.Popen(
        [folder / "scripts" / "homeport", "--version"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    assert "making .venv" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode != 0
    assert "Traceback" not in err
    assert not (folder / ".venv" / "homeport-root").exists()
    assert launch(folder / "scripts" / "homeport", "--version").stdout == VERSION


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (None, "Python 3.11 or later is needed: there is no python3 on PATH"),
        (
            '[ "$1" = --version ] || exit 1; echo Python 3.9.2',
            "Python 3.11 or later is needed: there is Python 3.9.2",
        ),
        ('case "$*" in *ensurepip*) exit 1 ;; esac; exit 0', "comes without the modules venv and ensurepip"),
    ],
    ids=["no Python", "an old Python", "no venv"],
)
def test_a_machine_that_lacks_something_is_told_what(python: str | None, said: str, tmp_path: Path) -> None:
    folder = copy(tmp_path / "bare")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cmp", "readlink"):
        (programs / name).symlink_to(shutil.which(name) or name)
    if python is not None:
        (programs / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (programs / "python3").chmod(0o755)
    done = subprocess.run(
        [folder / "scripts" / "homeport"], env={"PATH": str(programs)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert said in done.stderr
    assert "apt install" in done.stderr
    assert not (folder / ".venv").exists()


def test_every_script_is_shell_that_any_sh_reads() -> None:
    scripts = [
        path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.read_bytes()[:9] == b"#!/bin/sh"
    ]
    done = subprocess.run(["shellcheck", *scripts, ROOT / ".ci" / "run"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_requirements_agree_with_one_another() -> None:
    pins = {
        name: {
            line.split()[0] for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines() if "==" in line
        }
        for name in ("run.txt", "test.txt")
    }
    assert pins["run.txt"] <= pins["test.txt"]
    import tomllib

    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    pinned = {one.split("==")[0] for one in pins["run.txt"]}
    assert {one.split(">=")[0].replace(".", "-") for one in wanted} <= pinned
