"""logfmt: `time=… level=… msg="…"`, as of Heroku, Go's logrus and slog, Prometheus, Grafana."""

from __future__ import annotations

import re

from homeport.logs import levels, times
from homeport.logs.formats.kind import LONGEST, Context, Format, Parsed

_PAIR = re.compile(r'([A-Za-z_@][\w.@/-]{0,63})=("(?:[^"\\]|\\.){0,4096}"|[^\s"]{0,2048})(?=\s|$)\s*')
_TIMES, _LEVELS, _MESSAGES = ("time", "ts", "t", "timestamp", "at"), ("level", "lvl", "severity"), ("msg", "message")
_FEWEST = 2


def parse(line: str, _: Context) -> Parsed | None:
    """A line of nothing but pairs at its beginning, one of which is a time, a level or a message."""
    pairs: dict[str, str] = {}
    position = 0
    line = line[:LONGEST]
    while (found := _PAIR.match(line, position)) is not None:
        value = found[2]
        if value.startswith('"'):
            value = value[1:-1].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        pairs.setdefault(found[1].lower(), value)
        position = found.end()
    if len(pairs) < _FEWEST:
        return None
    time = next((moment for key in _TIMES if (moment := times.stamp(pairs.get(key, ""))) is not None), None)
    level = next((one for key in _LEVELS if (one := levels.by_name(pairs.get(key, ""))) is not None), None)
    message = next((pairs[key] for key in _MESSAGES if key in pairs), None)
    if time is None and level is None and message is None:
        return None
    error = pairs.get("err") or pairs.get("error")
    said = line if message is None else message
    return Parsed(time, level, f"{said} — {error}" if error and message is not None else said)


FORMAT = Format("logfmt", parse)
