"""The commands, as click sees them."""

from __future__ import annotations

import click


@click.group()
def cli() -> None:
    """One look at the addresses and ports of your own machine."""


def run() -> int:
    """Run the command line and return its exit code."""
    cli(standalone_mode=False)
    return 0
