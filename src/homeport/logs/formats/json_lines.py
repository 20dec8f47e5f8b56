"""JSON objects, one a line: pino, bunyan, winston, structlog, zap, zerolog, slog, python-json-logger, Docker."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from homeport.logs import levels, times
from homeport.logs.formats.kind import Context, Format, Parsed, enveloped
from homeport.model.logs import Level

_TIMES = ("time", "timestamp", "@timestamp", "ts", "t", "datetime", "date", "asctime", "@t", "eventTime", "created")
_LEVELS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "level_name", "@l", "priority")
_MESSAGES = ("msg", "message", "event", "text", "short_message", "@m", "@mt", "body")
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
    if level is None and isinstance(status := top.get("status"), int) and 100 <= status < 600:
        level = levels.by_status(status)
    if time is None and level is None and message is None:
        return None
    said = " — ".join(dict.fromkeys(one for one in (message, error) if one))
    return Parsed(time, level, said)


def _time(value: object) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return times.of_number(value)
    return times.stamp(value) if isinstance(value, str) else None


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
