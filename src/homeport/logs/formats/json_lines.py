"""JSON objects, one a line: pino, bunyan, winston, structlog, zap, zerolog, slog, python-json-logger, Docker."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from homeport.logs import levels, times
from homeport.logs.formats.kind import Context, Format, Parsed, enveloped
from homeport.model.logs import Level

_TIMES = ("time", "timestamp", "@timestamp", "ts", "t", "datetime", "date", "asctime", "@t", "eventTime", "created",
          "time_iso8601", "time_local", "msec")  # fmt: skip
_LEVELS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "level_name", "@l", "priority",
           "error_severity")  # fmt: skip
_MESSAGES = ("msg", "message", "event", "text", "short_message", "@m", "@mt", "body")
_STATUSES = ("status", "status_code", "statusCode", "response_status", "http.response.status_code", "RequestStatus")
_REQUESTS = ("request", "req", "request_uri", "uri", "url", "path")
_METHODS = ("method", "request_method", "http_method", "verb")
_ERRORS = ("err", "error", "exception", "exc_info", "stack")


def parse(line: str, context: Context) -> Parsed | None:
    """A line that is one JSON object and says a time, a level or a message."""
    if not line.startswith("{") or not line.rstrip().endswith("}"):
        return None
    try:
        top = json.loads(line)
    except (ValueError, RecursionError):  # cut off, or another language with braces
        return None
    if not isinstance(top, dict):
        return None
    if isinstance(top.get("log"), str) and isinstance(top.get("time"), str) and "stream" in top:
        text = top["log"]  # Docker's json-file: a line without its newline is a part of a longer one
        found = enveloped(text.rstrip("\n"), times.stamp(top["time"]), context, stream=str(top["stream"])[:16])
        return found._replace(partial=not text.endswith("\n"))
    if "__REALTIME_TIMESTAMP" in top:
        return _journal(top, context)
    return read(top)


def _journal(top: dict[str, Any], context: Context) -> Parsed:
    """A record of `journalctl -o json` (systemd.journal-fields(7)); a message that is no UTF-8 is a list of bytes."""
    stamp, priority, said = top["__REALTIME_TIMESTAMP"], str(top.get("PRIORITY", "")), top.get("MESSAGE")
    if isinstance(said, list):
        said = bytes(one & 0xFF for one in said if isinstance(one, int)).decode("utf-8", "surrogateescape")
    time = times.of_number(int(stamp)) if isinstance(stamp, str) and stamp.isdigit() and len(stamp) < 20 else None
    found = enveloped(said if isinstance(said, str) else "", time, context)
    level = levels.severity(int(priority)) if priority.isdigit() and len(priority) == 1 else None
    if level is not None and (found.level is None or level.rank > Level.NOTICE.rank):
        found = found._replace(level=level)
    return found


def read(top: dict[str, Any]) -> Parsed | None:
    """What the fields of an object say."""
    time = next((moment for key in _TIMES if (moment := _time(top.get(key))) is not None), None)
    level = next((named for key in _LEVELS if (named := _level(top.get(key))) is not None), None)
    message = next((value for key in _MESSAGES if isinstance(value := top.get(key), str)), None)
    error = next((told for key in _ERRORS if (told := _error(top.get(key))) is not None), None)
    status = next((code for key in _STATUSES if (code := _status(top.get(key))) is not None), None)
    if status is not None:
        level = level or levels.by_status(status)
        message = message or _request(top, status)
    if time is None and level is None and message is None:
        return None
    said = " — ".join(dict.fromkeys(one for one in (message, error) if one))
    return Parsed(time, level, said)


def _status(value: object) -> int | None:
    """An HTTP status, as a number or as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 100 <= value < 600 else None


def _request(top: dict[str, Any], status: int) -> str | None:
    """What an access log in JSON says, in the words of other access logs."""
    asked = next((value for key in _REQUESTS if isinstance(value := top.get(key), str) and value), None)
    method = next((value for key in _METHODS if isinstance(value := top.get(key), str) and value), None)
    if asked is None:
        return None
    words = asked.split(" ")
    what = " ".join(words[:-1]) if len(words) == 3 and words[2].startswith("HTTP/") else asked
    return f"HTTP {status} for {what if method is None or ' ' in what else f'{method} {what}'}"


def _time(value: object) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return times.of_number(value)
    return times.stamp(value) or times.common(value) if isinstance(value, str) else None


def _level(value: object) -> Level | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return levels.by_number(value)
    if isinstance(value, dict):  # Elastic's {"log": {"level": …}}, written out
        return _level(value.get("name"))
    return levels.by_name(value) if isinstance(value, str) else None


def _error(value: object) -> str | None:
    if isinstance(value, dict):
        value = value.get("message") or value.get("type") or value.get("stack")
    if not isinstance(value, str):
        return None
    lines = [line for line in value.splitlines() if line.strip()]
    if not lines:
        return None
    return lines[-1] if lines[0].startswith("Traceback") else lines[0]


FORMAT = Format("json", parse, "{")
