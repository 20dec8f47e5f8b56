"""The command `reach`."""

from __future__ import annotations

import click

from homeport.cli.commands import json_option, source_option
from homeport.cli.completion import AddressType


@click.command(
    epilog="""\b
Examples:
  homeport reach 127.0.0.1:62893          can it be used from another machine?
  sudo homeport reach :8080 --prove       computed, then tried"""
)
@click.argument("address", metavar="ADDR", type=AddressType())
@click.option("--prove", is_flag=True, help="Try it too, from a scratch network namespace (root); nothing of it stays.")
@json_option
@source_option
def reach(address: str, prove: bool, as_json: bool, source: str | None) -> int:
    """Who can connect, from where, at which address, and why.

    From the bind address, network namespaces, published ports, the firewall, routes and kernel settings, both there and
    back: for this machine, containers, the network of each interface, and anywhere routed. If other machines cannot:
    what to do, each with its risk. The answer is 1 when nothing listens there, or when a proof disagrees.
    """
    from homeport.cli import reach as face

    return face.show(address, source=source, prove=prove, as_json=as_json)
