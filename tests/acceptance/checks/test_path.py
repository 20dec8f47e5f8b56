"""What lies between the client and the listener: rules of the firewall, in network namespaces of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.checks.cases import case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import (
    BOTH,
    Namespace,
    commands,
    follow,
    free_ports,
    namespace,
    serving,
    tool,
    with_hosts,
)

Diagnosis = dict[str, Any]
QUICK = ("--timeout", "2")
PORT = free_ports(1)[0]
OTHER = PORT + 1


@pytest.fixture(scope="module")
def apart() -> Iterator[Namespace]:
    """A namespace with a server on 127.0.0.1 and an address 10.83.9.1 of its own."""
    with namespace() as there:
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.9.1/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        there.run("ip", "link", "set", "hp1", "up")
        with serving("0.0.0.0", PORT, prefix=there.prefix):
            yield there


@pytest.fixture
def there(apart: Namespace) -> Iterator[Namespace]:
    """The same, without rules before and after."""
    yield apart
    apart.run(tool("nft"), "flush", "ruleset")


def load(there: Namespace, hook: str, *rules: str, policy: str = "accept", before: str = "") -> None:
    """Load a chain of a hook, `before` it what else the table has; PORT stands for the server's port."""
    lines = (
        "table inet filter {", before,
        f"chain {hook} {{", f"type filter hook {hook} priority 0; policy {policy};", *rules, "}", "}", "",
    )  # fmt: skip
    text = "\n".join(lines).replace("PORT", str(PORT)).replace("OTHER", str(OTHER))
    there.run(tool("nft"), "-f", "-", given=text)


def asked(check: Check, there: Namespace, address: str = "127.0.0.1") -> Diagnosis:
    """What a client in the namespace is told."""
    return check(f"http://{address}:{PORT}/", *QUICK, prefix=there.prefix)


def cured(check: Check, there: Namespace, start: str = "nft delete rule") -> tuple[Diagnosis, Diagnosis]:
    """Before and after the remedy that starts so, carried out as printed."""
    found = asked(check, there)
    follow(commands(found, start)[0], prefix=there.prefix)
    return found, asked(check, there)


# dropped


@case("firewall-drop", "nftables: an input rule drops the port", cured=True)
def test_input_drop(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "tcp dport PORT drop")
    found, after = cured(check, there)
    assert f"tcp dport {PORT} drop" in found["cause"]
    assert "inet table filter, chain input" in found["cause"]
    assert found["fault"] == "machine"
    assert found["confidence"] == "certain"
    return found, after


@case("firewall-drop", "nftables: an output rule drops the port", cured=True)
def test_output_drop(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "output", "tcp dport PORT drop")
    return cured(check, there)


@case("firewall-drop", "nftables: a rule drops what comes in by lo", cured=True)
def test_drop_by_interface(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "iifname lo tcp dport PORT drop")
    return cured(check, there)


@case("firewall-drop", "nftables: the policy of input is drop, and nothing accepts the port", cured=True)
def test_policy_drop(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "ct state established,related accept", "tcp dport 22 accept", policy="drop")
    found, after = cured(check, there, "nft insert rule")
    assert "policy" in found["cause"]
    return found, after


@case("firewall-drop", "nftables: a set of dropped ports has the port", cured=True)
def test_drop_by_a_set(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(
        there, "input", "tcp dport @closed drop", before="set closed { type inet_service; elements = { PORT, OTHER } }"
    )
    return cured(check, there, "nft insert rule")


@case("firewall-drop", "nftables: a chain that input jumps to drops the port", cured=True)
def test_drop_after_a_jump(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "iifname lo jump local", before="chain local {\n tcp dport PORT drop\n}")
    return cured(check, there)


@case("firewall-drop", "iptables: an INPUT rule drops the port", cured=True)
def test_iptables_drop(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    there.run(tool("iptables-nft"), "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "DROP")
    return cured(check, there, "iptables -I INPUT")


@case("firewall-drop", "iptables-legacy: an INPUT rule drops the port", cured=True)
def test_iptables_legacy_drop(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    there.run(tool("iptables-legacy"), "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "DROP")
    return cured(check, there, "iptables-legacy -D INPUT")


@case("firewall-drop", "nftables: the answers of the port are dropped on their way out", near="unknown", cured=True)
def test_answers_dropped(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "output", "tcp sport PORT drop")
    return cured(check, there, "nft insert rule")


@case("ok", "nftables: a rule drops another port", near="firewall-drop")
def test_drop_of_another_port(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "tcp dport OTHER drop")
    return asked(check, there)


@case("ok", "nftables: a rule only counts the port", near="firewall-drop")
def test_counter(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "tcp dport PORT counter")
    return asked(check, there)


@case("ok", "nftables: a rule that drops the port stands in a chain that nothing jumps to", near="firewall-drop")
def test_unrelated_chain(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", before="chain unused {\n tcp dport PORT drop\n}")
    return asked(check, there)


@case("ok", "nftables: a rule accepts the port before another drops it", near="firewall-drop")
def test_accepted_before(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "tcp dport PORT accept", "tcp dport PORT drop")
    return asked(check, there)


@case("ok", "nftables: a rule drops the port for what comes in by another interface", near="firewall-drop")
def test_drop_by_another_interface(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "iifname hp0 tcp dport PORT drop")
    return asked(check, there)


@case("ok", "nftables: the policy is drop, and lo is accepted", near="firewall-drop")
def test_loopback_accepted(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "iif lo accept", policy="drop")
    return asked(check, there)


@case("nothing-listens", "nftables: a port is dropped that nobody listens on anyway", near="firewall-drop")
def test_dropped_and_empty(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "tcp dport OTHER drop")
    return check(f"http://127.0.0.1:{OTHER}/", *QUICK, prefix=there.prefix)


# rejected


@case("firewall-reject", "nftables: an input rule rejects the port with a reset", cured=True)
def test_reject_with_reset(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "tcp dport PORT reject with tcp reset")
    found, after = cured(check, there)
    assert "tcp reset" in found["cause"]
    return found, after


@case("firewall-reject", "nftables: an input rule rejects the port by ICMP", cured=True)
def test_reject_by_icmp(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "tcp dport PORT reject")
    return cured(check, there)


@case("firewall-reject", "nftables: an output rule rejects the port, asked on the address of an interface", cured=True)
def test_output_reject(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "output", "ip daddr 10.83.9.1 tcp dport PORT reject with icmpx admin-prohibited")
    found = asked(check, there, "10.83.9.1")
    follow(commands(found, "nft delete rule")[0], prefix=there.prefix)
    return found, asked(check, there, "10.83.9.1")


@case("firewall-reject", "iptables: an INPUT rule rejects the port", cured=True)
def test_iptables_reject(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    there.run(tool("iptables-nft"), "-A", "INPUT", "-p", "tcp", "--dport", str(PORT), "-j", "REJECT")
    return cured(check, there, "iptables -D INPUT")


@case("ok", "nftables: a rule rejects the port on another address", near="firewall-reject")
def test_reject_on_another_address(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "ip daddr 10.83.9.1 tcp dport PORT reject")
    return asked(check, there)


@case("nothing-listens", "a port that nobody has, refused by the kernel itself", near="firewall-reject")
def test_refused_by_the_kernel(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "tcp dport PORT reject")
    return check(f"http://127.0.0.1:{OTHER}/", *QUICK, prefix=there.prefix)


@case("firewall-drop", "nftables: ::1 is dropped, which clients of localhost try before 127.0.0.1", cured=True)
def test_first_address_dropped(check: Check, there: Namespace, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "ip6 daddr ::1 tcp dport PORT drop")
    words = (f"http://localhost:{PORT}/", *QUICK)
    prefix = (*there.prefix, *with_hosts(tmp_path, BOTH))
    found = check(*words, prefix=prefix)
    follow(commands(found, "nft delete rule")[0], prefix=there.prefix)
    return found, check(*words, prefix=prefix)


@case("firewall-drop", "nftables: datagrams to a UDP socket are dropped", near="ok")
def test_udp_drop(check: Check, there: Namespace) -> Diagnosis:
    load(there, "input", "udp dport OTHER drop")
    with serving("127.0.0.1", OTHER, "http", "udp", prefix=there.prefix):
        return check(f":{OTHER}/udp", *QUICK, prefix=there.prefix)


@case("firewall-drop", "nftables: a rule of another namespace, asked from outside with --from", cured=True)
def test_rule_of_another_namespace(check: Check, there: Namespace) -> tuple[Diagnosis, Diagnosis]:
    load(there, "input", "tcp dport PORT drop")
    words = (f"http://127.0.0.1:{PORT}/", *QUICK, "--from", there.name)
    found = check(*words)
    follow(commands(found, f"ip netns exec {there.name} nft delete rule")[0])
    return found, check(*words)


# what cannot be told


@case("unknown", "packets vanish without a rule: an IPsec policy blocks them", near="firewall-drop")
def test_vanishing_packets(check: Check) -> Diagnosis:
    with namespace() as there, serving("127.0.0.1", PORT, prefix=there.prefix):
        there.run("sysctl", "-q", "net.ipv4.conf.lo.disable_policy=0")
        there.run("ip", "xfrm", "policy", "add", "src", "127.0.0.1", "dst", "127.0.0.1", "dir", "in", "action", "block")
        found = asked(check, there)
    assert found["fault"] == "unknown"
    assert found["confidence"] == "possible"
    return found


@case("loopback-down", "a namespace that was just made, in which lo is down", cured=True)
def test_loopback_down(check: Check) -> tuple[Diagnosis, Diagnosis]:
    with namespace() as there, serving("127.0.0.1", PORT, prefix=there.prefix):
        there.run("ip", "link", "set", "lo", "down")
        return cured(check, there, "ip ")


@case("loopback-down", "lo is down, and the address of another interface is asked, from outside", cured=True)
def test_loopback_down_for_other_addresses(check: Check) -> tuple[Diagnosis, Diagnosis]:
    with namespace() as there, serving("0.0.0.0", PORT, prefix=there.prefix):
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.9.1/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        there.run("ip", "link", "set", "hp1", "up")
        there.run("ip", "link", "set", "lo", "down")
        words = (f"http://10.83.9.1:{PORT}/", *QUICK, "--from", there.name)
        found = check(*words)
        assert there.name in found["cause"]
        follow(commands(found, "ip -n ")[0])
        return found, check(*words)


@case("other-family", "IPv6 is switched off for loopback, and [::1] is asked", near="not-this-machine", cured=True)
def test_family_off(check: Check) -> tuple[Diagnosis, Diagnosis]:
    with namespace() as there, serving("::", PORT, prefix=there.prefix):
        there.run("sysctl", "-q", "-w", "net.ipv6.conf.lo.disable_ipv6=1")
        words = (f"http://[::1]:{PORT}/", *QUICK, "--from", there.name)
        found = check(*words)
        assert "switched off" in found["cause"]
        follow(commands(found, f"ip netns exec {there.name} sysctl")[0])
        return found, check(*words)


@case("nothing-listens", "IPv6 is switched off for loopback, and nobody has the port", near="not-this-machine")
def test_family_off_and_nobody(check: Check) -> Diagnosis:
    with namespace() as there:
        there.run("sysctl", "-q", "-w", "net.ipv6.conf.lo.disable_ipv6=1")
        return check(f"http://[::1]:{free_ports(1)[0]}/", *QUICK, "--from", there.name)


def test_one_rule_is_shown_as_evidence(check: Check, there: Namespace) -> None:
    load(there, "input", "tcp dport PORT drop")
    found = asked(check, there)
    assert any(f"tcp dport {PORT} drop" in one["text"] for one in found["evidence"])
    layers = {one["layer"]: one["outcome"] for one in found["observations"]}
    assert layers["listener"] == "ok"
    assert layers["firewall"] == "failed"
    assert layers["connect"] == "failed"
    assert found["seconds"] < 2 + 2
