"""Writing JSON documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def emit(command: str, facts: Mapping[str, object]) -> None:
    r"""Write one document, on one line: `{"schema": "homeport/1", "command": …, …}`.

    Always ASCII: other characters are `\uXXXX` escapes. A byte of the machine that is no UTF-8 (in a file name, in a
    command line) is U+FFFD: as a lone surrogate (PEP 383) it would not be I-JSON (RFC 7493 §2.1), strict readers refuse
    that, and so any user of the machine could spoil the answer. An iterator is written as an array, row by row: a
    hundred thousand of them need not be in memory at once.
    """
    write = sys.stdout.write
    write("{")
    for number, (key, value) in enumerate({"schema": "homeport/1", "command": command, **facts}.items()):
        write(f"{', ' if number else ''}{_text(key)}: ")
        if isinstance(value, Iterator):
            write("[")
            for index, one in enumerate(value):
                write(f"{', ' if index else ''}{_text(one)}")
            write("]")
        else:
            write(_text(value))
    write("}\n")


def _text(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return text if "\\ud" not in text else json.dumps(_without_surrogates(value), ensure_ascii=True, allow_nan=False)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(one) for one in value]
    return value
