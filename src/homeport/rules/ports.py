"""What a port number means on paper: the ranges of RFC 6335, IANA's services, and what browsers refuse."""

from __future__ import annotations

from datetime import date

from homeport.errors import WireError
from homeport.model.explanation import PortRange, RegisteredService

DYNAMIC = (49152, 65535)
"""IANA's Dynamic Ports, both ends included (RFC 6335 §6): what RFC 6056 would have kernels choose from, at least."""

BAD_PORTS = frozenset((
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
    109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526,
    530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045,
    4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
))  # fmt: skip
"""The bad ports of the Fetch standard ("port blocking"): a browser answers with ERR_UNSAFE_PORT and sends nothing."""

JETDIRECT = frozenset((515, *range(9100, 9108)))
"""Where printers listen (LPD, RFC 1179; raw printing): whatever is sent there may be printed."""


def range_of(port: int) -> PortRange:
    """System, User or Dynamic, by RFC 6335 §6."""
    if port < 1024:
        return PortRange.SYSTEM
    return PortRange.USER if port < DYNAMIC[0] else PortRange.DYNAMIC


def registry_date(registry: str) -> date:
    """The date in the head of the data file. Raises WireError where there is none."""
    for line in registry[:2000].splitlines():
        if line.startswith("# date: "):
            try:
                return date.fromisoformat(line.removeprefix("# date: ").strip())
            except ValueError as error:
                raise WireError("the service registry has a date that is none") from error
    raise WireError("the service registry has no date")


def services(registry: str, port: int) -> tuple[RegisteredService, ...]:
    """The services of a port: one for each protocol and name, in the registry's order.

    `registry` is the data file: lines of port, protocols, name and description, ordered by port; only the lines of the
    port are read.
    """
    found = []
    start = registry.find(f"\n{port}\t")
    while start >= 0:
        line, _, _ = registry[start + 1 : start + 1000].partition("\n")
        fields = line.split("\t")
        if len(fields) != 4 or fields[0] != str(port):
            break
        _, protocols, name, description = fields
        found += [
            RegisteredService(name=name, protocol=one, description=description or None) for one in protocols.split(",")
        ]
        start += len(line) + 1
    return tuple(found)


def in_ranges(text: str, port: int) -> bool:
    """Whether a port stands in a list such as ip_local_reserved_ports has: `8080,9000-9100`."""
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        last = last or first
        if first.isdecimal() and last.isdecimal() and int(first[:9]) <= port <= int(last[:9]):
            return True
    return False


def ephemeral_notes(port: int, ephemeral: tuple[int, int] | None, reserved: bool | None) -> tuple[str, ...]:
    """What the range from which this kernel chooses ports means for one of them."""
    if ephemeral is None:
        return ()
    low, high = ephemeral
    found = []
    if ephemeral != DYNAMIC:
        found.append(
            f"this kernel chooses ports from {low}-{high}; IANA has {DYNAMIC[0]}-{DYNAMIC[1]} for that (RFC 6335 §6)"
        )
    if low <= port <= high and not reserved:
        found.append(
            "the kernel may take it for an outgoing connection, and a server that starts then finds it in use; "
            "net.ipv4.ip_local_reserved_ports keeps it free"
        )
    return tuple(found)


def mistyped(typed: int, meant: int) -> bool:
    """Whether two numbers differ as fingers slip: one digit is another, too many or missing, or two are swapped.

    So do those of a server that takes the next number where its own is taken, mostly.
    """
    one, other = sorted((str(typed), str(meant)), key=len)
    if typed == meant or len(other) - len(one) > 1:
        return False
    if len(one) < len(other):
        return any(other[:at] + other[at + 1 :] == one for at in range(len(other)))
    wrong = [at for at in range(len(one)) if one[at] != other[at]]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        return one[wrong[0]] == other[wrong[1]] and one[wrong[1]] == other[wrong[0]]
    return len(wrong) == 1
