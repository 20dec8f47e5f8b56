"""The logs of servers that have a form of their own: nginx, Apache, access logs, PostgreSQL, Redis, MariaDB."""

from __future__ import annotations

import re

from homeport.logs import levels, times
from homeport.logs.formats.kind import DIGITS, LONGEST, Context, Format, Parsed
from homeport.model.logs import Level

_NGINX = re.compile(r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(\w+)\] \d+#\d+: (?:\*\d+ )?(.*)", re.DOTALL)
_APACHE = re.compile(
    r"\[\w{3} (\w{3}) +(\d+) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? (\d{4})\] \[(?:[\w-]+:)?(\w+)\] "
    r"((?:\[[^\]]{0,80}\] ){0,4})(.*)",
    re.DOTALL,
)
_ACCESS = re.compile(
    r"(?P<who>\S{1,256} (?:\S{1,256} )?\S{1,256} \S{0,256} ?)?"
    r"\[(?P<day>\d{1,2})/(?P<month>\w{3})/(?P<year>\d{4})[: ](?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
    r"(?: (?P<zone>[+-]\d{4}))?\] (?P<rest>.*)",
    re.DOTALL,
)
_REQUEST = re.compile(r'"(?P<request>(?:[^"\\]|\\.){0,2048})"\s+(?P<status>[1-5]\d\d)\b')
_POSTGRES = re.compile(
    rf"({times.STAMP})(?: [A-Z]{{3,5}}\b)?(?P<prefix>.{{0,160}}?)\b"
    r"(?P<level>DEBUG[1-5]?|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION)"
    r":  (?P<message>.*)",
    re.DOTALL,
)
_BARE_POSTGRES = re.compile(
    r"(?P<level>LOG|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT):  (?P<message>.*)", re.DOTALL
)
_PREFIXED_POSTGRES = re.compile(
    r"(?P<prefix>.{1,200}?)(?<!\w)"
    r"(?P<level>DEBUG[1-5]|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION)"
    r":  (?P<message>\S.*)",
    re.DOTALL,
)
_SAYS_WHO = re.compile(rf"(?P<time>{times.STAMP})|\[\d+\]|\b\w{{1,63}}@\w{{1,63}}\b|\b(?:user|db)=")
_QUOTED = r'(?:"[^"]{0,400}")?'
_CSV_POSTGRES = re.compile(
    rf"({times.STAMP})(?: [A-Z]{{3,5}})?,{_QUOTED},{_QUOTED},\d*,{_QUOTED},[\da-f.]{{0,40}},\d*,{_QUOTED},"
    r'[^,]{0,60},[^,]{0,40},\d*,([A-Z]{3,9}\d?),\w{5},"((?:[^"]|""){0,4096})',
    re.DOTALL,
)
_ATTACHED = frozenset(("STATEMENT", "DETAIL", "HINT", "CONTEXT", "QUERY", "LOCATION"))
_REDIS = re.compile(r"\d+:[A-Z] (\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? ([.*#-]) (.*)", re.DOTALL)
_REDIS_LEVELS = {".": Level.DEBUG, "-": Level.INFO, "*": Level.NOTICE, "#": Level.WARNING}
_MARIADB = re.compile(rf"({times.STAMP}) \d+ \[(\w+)\] (.*)", re.DOTALL)


def nginx(line: str, _: Context) -> Parsed | None:
    """`2026/11/23 05:54:25 [error] 12#12: *1 message`, see ngx_log.c."""
    found = _NGINX.match(line[:LONGEST])
    if found is None:
        return None
    return Parsed(times.stamp(found[1]), levels.by_name(found[2]), found[3])


def apache(line: str, _: Context) -> Parsed | None:
    """`[Mon Nov 23 05:54:25.123456 2026] [core:error] [pid 1:tid 2] message`, Apache's default ErrorLogFormat."""
    found = _APACHE.match(line[:LONGEST])
    month = None if found is None else times.month(found[1])
    if found is None or month is None:
        return None
    _name, day, hour, minute, second, fraction, year, level, _details, message = found.groups()
    time = times.moment(int(year), month, int(day), int(hour), int(minute), int(second), fraction, None)
    return Parsed(time, levels.by_name(level.rstrip("12345678")), message)


def access(line: str, _: Context) -> Parsed | None:
    """The common and combined log formats with their kin: Apache, nginx, Werkzeug, http.server, Django's runserver."""
    found = _ACCESS.match(line[:LONGEST])
    month = None if found is None else times.month(found["month"])
    if found is None or month is None:
        return None
    day, hour, minute, second = (int(found[name]) for name in ("day", "hour", "minute", "second"))
    time = times.moment(int(found["year"]), month, day, hour, minute, second, None, found["zone"])
    request = _REQUEST.search(found["rest"])
    if request is None:
        code = re.match(r"code ([45]\d\d), message (.*)", found["rest"])  # http.server's log_error
        level = None if code is None else levels.by_status(int(code[1]))
        return Parsed(time, level or levels.marked(found["rest"]), found["rest"])
    status = int(request["status"])
    words = request["request"].split(" ")
    what = " ".join(words[:-1]) if len(words) == 3 and words[2].startswith("HTTP/") else request["request"]
    return Parsed(time, levels.by_status(status), f"HTTP {status} for {what}")


def postgresql(line: str, _: Context) -> Parsed | None:
    """A line of PostgreSQL's stderr log, if its log_line_prefix tells a time, a pid, a user or a database, or nothing.

    Its mark are the two blanks behind the level.
    """
    line = line[:LONGEST]
    found = _POSTGRES.match(line) if line[:1].isdigit() else _BARE_POSTGRES.match(line)
    time = times.stamp(line)
    if found is None and ":  " in line[:220]:
        found = _PREFIXED_POSTGRES.match(line)
        who = None if found is None else _SAYS_WHO.search(found["prefix"])
        if who is None:
            return None
        time = times.stamp(who["time"]) if who["time"] else None
    if found is None:
        return None
    word = found["level"]
    level = Level.CRITICAL if word in ("FATAL", "PANIC") else None if word in _ATTACHED else levels.by_name(word)
    return Parsed(time, level, found["message"], attached=word in _ATTACHED)


def postgresql_csv(line: str, _: Context) -> Parsed | None:
    """A line of PostgreSQL's csvlog; what is quoted may go on in the next lines."""
    found = _CSV_POSTGRES.match(line[:LONGEST])
    if found is None:
        return None
    level = Level.CRITICAL if found[2] in ("FATAL", "PANIC") else levels.by_name(found[2])
    message = found[3].replace('""', '"')
    return Parsed(times.stamp(found[1]), level, message, unclosed=line.count('"') % 2 == 1)


def redis(line: str, _: Context) -> Parsed | None:
    """`12:M 23 Nov 2026 05:54:25.123 # message`, see serverLogRaw of Redis."""
    found = _REDIS.match(line[:LONGEST])
    month = None if found is None else times.month(found[2])
    if found is None or month is None:
        return None
    day, _name, year, hour, minute, second, fraction, sign, message = found.groups()
    time = times.moment(int(year), month, int(day), int(hour), int(minute), int(second), fraction, None)
    return Parsed(time, _REDIS_LEVELS[sign], message)


def mariadb(line: str, _: Context) -> Parsed | None:
    """`2026-11-23  5:54:25 0 [Warning] message`; MySQL writes the same with a `T` and codes in further brackets."""
    found = _MARIADB.match(line[:LONGEST])
    if found is None:
        return None
    level = levels.by_name(found[2])
    return Parsed(times.stamp(found[1]), Level.INFO if found[2].lower() in ("note", "system") else level, found[3])


NGINX = Format("nginx error log", nginx, DIGITS)
APACHE = Format("Apache error log", apache, "[")
ACCESS = Format("access log", access)
POSTGRESQL = Format("PostgreSQL", postgresql)
POSTGRESQL_CSV = Format("PostgreSQL's csvlog", postgresql_csv, DIGITS)
REDIS = Format("Redis", redis, DIGITS)
MARIADB = Format("MariaDB", mariadb, DIGITS)
