"""Ports of the machine that lead somewhere else."""

from __future__ import annotations

from typing import NamedTuple

from homeport.model.addresses import IPAddress, Protocol
from homeport.model.evidence import Evidence
from homeport.model.owners import Container


class Forward(NamedTuple):
    """One rule or argument that leads the ports `first` to `last` of the machine somewhere else.

    `address`: None for every address of the machine. `target_port` is where `first` leads; with `shifts` the others
    follow one by one, else all lead there; None: not told. `container_id` where the rule names it. `conditions` are
    what else a packet must fulfil, as the rule spells it.
    """

    protocol: Protocol
    address: IPAddress | None
    first: int
    last: int
    target_address: IPAddress | None
    target_port: int | None
    shifts: bool
    container_id: str | None
    conditions: tuple[str, ...]
    evidence: Evidence

    def covers(self, protocol: Protocol, address: IPAddress, port: int) -> bool:
        """Whether it leads what is sent to this endpoint of the machine (or to every address, if that is asked)."""
        if protocol is not self.protocol or not self.first <= port <= self.last:
            return False
        return self.address is None or self.address == address or self.address.is_unspecified or address.is_unspecified

    def target_of(self, port: int) -> int | None:
        """The port that a covered one leads to."""
        if self.target_port is None:
            return None
        target = self.target_port + (port - self.first if self.shifts else 0)
        return target if target < 65_536 else None


class Published(NamedTuple):
    """A port of the machine that leads to a container (None: to what is not known to be one).

    `host_address`: None for every address. `via` is what leads it there: "conmon", "DNAT rule", "docker-proxy" …
    """

    protocol: Protocol
    host_address: IPAddress | None
    host_port: int
    target_address: IPAddress | None
    target_port: int | None
    container: Container | None
    via: str
    conditions: tuple[str, ...]
    evidence: tuple[Evidence, ...]
