"""Files read from their end and followed, whatever becomes of them."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.system import log_reading
from homeport.system.log_reading import PER_POLL, FileLog, Where


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


@pytest.fixture
def opened() -> Iterator[list[FileLog]]:
    found: list[FileLog] = []
    yield found
    for one in found:
        one.close()


def add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def last(path: Path, lines: int) -> tuple[list[str], bool]:
    one = FileLog(Where(str(path)))
    try:
        found, complete = one.last(lines)
        return list(found), complete
    finally:
        one.close()


LINES = st.lists(
    st.text(st.characters(exclude_characters="\n\r\0", exclude_categories=["Cs"]), min_size=1, max_size=50)
)


@given(LINES, st.integers(1, 20), st.booleans(), st.integers(1, 64))
@settings(max_examples=60)
def test_the_last_lines_are_the_last_lines(lines: list[str], wanted: int, ends: bool, block: int) -> None:
    descriptor = os.memfd_create("log")
    try:
        os.write(descriptor, "\n".join(lines).encode() + (b"\n" if ends and lines else b""))
        before, log_reading.BLOCK = log_reading.BLOCK, block
        link = f"/proc/self/fd/{descriptor}"
        one = FileLog(Where(link, None, link))
        try:
            found, complete = one.last(wanted)
            assert list(found) == lines[-wanted:]
            assert complete or len(lines) >= wanted
        finally:
            log_reading.BLOCK = before
            one.close()
    finally:
        os.close(descriptor)


def test_a_file_of_five_gigabytes_is_read_from_its_end(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"first\n")
        file.seek(5 << 30)
        file.write(b"\n" + b"".join(b"line %d\n" % number for number in range(100_000)))
    tracemalloc.start()
    try:
        found, complete = last(path, 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == [f"line {number}" for number in range(99_900, 100_000)]
    assert not complete
    assert peak < 4 << 20


def test_gigabytes_without_a_line_are_given_up_in_bounded_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 30)
    tracemalloc.start()
    try:
        found, complete = last(path, 100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == []
    assert not complete
    assert peak < 8 << 20


def test_added_lines_come_once(path: Path, opened: list[FileLog]) -> None:
    path.write_text("old\n")
    opened.append(one := FileLog(Where(str(path))))
    assert one.more() == []
    add(path, "one\ntw")
    assert one.more() == ["one"]
    add(path, "o\nthree\n")
    assert one.more() == ["two", "three"]
    assert one.more() == []


def test_renamed_and_made_anew_with_a_writer_that_goes_on(path: Path, opened: list[FileLog]) -> None:
    path.write_text("old\n")
    opened.append(one := FileLog(Where(str(path))))
    with path.open("a", buffering=1) as writer:
        path.rename(path.with_suffix(".1"))
        writer.write("after the renaming\n")
        assert one.more() == ["after the renaming"]
        path.write_text("first of the new\n")
        assert one.more() == ["first of the new"]
        assert one.notes == ["was replaced by a new file"]
        writer.write("late\n")
        assert one.more() == ["late"]
    add(path, "second of the new\n")
    assert one.more() == ["second of the new"]


def test_copied_and_truncated(path: Path, opened: list[FileLog]) -> None:
    path.write_text("a long line that was there\n" * 10)
    opened.append(one := FileLog(Where(str(path))))
    os.truncate(path, 0)
    add(path, "new\n")
    assert one.more() == ["new"]
    assert one.notes == ["was truncated, and is read from its beginning"]


def test_truncated_and_longer_than_before_at_the_next_look(path: Path, opened: list[FileLog]) -> None:
    path.write_text("old\n")
    opened.append(one := FileLog(Where(str(path))))
    path.write_text("new and longer\nthan it was\n")
    assert one.more() == ["new and longer", "than it was"]


def test_truncated_under_a_writer_that_leaves_a_hole(path: Path, opened: list[FileLog]) -> None:
    with path.open("w", buffering=1) as writer:  # no O_APPEND: it goes on where it was
        writer.write("x" * 100_000 + "\n")
        opened.append(one := FileLog(Where(str(path))))
        os.truncate(path, 0)
        writer.write("after the hole\n")
        assert one.more() == ["after the hole"]


def test_a_link_that_is_led_elsewhere(path: Path, tmp_path: Path, opened: list[FileLog]) -> None:
    (tmp_path / "one").write_text("old\n")
    (tmp_path / "two").write_text("new\n")
    path.symlink_to(tmp_path / "one")
    opened.append(one := FileLog(Where(str(path))))
    (tmp_path / "link").symlink_to(tmp_path / "two")
    (tmp_path / "link").rename(path)
    assert one.more() == ["new"]


def test_a_deleted_file_through_its_descriptor(path: Path, opened: list[FileLog]) -> None:
    with path.open("w", buffering=1) as writer:
        writer.write("before\n")
        path.unlink()
        link = f"/proc/{os.getpid()}/fd/{writer.fileno()}"
        opened.append(one := FileLog(Where(str(path), None, link)))
        assert list(one.last(5)[0]) == ["before"]
        path.write_text("a file of another program\n")
        writer.write("after\n")
        assert one.more() == ["after"]
        assert one.more() == []


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in (str(tmp_path / "fifo"), str(tmp_path), "/dev/null", "/dev/stdout", "/proc/self/status", "/no", "a\0b"):
        with pytest.raises(OSError):
            FileLog(Where(name))


def test_no_descriptor_is_left(path: Path) -> None:
    path.write_text("x\n")
    before = len(os.listdir("/proc/self/fd"))
    one = FileLog(Where(str(path)))
    for number in range(10):
        path.rename(path.with_suffix(f".{number}"))
        path.write_text(f"{number}\n")
        assert one.more() == [f"{number}"]
    one.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_comes_faster_than_it_is_read_is_kept_when_it_is_truncated_or_renamed(
    path: Path, opened: list[FileLog]
) -> None:
    path.write_text("")
    opened.append(FileLog(Where(str(path))))
    each = [f"line {number:08}" for number in range(PER_POLL // 3)]
    parts = [each[start::4] for start in range(4)]
    path.write_text("".join(f"{line}\n" for line in parts[0]))
    found = opened[0].more()
    assert len(found) < len(parts[0])
    os.truncate(path, 0)
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in parts[1][:-1])
    found += opened[0].more()
    with path.open("a") as file:
        file.write(f"{parts[1][-1]}\n")
    for number, part in enumerate(parts[2:]):
        path.rename(f"{path}.{number}")
        path.write_text("".join(f"{line}\n" for line in part))
        found += opened[0].more()
    while opened[0].behind:
        found += opened[0].more()
    assert found == [line for part in parts for line in part]


def test_what_all_files_keep_ahead_is_bounded_together(
    tmp_path: Path, opened: list[FileLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reading, "AHEAD", 4 * log_reading.BLOCK)
    paths = [tmp_path / f"{number}.log" for number in range(3)]
    for each in paths:
        each.touch()
        opened.append(FileLog(Where(str(each))))
    lines = [f"{number:07}" for number in range(8 * PER_POLL // 8)]
    for each in paths:
        add(each, "".join(f"{line}\n" for line in lines))
    seen: list[list[str]] = [[], [], []]
    for _ in range(1000):
        for one, found in zip(opened, seen, strict=True):
            found += one.more()
            assert FileLog._held <= 4 * log_reading.BLOCK + len(opened) * log_reading.BLOCK
        if all(len(found) == len(lines) for found in seen):
            break
    assert seen == [lines] * 3
    assert FileLog._held == 0
