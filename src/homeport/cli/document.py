"""Writing JSON documents."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping


def emit(command: str, facts: Mapping[str, object]) -> None:
    r"""Write one document, on one line: `{"schema": "homeport/1", "command": …, …}`.

    Always ASCII: other characters are `\uXXXX` escapes. A byte of the machine that is no UTF-8 (in a file name, in a
    command line) is a lone surrogate `\udcXX`, as Python's surrogateescape (PEP 383) makes it: nothing is lost.
    """
    document = {"schema": "homeport/1", "command": command, **facts}
    sys.stdout.write(json.dumps(document, ensure_ascii=True, allow_nan=False) + "\n")
