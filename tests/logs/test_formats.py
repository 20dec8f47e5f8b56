"""Lines as real programs write them, and rubbish."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.logs import times
from homeport.logs.formats import FORMATS, reader
from homeport.logs.formats.kind import Context
from homeport.model.logs import Level

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
READ = reader(NOW)
T = datetime(2026, 11, 23, 5, 54, 25, tzinfo=UTC)
LOCAL = T.replace(tzinfo=None).astimezone()
E, W, I, N, D, C = Level.ERROR, Level.WARNING, Level.INFO, Level.NOTICE, Level.DEBUG, Level.CRITICAL  # noqa: E741
MS = timedelta(milliseconds=123)

LINES = [
    ("nginx error log", '2026/11/23 05:54:25 [error] 12#12: *1 open() "/x" failed', LOCAL, E, 'open() "/x" failed'),
    ("nginx error log", "2026/11/23 05:54:25 [notice] 12#12: start worker", LOCAL, N, "start worker"),
    ("access log", '1.2.3.4 - ada [23/Nov/2026:05:54:25 +0000] "GET /a?b=1 HTTP/1.1" 500 6 "-" "c"', T, E,
     "HTTP 500 for GET /a?b=1"),
    ("access log", '::1 - - [23/Nov/2026:06:54:25 +0100] "GET / HTTP/2.0" 200 6', T, I, "HTTP 200 for GET /"),
    ("access log", '127.0.0.1 - - [23/Nov/2026 05:54:25] "GET /x HTTP/1.1" 404 -', LOCAL, W, "HTTP 404 for GET /x"),
    ("access log", "127.0.0.1 - - [23/Nov/2026 05:54:25] code 501, message No", LOCAL, E, "code 501, message No"),
    ("access log", '[23/Nov/2026 05:54:25] "GET /x HTTP/1.1" 404 179', LOCAL, W, "HTTP 404 for GET /x"),
    ("access log", 'shop.test:80 1.2.3.4 - - [23/Nov/2026:05:54:25 +0000] "\\x16\\x03" 400 0', T, W,
     "HTTP 400 for \\x16\\x03"),
    ("Apache error log", "[Mon Nov 23 05:54:25.123000 2026] [core:error] [pid 1:tid 2] [client 1.2.3.4:5] AH1: no",
     LOCAL + MS, E, "AH1: no"),
    ("Apache error log", "[Mon Nov 23 05:54:25 2026] [warn] old", LOCAL, W, "old"),
    ("PostgreSQL", '2026-11-23 05:54:25.123 UTC [12] ERROR:  relation "x"', T + MS, E, 'relation "x"'),
    ("PostgreSQL", "2026-11-23 05:54:25.123 UTC [12] a@b LOG:  ready", T + MS, I, "ready"),
    ("PostgreSQL", "2026-11-23 05:54:25 UTC [12] FATAL:  role", T, C, "role"),
    ("Redis", "12:M 23 Nov 2026 05:54:25.123 # Warning: no", LOCAL + MS, W, "Warning: no"),
    ("Redis", "12:C 23 Nov 2026 05:54:25.123 * Ready", LOCAL + MS, N, "Ready"),
    ("MariaDB", "2026-11-23  5:54:25 0 [Warning] odd", LOCAL, W, "odd"),
    ("MariaDB", "2026-11-23T05:54:25.123000Z 0 [System] [MY-1] [Server] up", T + MS, I, "[MY-1] [Server] up"),
    ("syslog (RFC 5424)", "<34>1 2026-11-23T05:54:25.123Z host su - ID47 - no", T + MS, C, "no"),
    ("syslog (RFC 5424)", '<165>1 2026-11-23T05:54:25Z host app 1 - [a b="\\]"] hi', T, N, "hi"),
    ("syslog (RFC 3164)", "Nov 23 05:54:25 host app[12]: ERROR: boo", LOCAL, E, "boo"),
    ("syslog (RFC 3164)", "<11>Nov 23 05:54:25 host app: boo", LOCAL, E, "boo"),
    ("syslog file", "2026-11-23T05:54:25.123+00:00 host app[1]: error: bad", T + MS, E, "bad"),
    ("glog", "W1123 05:54:25.123000   12 file.go:34] slow", LOCAL + MS, W, "slow"),
    ("Ruby's Logger", "E, [2026-11-23T05:54:25.123000 #12] ERROR -- : bad", LOCAL + MS, E, "bad"),
    ("logfmt", 'time="2026-11-23T05:54:25Z" level=warning msg="a \\"b\\"" err=no', T, W, 'a "b" — no'),
    ("logfmt", "ts=2026-11-23T05:54:25.123Z caller=main.go:1 level=info msg=up", T + MS, I, "up"),
    ("json", '{"level":50,"time":1795413265000,"pid":1,"msg":"pino"}', T, E, "pino"),
    ("json", '{"name":"b","level":30,"time":"2026-11-23T05:54:25.123Z","msg":"bunyan","v":0}', T + MS, I, "bunyan"),
    ("json", '{"event":"structlog","level":"warning","timestamp":"2026-11-23T05:54:25Z"}', T, W, "structlog"),
    ("json", '{"level":"error","ts":1795413265.0,"msg":"zap","error":"no"}', T, E, "zap — no"),
    ("json", '{"level":"fatal","time":"2026-11-23T05:54:25Z","message":"zerolog"}', T, C, "zerolog"),
    ("json", '{"asctime":"2026-11-23 05:54:25,123","levelname":"ERROR","message":"python"}', LOCAL + MS, E, "python"),
    ("json", '{"log":"ERROR boo\\n","stream":"stderr","time":"2026-11-23T05:54:25.123456789Z"}',
     T + timedelta(microseconds=123456), E, "boo"),
    ("json", '{"__REALTIME_TIMESTAMP":"1795413265000000","PRIORITY":"3","MESSAGE":"failed"}', T, E, "failed"),
    ("json", '{"__REALTIME_TIMESTAMP":"1795413265000000","PRIORITY":"6","MESSAGE":[255,104,105]}', T, I, "\udcffhi"),
    ("json", '{"__REALTIME_TIMESTAMP":"1795413265000000","PRIORITY":"6","MESSAGE":"ERROR: no"}', T, E, "no"),
    ("json", '{"timestamp":"2026-11-23 05:54:25.123 UTC","error_severity":"ERROR","message":"bad"}', T + MS, E, "bad"),
    ("json", '{"time_local":"23/Nov/2026:05:54:25 +0000","status":"503","request":"GET /a HTTP/1.1"}', T, E,
     "HTTP 503 for GET /a"),
    ("json", '{"msec":"1795413265.123","status_code":404,"method":"PUT","uri":"/a"}', T + MS, W, "HTTP 404 for PUT /a"),
    ("Tomcat", "23-Nov-2026 05:54:25.123 SEVERE [main] o.a.Startup bad", LOCAL + MS, E, "[main] o.a.Startup bad"),
    ("lines with a time of asctime", "Mon Nov 23 05:54:25 2026 ERROR bad", LOCAL, E, "bad"),
    ("NestJS", "[Nest] 4  - 11/23/2026, 5:54:25 AM   ERROR [Ex] bad", LOCAL, E, "[Ex] bad"),
    ("TAI64N", "@400000006b03d51b0754d4c0 ERROR: bad", T + MS, E, "bad"),
    ("svlogd and pm2", "2026-11-23_05:54:25.12300 ERROR: bad", LOCAL + MS, E, "bad"),
    ("svlogd and pm2", "2026-11-23T05:54:25: TypeError: no", LOCAL, E, "TypeError: no"),
    ("ts", "Nov 23 05:54:25 ERROR: bad", LOCAL, E, "bad"),
    ("seconds since 1970", "1795413265.123 WARN slow", T + MS, W, "slow"),
    ("PostgreSQL", "< 2026-11-23 05:54:25.123 UTC >ERROR:  bad", T + MS, E, "bad"),
    ("PostgreSQL", "[7] user=a,db=b FATAL:  bad", None, Level.CRITICAL, "bad"),
    ("PostgreSQL's csvlog", '2026-11-23 05:54:25.123 UTC,"pg","db",7,"127.0.0.1:1",6b.42,1,"SELECT",'
     '2026-11-23 05:50:00 UTC,3/4,0,ERROR,42P01,"relation ""nix"" does not exist",,,,,,"select",15,,"psql","",,0',
     T + MS, E, 'relation "nix" does not exist'),
    ("CRI", "2026-11-23T05:54:25.123456789Z stdout F {\"level\":\"warn\",\"msg\":\"hi\"}",
     T + timedelta(microseconds=123456), W, "hi"),
    ("CRI", "2026-11-23T06:54:25.000000000+01:00 stderr F plain", T, None, "plain"),
    ("lines with a time", "2026-11-23 05:54:25,123 - shop - ERROR - bad", LOCAL + MS, E, "shop - ERROR - bad"),
    ("lines with a time", "2026-11-23 05:54:25,123 WARNING shop: bad", LOCAL + MS, W, "shop: bad"),
    ("lines with a time", "[2026-11-23 05:54:25 +0000] [12] [INFO] Booting", T, I, "Booting"),
    ("lines with a time", "2026-11-23T05:54:25.123Z  WARN 12 --- [main] c.e.Foo : bad", T + MS, W,
     "12 --- [main] c.e.Foo : bad"),
    ("lines with a time", "2026/11/23 05:54:25 http: serving", LOCAL, None, "http: serving"),
    ("lines with a time", "[2026-11-23 05:54:25] INFO  WEBrick 1.9", LOCAL, I, "WEBrick 1.9"),
    ("lines with a time of day", "05:54:25.123 [main] ERROR c.e.Foo - bad", LOCAL + MS, E, "c.e.Foo - bad"),
    ("Python's logging", "ERROR:root:bad", None, E, "bad"),
    ("Python's logging", 'INFO:     127.0.0.1:1 - "GET /x HTTP/1.1" 500 Internal', None, E, "HTTP 500 for GET /x"),
    ("lines with a level", "[ERROR] bad", None, E, "bad"),
    ("lines with a level", "npm ERR! bad", None, E, "bad"),
    ("lines with a level", "error: bad", None, E, "bad"),
    ("exceptions", "Traceback (most recent call last):", None, E, "Traceback (most recent call last):"),
    ("exceptions", "TypeError: no", None, E, "TypeError: no"),
    ("exceptions", "java.io.IOException: no", None, E, "java.io.IOException: no"),
    ("exceptions", "Error [ERR_X]: no", None, E, "Error [ERR_X]: no"),
    ("exceptions", "thread 'main' panicked at src/main.rs:1:2:", None, E, "thread 'main' panicked at src/main.rs:1:2:"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "line", "time", "level", "message"), LINES, ids=lambda one: str(one)[:40])
def test_a_line_is_read(name: str, line: str, time: datetime | None, level: Level | None, message: str) -> None:
    context = Context(NOW, READ)
    first = next(one.name for one in FORMATS if one.parse(line, context) is not None)
    found = READ(line)
    assert found is not None
    assert (first, found.time, found.level, found.message) == (name, time, level, message)
    assert found.time is None or found.time.tzinfo is not None


def test_every_format_has_a_line_here() -> None:
    assert {one.name for one in FORMATS} == {name for name, *_ in LINES}


@pytest.mark.parametrize(
    "line",
    ["Server listening on port 3000", "", "{", "{}", '{"a":1}', "a=1", "<34>", "[", "  at foo (x.js:1:2)",
     "VITE v5.0.0", "GET / 200", "99:99:99 no", "2026-13-45 99:99:99"],
)  # fmt: skip
def test_what_says_nothing_is_none(line: str) -> None:
    found = READ(line)
    assert found is None or found.time is None


def test_details_of_postgresql_belong_to_their_error() -> None:
    found = READ("2026-11-23 05:54:25.123 UTC [12] STATEMENT:  select 1")
    assert found is not None and found.attached and found.level is None


def test_a_year_that_is_not_told_is_the_last_one_that_fits() -> None:
    assert times.without_year(NOW, 11, 20, 1, 2, 3, None) == datetime(2026, 11, 20, 1, 2, 3).astimezone()
    assert times.without_year(NOW, 12, 20, 1, 2, 3, None) == datetime(2025, 12, 20, 1, 2, 3).astimezone()
    assert times.without_year(NOW, 2, 30, 1, 2, 3, None) is None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T05:54:25+02:00", T - timedelta(hours=2)),
        ("2026-11-23 05:54:25.5-0130", (T + timedelta(hours=1, minutes=30, milliseconds=500))),
        ("2026-11-23 05:54:25+05", T - timedelta(hours=5)),
        ("2026-11-23 05:54:25 UTC", T),
        ("2026-02-30 05:54:25", None),
        ("0000-01-01 00:00:00", None),
        ("2026-11-23 05:54:25+99:99", None),
        ("no", None),
    ],
)
def test_stamps(text: str, time: datetime | None) -> None:
    assert times.stamp(text) == time


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, 1_000_000_000])
def test_numbers_are_seconds_to_nanoseconds(scale: int) -> None:
    assert times.of_number(1795413265 * scale) == T
    assert times.of_number(3) is None
    assert times.of_number(float("inf")) is None
    assert times.of_number(float("nan")) is None


@given(st.text(max_size=300))
def test_nothing_but_an_answer_comes_of_any_text(text: str) -> None:
    found = READ(text)
    assert found is None or found.time is None or found.time.tzinfo is not None


@given(
    st.sampled_from([line for _, line, *_ in LINES]),
    st.lists(st.tuples(st.integers(0, 120), st.characters()), max_size=6),
)
def test_nothing_but_an_answer_comes_of_broken_lines(line: str, changes: list[tuple[int, str]]) -> None:
    characters = list(line)
    for at, other in changes:
        characters[at % len(characters)] = other
    READ("".join(characters))


KEYS = st.sampled_from(["level", "time", "msg", "err", "log", "stream", "status"])
SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


@given(st.recursive(SCALARS, lambda one: st.lists(one) | st.dictionaries(KEYS, one), max_leaves=20))
def test_any_json_is_an_answer(value: object) -> None:
    READ(json.dumps(value))
    READ(json.dumps({"level": value, "time": value, "msg": value, "err": value, "status": value, "MESSAGE": value}))
    READ(json.dumps({"__REALTIME_TIMESTAMP": value, "MESSAGE": value, "PRIORITY": value}))


@pytest.mark.parametrize(
    "line",
    ["[" * 60_000, '{"a":' * 20_000 + "}", "a=" * 30_000, '"' * 60_000, "a" * 60_000, "1." * 30_000, ": " * 30_000,
     "Error" * 12_000, "[a] " * 15_000, 'k="' + '\\"' * 30_000, "x.Y" * 20_000, "2026-11-23 05:54:25 " + "[" * 60_000,
     "2026-11-23 05:54:25 UTC" + " A" * 30_000, "- " * 30_000 + "[23/Nov/2026:05:54:25 +0000] x"],
    ids=lambda line: line[:12],
)  # fmt: skip
def test_hostile_lines_end(line: str) -> None:
    READ(line)


def test_a_zone_is_kept() -> None:
    found = times.stamp("2026-11-23T05:54:25+02:00")
    assert found is not None and found.tzinfo == timezone(timedelta(hours=2))
