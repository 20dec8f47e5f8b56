"""Lines put together to entries."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from homeport.logs.entries import MOST_CHARACTERS, MOST_LINES, Assembler
from homeport.logs.formats import reader
from homeport.model.logs import Level, LogLine

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def entries(text: str) -> list[LogLine]:
    one = Assembler("a", reader(NOW))
    found = [entry for line in text.split("\n") for entry in one.feed(line)]
    return [*found, *one.flush()]


def heads(text: str) -> list[tuple[str, int, Level | None]]:
    return [(one.message, one.text.count("\n") + 1, one.level) for one in entries(text)]


def test_a_python_traceback_stays_with_its_head() -> None:
    text = """2026-11-23 05:54:25,123 ERROR shop: cart failed
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    raise shop.NoCart("x")
shop.errors.NoCart: x

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "a.py", line 3
ValueError: no cart 7
2026-11-23 05:54:26,123 INFO shop: next"""
    assert heads(text) == [
        ("shop: cart failed — ValueError: no cart 7", 11, Level.ERROR),
        ("shop: next", 1, Level.INFO),
    ]


def test_a_bare_traceback_is_an_error_named_by_its_exception() -> None:
    text = 'listening\nTraceback (most recent call last):\n  File "a.py", line 1\nKeyError: 3\n127.0.0.1 again'
    assert heads(text) == [
        ("listening", 1, None), ("KeyError: 3", 3, Level.ERROR), ("127.0.0.1 again", 1, None)
    ]  # fmt: skip


def test_a_javascript_error_has_its_frames() -> None:
    text = "TypeError: no cart\n    at a (x.js:1:2)\n    at b (y.js:3:4)\nrequest"
    assert heads(text) == [("TypeError: no cart", 3, Level.ERROR), ("request", 1, None)]


def test_a_java_exception_follows_its_line() -> None:
    text = """2026-11-23 05:54:25.123 ERROR 1 --- [main] c.e.Foo : failed
java.lang.IllegalStateException: no cart
\tat c.e.Foo.bar(Foo.java:1)
Caused by: java.io.IOException: disk
\t... 3 more
2026-11-23 05:54:26.123  INFO 1 --- [main] c.e.Foo : ok"""
    (first, second) = entries(text)
    assert first.text.count("\n") == 4
    assert "no cart" in first.message
    assert second.level is Level.INFO


def test_details_of_postgresql_stay_with_their_error() -> None:
    text = """2026-11-23 05:54:25.123 UTC [1] ERROR:  bad
2026-11-23 05:54:25.123 UTC [1] DETAIL:  why
2026-11-23 05:54:25.124 UTC [1] STATEMENT:  select
\tfrom x
2026-11-23 05:54:26.123 UTC [1] LOG:  ok"""
    assert [(message, lines) for message, lines, _ in heads(text)] == [("bad", 4), ("ok", 1)]


def test_a_line_without_a_time_has_that_of_the_one_before() -> None:
    first, second = entries("2026-11-23T05:54:25Z up\nready")
    assert second.time == first.time == datetime(2026, 11, 23, 5, 54, 25, tzinfo=UTC)
    assert second.inherited and not first.inherited
    assert entries("ready")[0].time is None


def test_parts_of_a_containers_line_are_put_together() -> None:
    stamp = "2026-11-23T05:54:25.000000000Z"
    text = f"{stamp} stdout P one \n{stamp} stderr F other\n{stamp} stdout F two"
    assert [(one.text, one.stream) for one in entries(text)] == [("other", "stderr"), ("one two", "stdout")]


def test_a_stack_in_a_container_stays_together() -> None:
    stamp = "2026-11-23T05:54:25.000000000Z"
    text = f"{stamp} stderr F Error: no\n{stamp} stderr F     at a (x.js:1:2)\n{stamp} stdout F ok"
    assert [one.text for one in entries(text)] == ["Error: no\n    at a (x.js:1:2)", "ok"]


def test_an_endless_entry_is_cut_and_says_so() -> None:
    (one,) = entries("Error: no\n" + "    at x\n" * 10_000)
    assert one.text.count("\n") == MOST_LINES
    assert one.text.endswith(f"… {10_000 - MOST_LINES + 1} more lines")
    (two,) = entries("Error: no\n" + (" " + "x" * 60_000 + "\n") * 100)
    assert len(two.text) < MOST_CHARACTERS + 100


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=40), max_size=30))
def test_no_line_vanishes(lines: list[str]) -> None:
    found = "\n".join(one.text for one in entries("\n".join(lines)))
    assert [line for line in found.split("\n") if line.strip()] == [line for line in lines if line.strip()] or any(
        line.startswith("{") or " stdout " in line or " stderr " in line for line in lines
    )


def test_a_quoted_field_of_postgresqls_csvlog_goes_on_in_the_next_lines() -> None:
    fields = '2026-11-23 05:54:25 UTC,"a","b",7,"[local]",6b.42,1,"idle",2026-11-23 05:50:00 UTC,3/8,0,ERROR,42601'
    text = fields + ',"syntax error at ""here""",,,,,,"select\nwrong here\n\nERROR: no, a part of it\n'
    text += '",22,,"psql","client backend",,0\n' + fields + ',"next",,,,,,"select",,,"psql","client backend",,0'
    assert heads(text) == [('syntax error at "here"', 5, Level.ERROR), ("next", 1, Level.ERROR)]
    endless = f'{fields},"m",,,,,,"select\n' + "more\n" * (MOST_LINES * 2) + "ERROR: another"
    assert heads(endless)[-1] == ("another", 1, Level.ERROR)


def test_a_stack_in_lines_that_were_stamped_by_another_program_stays_together() -> None:
    for stamp in ("2026-11-23T05:54:25: ", "2026-11-23_05:54:25.12345 ", "Nov 23 05:54:25 ", "1795413265.123 "):
        text = f"{stamp}TypeError: no cart\n{stamp}    at f (a.js:1:2)\n{stamp}    at g (b.js:1:2)\n{stamp}next"
        (stack, after) = entries(text)
        assert stack.text == "\n".join(text.split("\n")[:3]) and stack.level is Level.ERROR  # as it is in the log
        assert after.message == "next" and after.time is not None
    tai = "@400000006b03d51b0754d4c0 "
    (stack,) = entries(f"{tai}TypeError: no cart\n{tai}    at f (a.js:1:2)")
    assert stack.text == "TypeError: no cart\n    at f (a.js:1:2)"  # nobody reads such a time


def test_colours_are_no_part_of_an_entry() -> None:
    (entry,) = entries("\x1b[31m\x1b[1mWARNING: development server\x1b[0m\x1b[K")
    assert (entry.text, entry.level) == ("WARNING: development server", Level.WARNING)
    (entry,) = entries("\x1b[2J\x1b]0;title\x07")
    assert entry.text == "\x1b[2J\x1b]0;title\x07"  # what does more than colour is shown as it is


def test_a_panic_of_go_stays_with_its_goroutines() -> None:
    text = """panic: runtime error: index out of range [5]

goroutine 1 [running]:
main.(*Server).handle(0xc00001, {0x1, 0x2})
\t/x/main.go:5 +0x1d
created by main.main in goroutine 1
\t/x/main.go:9 +0x1d
exit status 2
starting again"""
    assert heads(text) == [
        ("panic: runtime error: index out of range [5]", 8, Level.ERROR),
        ("starting again", 1, None),
    ]
