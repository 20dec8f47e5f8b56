"""Names that give nothing or something else, and addresses that are not of this machine. With own hosts files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.checks.cases import case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import BOTH, address_of, free_ports, namespace, serving, with_hosts

Diagnosis = dict[str, Any]
QUICK = ("--timeout", "2")


@pytest.fixture
def here() -> int:
    """A port that nothing has."""
    return free_ports(1)[0]


# names


def mended(check: Check, folder: Path, port: int, name: str, hosts: str) -> tuple[Diagnosis, Diagnosis]:
    """With a hosts file, and with the one that the remedy makes of it."""
    with serving("127.0.0.1", port):
        url = f"http://{name}:{port}/"
        found = check(url, *QUICK, prefix=with_hosts(folder, hosts))
        where, _, line = found["remedies"][0]["text"].partition(": ")
        assert where.startswith("in /etc/hosts")
        rest = "".join(f"{each}\n" for each in hosts.splitlines() if name not in each.split())
        return found, check(url, *QUICK, prefix=with_hosts(folder, f"{rest}{line}\n"))


@case("name-resolution", "a name that nobody knows", cured=True)
def test_unknown_name(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    found, after = mended(check, tmp_path, here, "shop.hp-check", BOTH)
    assert "shop.hp-check" in found["cause"]
    assert found["fault"] == "machine"
    return found, after


@case("name-resolution", "a name whose line of the hosts file begins with address and port", cured=True)
def test_port_in_the_hosts_file(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    found, after = mended(check, tmp_path, here, "shop.hp-check", f"{BOTH}127.0.0.1:{here} shop.hp-check\n")
    assert "/etc/hosts:3 has it in vain" in found["cause"]
    return found, after


@case("name-resolution", "localhost, misspelt", cured=True)
def test_misspelt(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    prefix = with_hosts(tmp_path, BOTH)
    with serving("127.0.0.1", here):
        found = check(f"http://locahost:{here}/", *QUICK, prefix=prefix)
        return found, check(found["remedy"].removeprefix("homeport check "), prefix=prefix)


@case("name-resolution", "localhost is another machine's address in the hosts file", cured=True)
def test_localhost_elsewhere(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    found, after = mended(check, tmp_path, here, "localhost", "192.0.2.7 localhost\n")
    assert "192.0.2.7" in found["cause"]
    assert any("/etc/hosts:1" in one["source"] for one in found["evidence"])
    return found, after


@case("name-resolution", "localhost is missing in the hosts file: only clients that know it by themselves find it")
def test_localhost_missing(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with namespace() as there, serving("127.0.0.1", here, prefix=there.prefix):
        prefix = (*there.prefix, *with_hosts(tmp_path, "127.0.0.1 other\n"))
        return check(f"http://localhost:{here}/", *QUICK, prefix=prefix)


@case("nothing-listens", "an unknown name under .localhost, and no server", near="name-resolution")
def test_nothing_at_an_unknown_localhost(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    return check(f"http://shop.localhost:{here}/", *QUICK, prefix=with_hosts(tmp_path, BOTH))


@case("ok", "a name that is this machine and another one: clients try this one first", near="name-resolution")
def test_second_address_elsewhere(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    hosts = f"{BOTH}192.0.2.7 shop.hp-check\n127.0.0.1 shop.hp-check\n"
    with serving("127.0.0.1", here):
        found = check(f"http://shop.hp-check:{here}/", *QUICK, prefix=with_hosts(tmp_path, hosts))
    assert not [one for one in found["observations"] if one["layer"] == "connect" and "192.0.2.7" in one["detail"]]
    return found


@case("ok", "a name of the hosts file that is loopback", near="name-resolution")
def test_name_in_hosts(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with serving("127.0.0.1", here):
        return check(f"http://shop.hp-check:{here}/", prefix=with_hosts(tmp_path, f"{BOTH}127.0.0.1 shop.hp-check\n"))


@case("ok", "a name of the hosts file that is 127.0.1.1, as Debian writes the machine's own", near="name-resolution")
def test_debians_own_name(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with serving("0.0.0.0", here):
        return check(f"http://hp-check:{here}/", prefix=with_hosts(tmp_path, f"{BOTH}127.0.1.1 hp-check\n"))


@case("other-address", "the machine's own name, 127.0.1.1 on Debian, and a server on 127.0.0.1", cured=True)
def test_own_name_and_loopback(check: Check, here: int, tmp_path: Path) -> tuple[Diagnosis, Diagnosis]:
    with serving("127.0.0.1", here):
        prefix = with_hosts(tmp_path, f"{BOTH}127.0.1.1 hp-check\n")
        found = check(f"http://hp-check:{here}/", *QUICK, prefix=prefix)
        return found, check(address_of(found), prefix=prefix)


@case("ok", "localhost of both families, a server on one of them", near="name-resolution")
def test_localhost_of_both(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    with serving("::1", here):
        return check(f"http://localhost:{here}/", prefix=with_hosts(tmp_path, BOTH))


# other machines


@case("not-this-machine", "an address of another machine")
def test_foreign_address(check: Check) -> Diagnosis:
    with namespace() as there:  # without a route out, should anything be sent after all
        found = check("192.0.2.1:80", *QUICK, prefix=there.prefix)
    assert found["fault"] == "client"
    assert not [one for one in found["observations"] if one["layer"] == "connect" and one["outcome"] == "ok"]
    return found


@case("not-this-machine", "a name that is another machine's", near="name-resolution")
def test_name_of_another_machine(check: Check, here: int, tmp_path: Path) -> Diagnosis:
    prefix = with_hosts(tmp_path, f"{BOTH}192.0.2.7 shop.hp-check\n")
    found = check(f"http://shop.hp-check:{here}/", *QUICK, prefix=prefix)
    assert "192.0.2.7" in found["cause"]
    return found


@case("ok", "the address of another network namespace, to which a veth pair leads", near="not-this-machine")
def test_address_of_another_namespace(check: Check, here: int) -> Diagnosis:
    with namespace() as one, namespace() as other:
        one.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1", "netns", other.name)
        for there, device, address in ((one, "hp0", "10.83.11.1/24"), (other, "hp1", "10.83.11.2/24")):
            there.run("ip", "address", "add", address, "dev", device)
            there.run("ip", "link", "set", device, "up")
        with serving("0.0.0.0", here, prefix=other.prefix):
            return check(f"http://10.83.11.2:{here}/", *QUICK, prefix=one.prefix)


@case("ok", "0.0.0.0 as an address to connect to, which is loopback", near="not-this-machine")
def test_unspecified(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here):
        return check(f"http://0.0.0.0:{here}/")


@case("ok", "an IPv4-mapped address of IPv6", near="not-this-machine")
def test_mapped(check: Check, here: int) -> Diagnosis:
    with serving("127.0.0.1", here):
        return check(f"http://[::ffff:127.0.0.1]:{here}/")


@case("ok", "an address of this machine's interface", near="not-this-machine")
def test_own_interface(check: Check, here: int) -> Diagnosis:
    with namespace() as there:
        there.run("ip", "link", "add", "hp0", "type", "veth", "peer", "name", "hp1")
        there.run("ip", "address", "add", "10.83.12.1/24", "dev", "hp0")
        there.run("ip", "link", "set", "hp0", "up")
        with serving("0.0.0.0", here, prefix=there.prefix):
            return check(f"http://10.83.12.1:{here}/", prefix=there.prefix)
