"""What the loggers of languages write: glog and klog, Ruby, Python, Java; and any line with a time or a level."""

from __future__ import annotations

import re

from homeport.logs import levels, times
from homeport.logs.formats.kind import DIGITS, LONGEST, Context, Format, Parsed
from homeport.model.logs import Level

_GLOG = re.compile(r"([IWEFD])(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d+)\s+\d+ ([^\s\]]{1,200}:\d+)\] ?(.*)", re.DOTALL)
_RUBY = re.compile(rf"([DIWEFA]), \[({times.STAMP})\s*#\d+\]\s+\w+ -- [^:]{{0,80}}: (.*)", re.DOTALL)
_PYTHON = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL):(?:[\w.-]{1,120}:|\s{1,9})(.*)", re.DOTALL)
_ANSWERED = re.compile(r'"((?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) [^"]{0,2048}) HTTP/[\d.]+" ([1-5]\d\d)\b')
_STAMPED = re.compile(rf"[\[(]?({times.STAMP})[\])]?[\s:|,;-]{{0,4}}(.*)", re.DOTALL)
_HOURS = re.compile(r"[\[(]?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?[\])]?\s+(.*)", re.DOTALL)
_TOMCAT = re.compile(r"(\d\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (.*)", re.DOTALL)
_CTIME = re.compile(r"\w{3} (\w{3}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})[ :]{1,3}(.*)", re.DOTALL)
_NEST = re.compile(
    r"\[Nest\] \d+ +- (\d\d)/(\d\d)/(\d{4}), (\d{1,2}):(\d\d):(\d\d) ([AP])M +"
    r"(LOG|ERROR|WARN|DEBUG|VERBOSE|FATAL) (.*)",
    re.DOTALL,
)
_LEVELLED = re.compile(
    r"(?:\[(?P<boxed>[A-Za-z]{3,9})\]|(?P<upper>TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b"
    r"|npm (?P<npm>ERR|WARN)!?|(?P<colon>(?i:warning|error|fatal|panic|info|debug|severe)):\s)\s{0,4}(?P<rest>.*)",
    re.DOTALL,
)
_LEADING = re.compile(
    r"(?:(?:\[[^\]]{0,80}\]|\([^)]{0,80}\)|\d+|---|-|[|:])\s+){0,6}(?:\[?(?:TRACE|DEBUG\d?|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL)\]?:?\s+)?"
)
_EXCEPTION = re.compile(
    r"(?:(?:Uncaught|Unhandled|UnhandledPromiseRejection\w*:?|\[?error\]?:?)\s+)?(?:[\w$]{1,80}\.){0,12}"
    r"[A-Z]?[\w$]{0,80}(?:Error|Exception|Interrupt|Exit|Warning)(?: \[[\w-]{1,60}\])?(?::\s.*|$)",
    re.DOTALL,
)
_CRASHED = (
    "Traceback (most recent call last)", "Exception in thread ", "panic: ", "fatal error: ", "goroutine ",
    "Segmentation fault", "thread '", "terminate called", "Unhandled exception", "FATAL ERROR:",
)  # fmt: skip


def glog(line: str, context: Context) -> Parsed | None:
    """`E1123 05:54:25.123456   12 file.go:34] message`, of Google's libraries and Kubernetes."""
    found = _GLOG.match(line[:LONGEST])
    if found is None:
        return None
    letter, month, day, hour, minute, second, fraction, _, message = found.groups()
    time = times.without_year(context.now, int(month), int(day), int(hour), int(minute), int(second), fraction)
    return Parsed(time, levels.LETTERS[letter], message)


def ruby(line: str, _: Context) -> Parsed | None:
    """`E, [2026-11-23T05:54:25.123456 #12] ERROR -- : message`, Ruby's Logger::Formatter."""
    found = _RUBY.match(line[:LONGEST])
    return None if found is None else Parsed(times.stamp(found[2]), levels.LETTERS.get(found[1]), found[3])


def python(line: str, _: Context) -> Parsed | None:
    """`ERROR:root:message` (logging's default), `INFO:     message` (uvicorn)."""
    found = _PYTHON.match(line[:LONGEST])
    if found is None:
        return None
    return Parsed(None, *_answered(levels.by_name(found[1]), found[2].strip()))


def stamped(line: str, context: Context) -> Parsed | None:
    """Any line that begins with a time of ISO 8601; its level is what loggers write near the beginning."""
    found = _STAMPED.match(line[:LONGEST])
    if found is None:
        return None
    level, message = _level_and_message(found[2])
    if level is None and found[2] and (inside := context.inner(found[2])) is not None and inside.time is None:
        level, message = inside.level, inside.message
    return Parsed(times.stamp(found[1]), level, message)


def hours(line: str, context: Context) -> Parsed | None:
    """`05:54:25.123 [main] ERROR Foo - message`: a time of day alone."""
    found = _HOURS.match(line[:LONGEST])
    if found is None:
        return None
    level, message = _level_and_message(found[5])
    return Parsed(times.of_day(context.now, int(found[1]), int(found[2]), int(found[3]), found[4]), level, message)


def tomcat(line: str, _: Context) -> Parsed | None:
    """`23-Nov-2026 05:54:25.123 SEVERE [main] message`, of Tomcat's OneLineFormatter."""
    found = _TOMCAT.match(line[:LONGEST])
    month = None if found is None else times.month(found[2])
    if found is None or month is None:
        return None
    day, _name, year, hour, minute, second, fraction, rest = found.groups()
    time = times.moment(int(year), month, int(day), int(hour), int(minute), int(second), fraction, None)
    return Parsed(time, *_level_and_message(rest))


def ctime(line: str, _: Context) -> Parsed | None:
    """`Mon Nov 23 05:54:25 2026 message`, the time as of asctime(3)."""
    found = _CTIME.match(line[:LONGEST])
    month = None if found is None else times.month(found[1])
    if found is None or month is None:
        return None
    _name, day, hour, minute, second, year, rest = found.groups()
    time = times.moment(int(year), month, int(day), int(hour), int(minute), int(second), None, None)
    return Parsed(time, *_level_and_message(rest))


def nest(line: str, _: Context) -> Parsed | None:
    """`[Nest] 12  - 11/23/2026, 5:54:25 AM   ERROR [Ex] message`, of NestJS's ConsoleLogger."""
    found = _NEST.match(line[:LONGEST])
    if found is None:
        return None
    month, day, year, hour, minute, second, half, level, message = found.groups()
    of_day = int(hour) % 12 + (12 if half == "P" else 0)
    time = times.moment(int(year), int(month), int(day), of_day, int(minute), int(second), None, None)
    return Parsed(time, levels.by_name(level), message)


def levelled(line: str, _: Context) -> Parsed | None:
    """A line that begins with a level."""
    found = _LEVELLED.match(line[:LONGEST])
    level = (
        None if found is None else levels.by_name(found["boxed"] or found["upper"] or found["npm"] or found["colon"])
    )
    return None if found is None or level is None else Parsed(None, level, found["rest"])


def crashed(line: str, _: Context) -> Parsed | None:
    """The first line of what a language's runtime writes about an exception that nobody caught."""
    line = line[:LONGEST]
    if line.startswith(_CRASHED) and (not line.startswith("thread '") or " panicked" in line):
        return Parsed(None, Level.CRITICAL if line.startswith(("Segmentation", "FATAL")) else Level.ERROR, line)
    if is_exception(line):
        return Parsed(None, Level.WARNING if "Warning:" in line else Level.ERROR, line)
    return None


def is_exception(line: str) -> bool:
    """Whether a line names an exception as runtimes do: `ValueError: …`, `java.io.IOException: …`, `Error: …`."""
    return _EXCEPTION.match(line[:LONGEST]) is not None


def _level_and_message(rest: str) -> tuple[Level | None, str]:
    level = levels.marked(rest)
    start = _LEADING.match(rest)
    message = rest[start.end() :] if start is not None and level is not None else rest
    return _answered(level, message or rest)


def _answered(level: Level | None, message: str) -> tuple[Level | None, str]:
    """A line about a request (uvicorn's, for one) is as bad as its status."""
    found = _ANSWERED.search(message)
    if found is None:
        return level, message
    status = levels.by_status(int(found[2]))
    worse = status if level is None or status.rank > level.rank else level
    return worse, f"HTTP {found[2]} for {found[1]}"


GLOG = Format("glog", glog, "IWEFD")
RUBY = Format("Ruby's Logger", ruby, "DIWEFA")
PYTHON = Format("Python's logging", python, "DIWEC")
TOMCAT = Format("Tomcat", tomcat, DIGITS)
CTIME = Format("lines with a time of asctime", ctime, "MTWFS")
NEST = Format("NestJS", nest, "[")
STAMPED = Format("lines with a time", stamped, DIGITS + "[(")
HOURS = Format("lines with a time of day", hours, DIGITS + "[(")
LEVELLED = Format("lines with a level", levelled)
CRASHED = Format("exceptions", crashed)
