"""The entry of the program."""

from __future__ import annotations

import gc
import os
import sys


def main() -> int:
    """Run the command line; the exit code."""
    # facts are made once and kept to the end: looking for garbage among 100,000 of them only costs time
    gc.disable()
    try:
        from homeport.cli.run import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while still importing, or on the way out: `run` has an answer for all of the rest
        code = 130
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
