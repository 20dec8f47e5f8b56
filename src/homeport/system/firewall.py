"""The rules of the packet filter of a network namespace, as `nft` and, where there are some, iptables' own tables tell.

nft shows the rules of iptables-nft too; those that it cannot spell out are asked of `iptables-nft-save`. The tables of
the older kernel interface are asked of `iptables-legacy-save`, but only where the kernel says that there are any:
asking would make them. The programs only read, for at most two seconds each, and need root (CAP_NET_ADMIN).
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.errors import HomeportError, WireError
from homeport.model.firewall import EPHEMERAL, Ruleset, Table
from homeport.model.snapshot import Netns
from homeport.system import procfs, routing, sysctl
from homeport.system.namespaces import inside
from homeport.system.programs import output_of, refused
from homeport.wire import iptables_rules, nft_rules

_LEGACY = {"ip": "iptables-legacy-save", "ip6": "ip6tables-legacy-save"}
_NFT = {"ip": "iptables-nft-save", "ip6": "ip6tables-nft-save"}
ROOT_ONLY = "the firewall's rules (nftables, iptables) were not read: only root may"
_TABLES = frozenset(("filter", "nat", "mangle", "raw", "security"))


def ruleset(netns: Netns | None = None) -> Ruleset:
    """All rules of a namespace, None for the caller's own; what cannot be read makes it not complete."""
    if netns is None or netns.own:
        return _here()
    found = inside([netns], lambda _: _here()).get(netns)
    if isinstance(found, Ruleset):
        return found
    why = found.strerror if isinstance(found, OSError) else "it is gone"
    name = netns.name or netns.inode
    return Ruleset(tables=(), complete=False, limits=(f"the firewall of network namespace {name} was not read: {why}",))


def _here() -> Ruleset:
    limits: list[str] = []
    tables = [*_nftables(limits), *_legacy(limits)]
    try:
        interfaces = routing.interfaces()
    except HomeportError as error:
        interfaces = ()
        limits.append(str(error))
    return Ruleset(
        tables=tuple(tables),
        interfaces=interfaces,
        ephemeral=sysctl.pair("net", "ipv4", "ip_local_port_range") or EPHEMERAL,
        complete=not limits,
        limits=tuple(limits),
    )


def unread(what: str, why: str) -> str:
    """The limit where rules were not read; the same line, whatever they are, where only root may."""
    return ROOT_ONLY if refused(why) else f"{what} were not read: {why}"


def _nftables(limits: list[str]) -> Iterator[Table]:
    text, wrong = output_of("nft", "--json", "list", "ruleset")
    if text is None:
        limits.append(unread("the firewall's rules", wrong))
        return
    try:
        parsed = nft_rules.parse(text)
    except WireError as error:
        limits.append(f"the firewall's rules were not read: {error}")
        return
    tables = parsed.tables
    if any(nft_rules.is_unbound(one) for table in tables for one in table.chains):
        chains, _ = output_of("nft", "list", "chains")  # without it, it stays open whom such a chain concerns
        tables = nft_rules.bound(tables, nft_rules.devices((chains or b"").decode("utf-8", "surrogateescape")))
    for table in tables:
        if (table.family, table.name) in parsed.hidden:
            yield _spelt_out(table)
        else:
            yield table


def _spelt_out(table: Table) -> Table:
    """A table of iptables-nft in iptables' words; where that fails, as nft tells it, with what it hides."""
    program = _NFT.get(table.family)
    if program is None or table.name not in _TABLES:
        return table
    text, _ = output_of(program, "-t", table.name)
    if text is None:
        return table
    found = iptables_rules.parse(text.decode("utf-8", "surrogateescape"), table.family, program)
    return next((one for one in found if one.name == table.name and one.chains), table)


def _legacy(limits: list[str]) -> Iterator[Table]:
    for family, program in _LEGACY.items():
        path = f"/proc/thread-self/net/{family}_tables_names"
        names = procfs.read_text(path)
        if not (names or "").split():
            continue
        text, wrong = output_of(program)
        if text is None:
            limits.append(unread("rules of iptables (legacy)", wrong))
            continue
        yield from iptables_rules.parse(text.decode("utf-8", "surrogateescape"), family, program)
