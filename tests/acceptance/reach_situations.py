"""The situations of `test_reach.py`: what is made in the box and the inner namespace, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

FORWARDING = ("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1",)
DNAT = {"kind": "nat", "priority": "-100"}
SNAT = {"kind": "nat", "priority": "100"}
V4, V6 = "192.0.2.2", "2001:db8:1::2"
ANY4 = {"address": "0.0.0.0", "port": 8080}
DUAL = {"address": "::", "port": 8080}
LOCAL4 = {"address": "127.0.0.1", "port": 8080}


def chain(hook: str, *rules: str, policy: str = "accept", priority: str = "0", kind: str = "filter") -> str:
    """One table of family inet with one base chain."""
    name = f"{hook}{crc32(repr((rules, priority)).encode())}"
    body = "\n".join(rules)
    return f"""
table inet t{name} {{
chain c {{
type {kind} hook {hook} priority {priority}; policy {policy};
{body}
}}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """`beside`: what must be seen, and computed, from beside the box, by "address:port"; `inside` beside the inner.

    `here`: from the box itself.
    """

    listen: tuple[Mapping[str, Any], ...] = (ANY4,)
    inner: tuple[Mapping[str, Any], ...] = ()
    rules: str = ""
    inner_rules: str = ""
    commands: tuple[str, ...] = ()
    ask: str = ":8080"
    beside: Mapping[str, bool] = field(default_factory=dict)
    inside: Mapping[str, bool] = field(default_factory=dict)
    here: Mapping[str, bool] = field(default_factory=dict)


def at(host: str, port: int = 8080) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


SITUATIONS = {
    "loopback only": Situation(listen=(LOCAL4,), beside={at("127.0.0.1"): False}, here={at("127.0.0.1"): True}),
    "loopback of IPv6 only": Situation(
        listen=({"address": "::1", "port": 8080},), beside={at("::1"): False}, here={at("::1"): True}
    ),
    "wildcard": Situation(beside={at(V4): True, at("127.0.0.1"): False}, here={at(V4): True, at("127.0.0.1"): True}),
    "one address": Situation(listen=({"address": V4, "port": 8080},), beside={at(V4): True}, here={at(V4): True}),
    "wildcard of IPv6 only": Situation(listen=({**DUAL, "v6only": 1},), beside={at(V6): True}, here={at("::1"): True}),
    "dual stack": Situation(
        listen=(DUAL,), beside={at(V6): True, at(V4): True}, here={at("::1"): True, at("127.0.0.1"): True}
    ),
    "IPv6 alone switched off": Situation(
        listen=(DUAL,), commands=("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",),
        beside={at(V4): True}, here={at("127.0.0.1"): True},
    ),
    "loopback with route_localnet": Situation(
        listen=(LOCAL4,), commands=("sysctl -qw net.ipv4.conf.all.route_localnet=1",),
        beside={at("127.0.0.1"): True}, here={at("127.0.0.1"): True},
    ),
    "bound to the network card": Situation(
        listen=({**ANY4, "device": "eth0"},),
        beside={at(V4): False}, here={at(V4): True, at("127.0.0.1"): False},
    ),
    "bound to lo": Situation(
        listen=({**ANY4, "device": "lo"},), beside={at(V4): False}, here={at("127.0.0.1"): True, at(V4): False}
    ),
    "bound to the network card, IPv6": Situation(
        listen=({**DUAL, "device": "eth0"},),
        beside={at(V6): False}, here={at(V6): True, at("::1"): False, at(V4): True},
    ),
    # the firewall, nftables
    "dropped by interface": Situation(
        rules=chain("input", 'iifname "hp*" drop'), beside={at(V4): False}, here={at(V4): True}
    ),
    "accepted by one interface only": Situation(
        rules=chain("input", 'iifname { "lo", "eth0" } accept', policy="drop"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "accepted by a set of sources": Situation(
        rules="table inet s { set good { type ipv4_addr; flags interval; elements = { 198.18.0.0/15, 10.9.0.0/16 }; };"
        " chain c { type filter hook input priority 0; policy drop; ip saddr @good tcp dport 8080 accept; }; }",
        beside={at(V4): True}, here={at(V4): False},
    ),
    "dropped by a set of sources": Situation(
        rules="table ip s { set bad { type ipv4_addr; flags interval; elements = { 198.18.0.0/15 }; };"
        " chain c { type filter hook input priority 0; ip saddr @bad drop; }; }",
        listen=(DUAL,), beside={at(V4): False, at(V6): True}, here={at(V4): True},
    ),
    "dropped by policy, but for lo": Situation(
        rules=chain("input", "iif lo accept", "ct state established accept", policy="drop"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "accepted by an interval of ports": Situation(
        rules=chain("input", "tcp dport { 22, 8000-8100 } accept", "tcp sport 8000-8100 accept", policy="drop"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "just beside an interval of ports": Situation(
        rules=chain("input", "tcp dport { 22, 8081-8100 } accept", policy="drop"), beside={at(V4): False},
        here={at(V4): False},
    ),
    "a verdict map by port": Situation(
        rules=chain("input", "tcp dport vmap { 80 : accept, 8080 : drop }"),
        beside={at(V4): False}, here={at(V4): False},
    ),
    "a verdict map by interface that jumps": Situation(
        rules="table inet j { chain loop { accept; }; chain wild { tcp dport 1-9000 return; drop; };"
        " chain c { type filter hook input priority 0; policy drop;"
        ' iifname vmap { "lo" : jump loop, "hp*" : jump wild };'
        " tcp dport 8080 accept; }; }",
        beside={at(V4): True}, here={at(V4): True},
    ),
    "a goto does not come back": Situation(
        rules="table inet j { chain other { tcp dport 1 accept; };"
        " chain c { type filter hook input priority 0; policy drop;"
        " tcp dport 8080 goto other; tcp dport 8080 accept; }; }",
        beside={at(V4): False}, here={at(V4): False},
    ),
    "rejected with a reset": Situation(
        rules=chain("input", 'iifname != "lo" tcp dport 8080 reject with tcp reset'), beside={at(V4): False},
        here={at(V4): True},
    ),
    "rejected with ICMP": Situation(
        listen=(DUAL,), rules=chain("input", 'iifname != "lo" reject with icmpx admin-prohibited'),
        beside={at(V4): False, at(V6): False}, here={at(V4): True},
    ),
    "IPv6 only rules": Situation(
        listen=(DUAL,), rules=chain("input", "meta nfproto ipv6 tcp dport 8080 drop"),
        beside={at(V4): True, at(V6): False}, here={at("127.0.0.1"): True, at("::1"): False},
    ),
    "a table of family ip": Situation(
        listen=(DUAL,),
        rules="table ip t { chain c { type filter hook input priority 0; policy drop; iif lo accept; }; }",
        beside={at(V4): False, at(V6): True}, here={at("127.0.0.1"): True, at("::1"): True},
    ),
    "new connections dropped": Situation(
        rules=chain("input", "iif lo accept", "ct state new drop"), beside={at(V4): False}, here={at(V4): True}
    ),
    "not tracked, with rules for new ones": Situation(
        rules=chain("prerouting", "tcp dport 8080 notrack", priority="-300")
        + chain("input", "iif lo accept", "ct state { new, established } accept", policy="drop"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "not tracked, with rules without state": Situation(
        rules=chain("prerouting", "notrack", priority="-300") + chain("input", "tcp dport 8080 accept", "iif lo accept",
                                                                      policy="drop"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "accepted early, dropped late": Situation(
        rules=chain("input", "tcp dport 8080 accept", priority="-10")
        + chain("input", 'iifname "hp*" drop', priority="10"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "dropped early, accepted late": Situation(
        rules=chain("prerouting", 'iifname "hp*" tcp dport 8080 drop', priority="-150") + chain("input", "accept"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "marked and accepted by the mark": Situation(
        rules=chain("prerouting", "tcp dport 8080 meta mark set 0x12", priority="-150")
        + chain("input", "meta mark & 0xff == 0x12 accept", "iif lo accept", policy="drop"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "answers dropped": Situation(
        rules=chain("output", 'oifname "hp*" drop'), beside={at(V4): False}, here={at(V4): True}
    ),
    "output by policy, answers allowed": Situation(
        rules=chain("output", "oif lo accept", "ct state established accept", policy="drop"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "a concatenation": Situation(
        rules="table inet k { set s { type ifname . inet_service; elements = { \"lo\" . 8080, \"eth0\" . 8080 }; };"
        " chain c { type filter hook input priority 0; policy drop;"
        " iifname . tcp dport @s accept; ct state established accept; }; }",
        beside={at(V4): False}, here={at(V4): True},
    ),
    "flags of the first packet": Situation(
        rules=chain("input", 'iifname "hp*" tcp flags & (fin|syn|rst|ack) == syn drop'),
        beside={at(V4): False}, here={at(V4): True},
    ),
    # the firewall, iptables
    "iptables-nft, several ports": Situation(
        commands=("iptables-nft -A INPUT -p tcp -i hp+ -m multiport --dports 80,8000:8090 -m comment --comment 'a -j b'"
                  " -j DROP",),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "iptables-nft, state and policy": Situation(
        commands=("iptables-nft -A INPUT -i lo -j ACCEPT", "iptables-nft -A INPUT -m conntrack --ctstate NEW -p tcp"
                  " --dport 8080 -m addrtype --dst-type LOCAL -j ACCEPT", "iptables-nft -P INPUT DROP"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "iptables-legacy drops": Situation(
        commands=("iptables-legacy -A INPUT -i hp+ -p tcp --dport 8080 -j REJECT --reject-with tcp-reset",),
        listen=(DUAL,), beside={at(V4): False, at(V6): True}, here={at(V4): True},
    ),
    "iptables-legacy by policy and chain": Situation(
        commands=("iptables-legacy -N WEB", "iptables-legacy -A WEB -s 198.18.0.0/15 -j ACCEPT",
                  "iptables-legacy -A INPUT -p tcp --dport 8080 -j WEB", "iptables-legacy -P INPUT DROP"),
        beside={at(V4): True}, here={at(V4): False},
    ),
    "ip6tables-legacy alone": Situation(
        commands=("ip6tables-legacy -A INPUT -p tcp --dport 8080 -j DROP",),
        listen=(DUAL,), beside={at(V4): True, at(V6): False}, here={at(V4): True, at("::1"): False},
    ),
    "legacy accepts, nftables drops": Situation(
        commands=("iptables-legacy -A INPUT -p tcp --dport 8080 -j ACCEPT",),
        rules=chain("input", 'iifname "hp*" drop', priority="5"), beside={at(V4): False}, here={at(V4): True},
    ),
    # routes
    "answers prohibited by policy routing": Situation(
        commands=("ip rule add pref 10 to 198.18.0.0/15 prohibit",), beside={at(V4): False}, here={at(V4): True}
    ),
    "order of policy routing": Situation(
        commands=("ip rule add pref 20 to 198.18.0.0/15 prohibit", "ip rule add pref 10 to 198.18.0.0/15 lookup main"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    # translation in one namespace
    "redirected": Situation(
        rules=chain("prerouting", "tcp dport 9090 redirect to :8080", **DNAT),
        beside={at(V4): True, at(V4, 9090): True}, here={at(V4): True, at(V4, 9090): False},
    ),
    "redirected for this machine too": Situation(
        listen=(LOCAL4,),
        rules=chain("output", "tcp dport 9090 redirect to :8080", **DNAT),
        beside={at("127.0.0.1"): False, at(V4, 9090): False}, here={at("127.0.0.1"): True, at(V4, 9090): True},
    ),
    "led to loopback without route_localnet": Situation(
        listen=(LOCAL4,),
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 127.0.0.1:8080", **DNAT),
        beside={at(V4, 9090): False}, here={at("127.0.0.1"): True},
    ),
    "led to loopback with route_localnet": Situation(
        listen=(LOCAL4,), commands=("sysctl -qw net.ipv4.conf.all.route_localnet=1",),
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 127.0.0.1:8080", **DNAT),
        beside={at(V4, 9090): True, at("127.0.0.1"): True}, here={at("127.0.0.1"): True},
    ),
    "led on by a map": Situation(
        rules=chain("prerouting", "meta l4proto tcp redirect to :tcp dport map { 9090 : 8080, 9091 : 8081 }", **DNAT),
        beside={at(V4): True, at(V4, 9090): True}, here={at(V4): True},
    ),
    "filtered after it was led on": Situation(
        rules=chain("prerouting", "tcp dport 9090 redirect to :8080", **DNAT)
        + chain("input", "ct status dnat accept", 'iifname "hp*" tcp dport 8080 drop'),
        beside={at(V4): False, at(V4, 9090): True}, here={at(V4): True},
    ),
    # another namespace
    "another namespace, not forwarded": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080",
        beside={at("10.7.0.2"): False}, inside={at("10.7.0.2"): True}, here={at("10.7.0.2"): True},
    ),
    "another namespace, forwarded": Situation(
        listen=(), inner=(DUAL,), ask="10.7.0.2:8080", commands=FORWARDING,
        beside={at("10.7.0.2"): True, at("fd07::2"): True}, inside={at("10.7.0.2"): True}, here={at("fd07::2"): True},
    ),
    "forwarding dropped by policy": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING, rules=chain("forward", policy="drop"),
        beside={at("10.7.0.2"): False}, inside={at("10.7.0.2"): True}, here={at("10.7.0.2"): True},
    ),
    "loopback of another namespace": Situation(
        listen=(), inner=({**LOCAL4, "port": 18179},), ask=":18179", commands=FORWARDING,
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 10.7.0.2:18179", **DNAT),
        beside={at(V4, 9090): False}, inside={at("127.0.0.1", 18179): False},
    ),
    "led to another namespace": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 10.7.0.2:8080", **DNAT),
        beside={at(V4, 9090): True}, here={at("10.7.0.2"): True},
    ),
    "led to another namespace, only what was led": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("prerouting", "ip daddr 192.0.2.2 tcp dport 9090 dnat ip to 10.7.0.2:8080", **DNAT)
        + chain("forward", "ct state established accept", "ct status dnat accept", policy="drop"),
        beside={at(V4, 9090): True, at("10.7.0.2"): False}, here={at("10.7.0.2"): True},
    ),
    "led to another namespace, and dropped there": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 10.7.0.2:8080", **DNAT),
        inner_rules=chain("input", "ip saddr 10.7.0.0/24 accept", "iif lo accept", policy="drop"),
        beside={at(V4, 9090): False}, here={at("10.7.0.2"): True},
    ),
    "led to another namespace in disguise": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 10.7.0.2:8080", **DNAT)
        + chain("postrouting", 'oifname "ct0" masquerade', **SNAT),
        inner_rules=chain("input", "ip saddr 10.7.0.1 accept", "iif lo accept", policy="drop"),
        beside={at(V4, 9090): True}, here={at("10.7.0.2"): True},
    ),
    "led there from this machine too": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("output", "tcp dport 9090 fib daddr type local dnat ip to 10.7.0.2:8080", **DNAT),
        here={at(V4, 9090): True, at("127.0.0.1", 9090): False}, beside={at(V4, 9090): False},
    ),
    "led there from loopback too": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080",
        commands=(*FORWARDING, "sysctl -qw net.ipv4.conf.all.route_localnet=1"),
        rules=chain("output", "tcp dport 9090 fib daddr type local dnat ip to 10.7.0.2:8080", **DNAT)
        + chain("postrouting", "ip saddr 127.0.0.0/8 oifname ct0 masquerade", **SNAT),
        here={at(V4, 9090): True, at("127.0.0.1", 9090): True},
    ),
}  # fmt: skip

# what the first ones did not have: each was a disagreement once, or stands beside one
LO_INGRESS = 'type filter hook ingress device "lo" priority 0; tcp dport 8080 drop;'
SITUATIONS |= {
    "ingress of another interface": Situation(
        rules='table netdev n { chain c { type filter hook ingress device "eth0" priority 0; policy drop; }; }',
        beside={at(V4): True}, here={at(V4): True},
    ),
    "ingress of lo": Situation(
        rules=f"table netdev n {{ chain c {{ {LO_INGRESS} }}; }}", beside={at(V4): True},
        here={at(V4): False, at("127.0.0.1"): False},
    ),
    "ingress of lo, family inet": Situation(
        rules=f"table inet n {{ chain c {{ {LO_INGRESS} }}; }}", beside={at(V4): True}, here={at(V4): False},
    ),
    "egress of lo": Situation(
        rules="table netdev n { chain c "
        '{ type filter hook egress device "lo" priority 0; tcp sport 8080 drop; }; }',
        beside={at(V4): True}, here={at(V4): False},
    ),
    "a verdict map with a rest": Situation(
        rules="table inet m { map v { type ipv4_addr : verdict; flags interval;"
        " elements = { 198.18.0.0/15 : drop, * : accept }; };"
        " chain c { type filter hook input priority 0; ip saddr vmap @v; }; }",
        beside={at(V4): False}, here={at(V4): True},
    ),
    "a set with timeouts": Situation(
        rules="table inet m { set s { type ipv4_addr . inet_service; flags interval, timeout;"
        " elements = { 198.18.0.0/15 . 8000-8100 timeout 10m }; };"
        " chain c { type filter hook input priority 0; ip saddr . tcp dport @s drop; }; }",
        beside={at(V4): False}, here={at(V4): True},
    ),
    "forwarded by one interface's setting": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=(
            "sysctl -qw net.ipv4.conf.default.forwarding=1 net.ipv4.conf.ct0.forwarding=1",),
        beside={at("10.7.0.2"): True},
    ),
    "forwarded, but not back": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080",
        commands=(*FORWARDING, "sysctl -qw net.ipv4.conf.ct0.forwarding=0"),
        beside={at("10.7.0.2"): False}, here={at("10.7.0.2"): True},
    ),
    "answers prohibited by their port": Situation(
        commands=("ip rule add pref 10 ipproto tcp sport 8080 prohibit",), beside={at(V4): False}, here={at(V4): True}
    ),
    "a blackhole for one port": Situation(
        commands=("ip rule add pref 0 ipproto tcp dport 8080 blackhole", "ip rule del pref 0 lookup local",
                  "ip rule add pref 1 lookup local"),
        beside={at(V4): False}, here={at(V4): False},
    ),
    "answers prohibited by the listener's user": Situation(
        commands=("ip rule add pref 10 uidrange 0-0 prohibit",), beside={at(V4): False}, here={at(V4): True}
    ),
    "answers led astray by a mark": Situation(
        rules=chain("output", "tcp sport 8080 meta mark set 7", kind="route", priority="-150"),
        commands=("ip rule add pref 10 fwmark 7 prohibit",), beside={at(V4): False}, here={at(V4): True},
    ),
    "a mark that comes too late for the route": Situation(
        rules=chain("output", "tcp sport 8080 meta mark set 7"),
        commands=("ip rule add pref 10 fwmark 7 prohibit",), beside={at(V4): True}, here={at(V4): True},
    ),
    "led to a span of ports, each to its own": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=(*FORWARDING,
            "iptables-nft -t nat -A PREROUTING -p tcp --dport 9080:9090"
            " -j DNAT --to-destination 10.7.0.2:8070-8080/9080"),
        beside={at(V4, 9090): True}, here={at("10.7.0.2"): True},
    ),
    "redirected to a span that the port is in": Situation(
        rules=chain("prerouting", "tcp dport 8000-8100 redirect to :8080-8090", **DNAT),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "dropped by the port that was asked": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=(*FORWARDING,
            "iptables-nft -t nat -A PREROUTING -p tcp --dport 9090 -j DNAT --to-destination 10.7.0.2:8080",
            "iptables-nft -A FORWARD -p tcp -m conntrack --ctorigdstport 9090 --ctdir ORIGINAL -j DROP"),
        beside={at(V4, 9090): False, at("10.7.0.2"): True},
    ),
    "accepted by the port that was asked": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=FORWARDING,
        rules=chain("prerouting", "tcp dport 9090 dnat ip to 10.7.0.2:8080", **DNAT)
        + chain("forward", "ct state established accept", "meta l4proto tcp ct original proto-dst 9090 accept",
                policy="drop"),
        beside={at(V4, 9090): True, at("10.7.0.2"): False},
    ),
    "iptables-nft, addresses of the incoming interface": Situation(
        commands=("iptables-nft -A INPUT -i lo -j ACCEPT",
                  "iptables-nft -A INPUT -p tcp -m addrtype ! --dst-type LOCAL --limit-iface-in -j DROP"),
        beside={at(V4): False}, here={at(V4): True},
    ),
    "ip6tables, headers that are not there": Situation(
        commands=("ip6tables-nft -A INPUT -m rt --rt-type 0 -j DROP",), listen=(DUAL,),
        beside={at(V4): True, at(V6): True},
    ),
    "neighbours of IPv6 are not heard": Situation(
        rules=chain("input", "iif lo accept", "ct state established accept", "tcp dport 8080 accept", policy="drop"),
        listen=(DUAL,), beside={at(V4): True, at(V6): False}, here={at(V6): True},
    ),
    "neighbours of IPv6 are heard": Situation(
        rules=chain("input", "iif lo accept", "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
                    "ct state established accept", "tcp dport 8080 accept", policy="drop"),
        listen=(DUAL,), beside={at(V4): True, at(V6): True}, here={at(V6): True},
    ),
    "neighbours of IPv6 are heard, by protocol": Situation(
        rules=chain("input", "iif lo accept", "meta l4proto ipv6-icmp accept", "tcp dport 8080 accept", policy="drop"),
        listen=(DUAL,), beside={at(V4): True, at(V6): True},
    ),
    "neighbours of IPv6 are not answered": Situation(
        rules=chain("output", "icmpv6 type nd-neighbor-advert drop"), listen=(DUAL,),
        beside={at(V4): True, at(V6): False}, here={at(V6): True},
    ),
    "several sockets, the nearest takes it": Situation(
        listen=(ANY4, {"address": V4, "port": 8080}, LOCAL4),
        beside={at(V4): True, at("127.0.0.1"): False}, here={at(V4): True, at("127.0.0.1"): True},
    ),
    "an IPv4-mapped address": Situation(
        listen=({"address": "::ffff:192.0.2.2", "port": 8080},), beside={at(V4): True}, here={at(V4): True}
    ),
    "an address of lo": Situation(
        listen=({"address": "203.0.113.9", "port": 8080},), ask="203.0.113.9:8080",
        commands=("ip addr add 203.0.113.9/32 dev lo",),
        beside={at("203.0.113.9"): True}, here={at("203.0.113.9"): True},
    ),
    "not tracked, both ways": Situation(
        rules=chain("prerouting", "tcp dport 8080 notrack", priority="-300")
        + chain("output", "tcp sport 8080 notrack", priority="-300")
        + chain("input", "iif lo accept", "ct state untracked tcp dport 8080 accept", policy="drop")
        + chain("output", "ct state { established, untracked } accept", "oif lo accept", policy="drop"),
        beside={at(V4): True}, here={at(V4): True},
    ),
    "Docker's rules": Situation(
        listen=(), inner=(ANY4,), ask="10.7.0.2:8080", commands=(*FORWARDING, *(f"iptables-nft {one}" for one in (
            "-t nat -N DOCKER", "-t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
            "-t nat -A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER",
            "-t nat -A DOCKER ! -i ct0 -p tcp -m tcp --dport 9090 -j DNAT --to-destination 10.7.0.2:8080",
            "-t nat -A POSTROUTING -s 10.7.0.0/24 ! -o ct0 -j MASQUERADE",
            "-P FORWARD DROP", "-N DOCKER", "-N DOCKER-USER", "-N ONE", "-N TWO", "-A FORWARD -j DOCKER-USER",
            "-A FORWARD -j ONE", "-A FORWARD -o ct0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A FORWARD -o ct0 -j DOCKER", "-A FORWARD -i ct0 ! -o ct0 -j ACCEPT", "-A FORWARD -i ct0 -o ct0 -j ACCEPT",
            "-A DOCKER -d 10.7.0.2/32 ! -i ct0 -o ct0 -p tcp -m tcp --dport 8080 -j ACCEPT",
            "-A ONE -i ct0 ! -o ct0 -j TWO", "-A ONE -j RETURN", "-A TWO -o ct0 -j DROP", "-A TWO -j RETURN",
            "-A DOCKER-USER -j RETURN"))),
        beside={at(V4, 9090): True, at("10.7.0.2"): True}, inside={at("10.7.0.2"): True},
        here={at(V4, 9090): True, at("127.0.0.1", 9090): False},
    ),
}  # fmt: skip
