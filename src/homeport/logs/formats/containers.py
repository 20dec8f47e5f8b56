"""The files that conmon (k8s-file), containerd and CRI-O write."""

from __future__ import annotations

import re

from homeport.logs import times
from homeport.logs.formats.kind import DIGITS, Context, Format, Parsed, enveloped

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\S{8,40}) (stdout|stderr) ([FP])(?::\S{0,80})? ?(.*)", re.DOTALL)


def parse(line: str, context: Context) -> Parsed | None:
    """`2026-11-23T05:54:25.123456789+00:00 stdout F message`; P marks a part of a longer line."""
    found = _LINE.match(line)
    if found is None:
        return None
    inside = enveloped(found[4], times.stamp(found[1]), context, stream=found[2])
    return inside._replace(partial=found[3] == "P")


FORMAT = Format("CRI", parse, DIGITS)
