"""The entry of the program."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    from homeport.cli.run import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
