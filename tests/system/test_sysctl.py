from __future__ import annotations

import subprocess

from homeport.system import sysctl


def test_values_as_sysctl_has_them() -> None:
    told = subprocess.run(
        ["sysctl", "-n", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout.split()
    assert sysctl.pair("net", "ipv4", "ip_local_port_range") == (int(told[0]), int(told[1]))
    assert sysctl.number("net", "ipv4", "ip_unprivileged_port_start") == int(told[2])


def test_what_is_not_there_is_none() -> None:
    assert sysctl.read("net", "ipv4", "nosuch") is None
    assert sysctl.number("net", "ipv4", "nosuch") is None
    assert sysctl.pair("net", "ipv4", "nosuch") is None
    assert sysctl.pair("net", "ipv4", "ip_unprivileged_port_start") is None
    assert sysctl.number("net", "ipv4", "ip_local_port_range") is None


def test_no_name_leads_elsewhere() -> None:
    assert sysctl.read("net", "..", "..", "version") is None
    assert sysctl.read("kernel/ostype") is None
    assert sysctl.read("", "kernel") is None
    assert sysctl.read("a\0b") is None
