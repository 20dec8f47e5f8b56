"""The entry of the program."""

from __future__ import annotations


def main() -> int:
    """Run the command line."""
    from homeport.cli.main import run

    return run()


if __name__ == "__main__":
    raise SystemExit(main())
