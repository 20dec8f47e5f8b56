"""Configuration read line by line, in a time that grows with its length alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

EQUALS = r"\s{0,9}=\s{0,9}"
"""What stands between a name and its value in the kind of file that Windows made common."""
_LONGEST = 1000
"""Characters of a line of configuration that are looked at."""
_VALUE = r"(?:\"(?P<d>[^\"\n]*)\"|'(?P<s>[^'\n]*)'|(?P<b>[^\s;#\"']{1,600}))"


def directives(text: str, names: str, separator: str = r"\s+") -> Iterator[tuple[str, str, str]]:
    """(name, value, line) of the directives that are no comments; a line of nginx may hold several."""
    pattern = re.compile(rf"\s{{0,80}}(?P<name>{names}){separator}{_VALUE}")
    for line in text.split("\n"):
        line = line[:_LONGEST].strip()
        if line.startswith(("#", ";")):
            continue
        for statement in re.split(r";|(?<!\$)\{|(?<!\w)\}", re.split(r"(?:^|\s)#", line, maxsplit=1)[0]):
            found = pattern.match(statement)
            if found is not None:
                yield found["name"], found["d"] or found["s"] or found["b"] or "", line[:200]


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(name, text) of each `[name]` of a file."""
    name: str | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        stripped = line[:_LONGEST].strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            if name is not None:
                yield name, "\n".join(lines)
            name, lines = stripped[1:-1].strip(), []
        else:
            lines.append(line)
    if name is not None:
        yield name, "\n".join(lines)
