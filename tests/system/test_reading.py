from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from homeport.system import reading
from homeport.system.reading import Reader, environment, open_files


def texts(reader: Reader, pattern: Path | str, within: Path | None = None) -> dict[str, str]:
    return dict(reader.texts(str(pattern), None if within is None else str(within)))


def test_a_file_and_a_pattern(tmp_path: Path) -> None:
    for name in ("a.conf", "b.conf", "c.txt"):
        (tmp_path / name).write_text(name)
    reader = Reader()
    assert texts(reader, tmp_path / "a.conf") == {str(tmp_path / "a.conf"): "a.conf"}
    # each file once a search
    assert texts(reader, tmp_path / "*.conf") == {str(tmp_path / "b.conf"): "b.conf"}
    assert reader.searched == [str(tmp_path / "a.conf"), str(tmp_path / "b.conf")]
    assert texts(reader, tmp_path / "no" / "*.conf") == {}
    assert texts(reader, tmp_path / "absent") == {}


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("out")
    (project / "inner").write_text("in")
    (project / "good").symlink_to("inner")
    (project / "bad").symlink_to(secret)
    (project / "up").symlink_to("../secret")
    (project / "loop").symlink_to("loop")
    (project / "folder").symlink_to(tmp_path)
    reader = Reader()
    assert texts(reader, project / "good", project) == {str(project / "good"): "in"}
    for name in ("bad", "up", "loop", "folder/secret", "../secret"):
        assert texts(reader, f"{project}/{name}", project) == {}
    assert texts(Reader(), project / "bad") == {str(project / "bad"): "out"}


def test_without_openat2_links_do_not_lead_out_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_openat2", lambda *_: None)
    test_links_do_not_lead_out(tmp_path)
    assert texts(Reader(root="/proc/self/root"), "/etc/hostname") == {}


def test_nothing_but_regular_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "environ").symlink_to("/proc/self/environ")
    reader = Reader()
    for name in ("fifo", "folder", "null", "environ"):
        assert texts(reader, tmp_path / name) == {}
    assert texts(reader, "/proc/self/environ") == {}
    assert texts(reader, "a\0b") == {}


def test_bounds(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (reading.MAX_FILE + 10))
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\0port = 3000")
    reader = Reader()
    assert len(texts(reader, tmp_path / "large")[str(tmp_path / "large")]) == reading.MAX_FILE
    assert reader.searched == [f"{tmp_path}/large (its first 256 KB)"]
    assert texts(reader, tmp_path / "binary") == {}
    many = tmp_path / "many"
    many.mkdir()
    for number in range(reading.MAX_FILES + 10):
        (many / f"{number}.conf").write_text("x")
    reader = Reader()
    found = sum(len(texts(reader, many / f"{number}.conf")) for number in range(reading.MAX_FILES + 10))
    assert found == reading.MAX_FILES
    assert reader.searched[-1].startswith("stopped after 64 files")
    assert len(texts(Reader(), many / "*.conf")) == reading.MAX_MATCHES


def test_the_total_is_bounded(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / str(number)).write_bytes(b"x" * reading.MAX_FILE)
    reader = Reader()
    total = sum(len(text) for number in range(12) for text in texts(reader, tmp_path / str(number)).values())
    assert total == reading.MAX_TOTAL


def test_another_root_is_not_left() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "etc").mkdir()
        (root / "etc" / "inner").write_text("in")
        (root / "etc" / "absolute").symlink_to("/etc/inner")
        (root / "etc" / "host").symlink_to("/etc/passwd")
        reader = Reader(root=name)
        assert texts(reader, "/etc/inner") == {"/etc/inner": "in"}
        assert texts(reader, "/etc/absolute") == {"/etc/absolute": "in"}
        assert texts(reader, "/etc/host") == {}
        assert texts(reader, "/../../../../etc/passwd") == {}
        assert set(texts(Reader(root=name), "/etc/*")) == {"/etc/inner", "/etc/absolute"}


def test_environment_and_open_files(tmp_path: Path) -> None:
    conf, log = tmp_path / "a.conf", tmp_path / "b.out"
    conf.write_text("x")
    code = f"import sys; a = open({str(conf)!r}); b = open({str(log)!r}, 'w'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PORT": "1", "ODD": "a=b"}
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        started_with = environment(child.pid)
        assert started_with is not None
        assert (started_with["PORT"], started_with["ODD"]) == ("1", "a=b")
        assert open_files(child.pid) == [str(conf)]
        child.kill()
    assert environment(child.pid) in (None, {})
    assert open_files(child.pid) == []


def test_a_name_is_not_cut_at_a_nul(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("x")
    for within in (tmp_path, None):
        assert texts(Reader(), f"{tmp_path}/in\0x", within) == {}
    assert texts(Reader(root="/proc/self/root"), f"{tmp_path}/in\0x") == {}


def test_what_the_kernel_makes_up_is_not_read_by_any_way() -> None:
    assert texts(Reader(), "/proc/self/status", Path("/")) == {}
    for path in ("/proc/self/status", "/proc/self/environ", "/sys/kernel/uevent_seqnum"):
        assert texts(Reader(root="/proc/self/root"), path) == {}
        assert texts(Reader(root="/proc/self/root"), path, Path("/")) == {}


def test_a_project_below_another_root_is_not_left() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "srv" / "shop").mkdir(parents=True)
        (root / "srv" / "secret").write_text("out")
        (root / "srv" / "shop" / ".env").write_text("in")
        (root / "srv" / "shop" / "good").symlink_to(".env")
        (root / "srv" / "shop" / "up").symlink_to("../secret")
        (root / "srv" / "shop" / "absolute").symlink_to("/srv/secret")
        (root / "srv" / "link").symlink_to("/srv/shop")
        project = Path("/srv/shop")
        assert texts(Reader(root=name), "/srv/shop/good", project) == {"/srv/shop/good": "in"}
        assert texts(Reader(root=name), "/srv/link/.env", Path("/srv/link")) == {"/srv/link/.env": "in"}
        for path in ("up", "absolute", "../secret"):
            assert texts(Reader(root=name), f"/srv/shop/{path}", project) == {}
