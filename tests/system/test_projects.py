"""Projects in real folders, repositories, worktrees and processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homeport.model.owners import Project
from homeport.system import procfs, projects
from homeport.system.projects import Projects


def git(folder: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *words], cwd=folder, env=environment, check=True, capture_output=True)


def of(folder: Path) -> Project | None:
    return Projects().of(str(folder))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init")
    return root


def test_a_repository_without_commits(repository: Path) -> None:
    inside = repository / "a" / "b"
    inside.mkdir(parents=True)
    assert of(inside) == Project("shop", str(repository), ".git", "main", False, None)


def test_branches_detached_heads_and_worktrees(repository: Path, tmp_path: Path) -> None:
    git(repository, "commit", "--allow-empty", "-m", "x")
    git(repository, "checkout", "-b", "feature/one")
    assert (found := of(repository)) and found.branch == "feature/one"
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "-b", "other", str(linked))
    assert of(linked) == Project("linked", str(linked), ".git", "other", True, None)
    git(repository, "checkout", "--detach")
    assert (found := of(repository)) and found.branch is None
    assert not found.worktree


def test_a_submodule_is_a_project_and_no_worktree(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "library"
    other.mkdir()
    git(other, "init")
    git(other, "commit", "--allow-empty", "-m", "x")
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", str(other), "deps/library")
    assert of(repository / "deps/library") == Project(
        "library", str(repository / "deps/library"), ".git", "main", False, None
    )


def test_a_part_of_a_repository_with_its_own_manifest_has_the_branch_of_the_whole(repository: Path) -> None:
    web = repository / "packages" / "web"
    (web / "node_modules" / "vite").mkdir(parents=True)
    (web / "package.json").write_text('{"name": "@shop/web", "devDependencies": {"vite": "5"}}')
    (web / "node_modules" / "vite" / "package.json").write_text('{"name": "vite"}')
    expected = Project("@shop/web", str(web), "package.json", "main", False, "Vite")
    assert of(web) == expected
    assert of(web / "node_modules" / "vite") == expected
    (web / "dist").mkdir()
    (web / "dist" / "package.json").write_text('{"type": "module"}')
    assert of(web / "dist") == expected


def test_stray_markers_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "me"
    (home / ".git").mkdir(parents=True)
    (home / ".git" / "HEAD").write_text("ref: refs/heads/dotfiles\n")
    (home / "package.json").write_text('{"name": "oops"}')
    (home / "plain").mkdir()
    (home / "mine").mkdir()
    (home / "mine" / "go.mod").write_text("module mine\n")
    monkeypatch.setenv("HOME", str(home))
    answers = Projects()
    assert answers.of(str(home)) is None
    assert answers.of(str(home / "plain")) is None
    assert answers.of(str(home / "mine")) == Project("mine", str(home / "mine"), "go.mod", None, False, None)
    (home / "mine" / "empty" / ".git").mkdir(parents=True)
    assert (found := of(home / "mine" / "empty")) and found.root == str(home / "mine")


def test_other_version_control(tmp_path: Path) -> None:
    for name in (".hg", ".svn", ".jj"):
        (tmp_path / name[1:] / name).mkdir(parents=True)
    (tmp_path / "hg" / ".hg" / "branch").write_text("stable\n")
    assert of(tmp_path / "hg") == Project("hg", str(tmp_path / "hg"), ".hg", "stable", False, None)
    assert (found := of(tmp_path / "svn")) and found.branch is None
    assert (found := of(tmp_path / "jj")) and found.marker == ".jj"


def test_a_head_that_is_a_link_and_a_pointer_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").symlink_to("refs/heads/old")
    assert (found := of(tmp_path)) and found.branch == "old"
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert (found := of(broken)) and found.root == str(tmp_path)


def test_fifos_loops_giants_and_folders_in_place_of_files_are_harmless(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    os.mkfifo(folder / "package.json")
    (folder / "pyproject.toml").symlink_to("pyproject.toml")
    (folder / "go.mod").mkdir()
    assert of(folder) is None
    (folder / "Cargo.toml").write_bytes(b"# " + b"x" * (300 * 1024))
    assert of(folder) == Project("odd", str(folder), "Cargo.toml", None, False, None)
    (folder / "Cargo.toml").write_bytes(b'[package]\nname = "\xff"')
    assert (found := of(folder)) and found.root == str(folder)
    os.mkfifo(folder / ".git")
    assert of(folder) == found


def test_a_huge_folder_is_asked_for_the_known_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "_ENTRIES", 10)
    for number in range(50):
        (tmp_path / f"file{number}").touch()
    (tmp_path / "go.mod").write_text("module huge\n")
    assert (found := of(tmp_path)) and found.name == "huge"


def test_no_folder_of_ours(tmp_path: Path) -> None:
    answers = Projects()
    for folder in ("", "relative", "(unreachable)/x", "/nonexistent/at/all", "/\0", "/" + "a/" * 5000):
        assert answers.of(folder) is None


def test_a_second_question_touches_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "a").mkdir()
    answers = Projects()
    first = answers.of(str(repository / "a"))

    def forbidden(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(os, "scandir", forbidden)
    assert answers.of(str(repository / "a")) is first
    assert answers.of(str(repository)) is first


def test_a_file_server_that_hangs_costs_one_short_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    (tmp_path / "go.mod").write_text("module far\n")
    line = f"36 35 98:0 / {tmp_path} rw,noatime - nfs4 server:/x rw\n"
    assert projects._far_mounts(line + "36 35 98:0 / /my\\040disk rw - ext4 /dev/x rw\n") == (str(tmp_path),)
    answers = Projects()
    answers._far = (str(tmp_path),)
    assert (found := answers.of(str(tmp_path))) and found.name == "far"
    returns = threading.Event()
    calls = []

    def hangs(folder: str) -> tuple[str, ...]:
        calls.append(folder)
        returns.wait(30)
        return ()

    monkeypatch.setattr(projects, "_markers_in", hangs)
    hanging = Projects()
    hanging._far = (str(tmp_path),)
    assert hanging.of(str(tmp_path)) is None
    assert hanging.of(str(tmp_path / "x")) is None
    assert len(calls) == 1
    returns.set()
    for thread in threading.enumerate():
        if thread.name == "homeport-far-folder":
            thread.join(10)


@pytest.fixture
def start_in() -> Iterator[Callable[..., int]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, *before: str) -> int:
        child = subprocess.Popen([*before, "sleep", "600"], cwd=folder)
        started.append(child)
        deadline = time.monotonic() + 10
        while (procfs.read_bytes(f"/proc/{child.pid}/cmdline") or b"").split(b"\0")[0] != b"sleep":
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return child.pid

    yield start
    for child in started:
        child.kill()
        child.wait()


def project_of(pid: int) -> Project | None:
    process = procfs.read_process(pid)
    assert process is not None
    return Projects().of_process(process)


def test_a_process_has_the_project_of_its_working_folder(repository: Path, start_in: Callable[..., int]) -> None:
    assert project_of(start_in(repository)) == of(repository) is not None


def test_a_mount_namespace_that_shares_the_folder_changes_nothing(
    repository: Path, start_in: Callable[..., int]
) -> None:
    # as systemd makes with PrivateTmp=
    assert project_of(start_in(repository, "unshare", "--mount")) == of(repository)


def test_a_folder_of_another_root_is_not_looked_up_here(repository: Path, start_in: Callable[..., int]) -> None:
    elsewhere = f"mount -t tmpfs none {repository} && cd {repository} && exec sleep 600"
    assert project_of(start_in(repository.parent, "unshare", "--mount", "sh", "-c", elsewhere, "--")) is None


def test_a_chrooted_process_is_not_looked_up_here(repository: Path, start_in: Callable[..., int]) -> None:
    jail = repository.parent / "jail"
    inside = jail / str(repository)[1:]
    inside.mkdir(parents=True)
    (jail / "bin").mkdir()
    (jail / "bin" / "sleep").write_bytes(Path("/bin/busybox").read_bytes())
    (jail / "bin" / "sleep").chmod(0o755)
    code = (
        f"import os; os.chroot({str(jail)!r}); os.chdir({str(repository)!r}); os.execv('/bin/sleep', ['sleep', '600'])"
    )
    assert project_of(start_in(repository, "python3", "-c", code)) is None
