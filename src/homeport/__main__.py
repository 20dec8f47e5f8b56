"""The entry of the program."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run the command line; the exit code."""
    # facts are made once and kept to the end: looking for garbage among 100,000 of them only costs time
    gc.disable()
    from homeport.cli.run import run

    code = run(sys.argv[1:])
    _leave(code)
    return code


def _leave(code: int) -> None:
    """End without taking every object apart; only where no thread or exit handler has work left."""
    if "threading" not in sys.modules and "atexit" not in sys.modules and sys.gettrace() is None:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    raise SystemExit(main())
