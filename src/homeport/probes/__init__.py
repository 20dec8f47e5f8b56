"""The rack of steps that a check takes, from the name down to the service.

To add a step: one file with a `PROBE`, and its place in `PROBES`.
"""

from __future__ import annotations

from homeport.probes import connect, firewall, first_bytes, listener, name, protocol, route, service, tls, upgrade, web
from homeport.probes.kind import Probe, World

__all__ = ["PROBES", "Probe", "World"]

PROBES: tuple[Probe, ...] = (  # in the order in which they are taken; they are told in that of `Layer`
    name.PROBE,
    route.PROBE,
    listener.PROBE,
    firewall.PROBE,
    connect.PROBE,
    first_bytes.PROBE,
    protocol.PROBE,
    tls.PROBE,
    web.PROBE,
    upgrade.PROBE,
    service.PROBE,
)
