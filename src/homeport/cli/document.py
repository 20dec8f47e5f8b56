"""Writing JSON documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def emit(command: str, facts: Mapping[str, object]) -> None:
    r"""Write one document, on one line: `{"schema": "homeport/1", "command": …, …}`.

    Always ASCII: other characters are `\uXXXX` escapes. A byte of the machine that is no UTF-8 (in a file name, in a
    command line) is U+FFFD: as a lone surrogate (PEP 383) it would not be I-JSON (RFC 7493 §2.1), strict readers refuse
    that, and so any user of the machine could spoil the answer.
    """
    document = {"schema": "homeport/1", "command": command, **facts}
    text = json.dumps(document, ensure_ascii=True, allow_nan=False)
    if "\\ud" in text:
        text = json.dumps(_without_surrogates(document), ensure_ascii=True, allow_nan=False)
    sys.stdout.write(text + "\n")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(one) for one in value]
    return value
