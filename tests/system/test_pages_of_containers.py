"""`homeport ADDR` for published ports and for what containers listen on, with real containers."""

from __future__ import annotations

import functools
import subprocess
from typing import TYPE_CHECKING

import pytest

from homeport.cli.show import lines
from homeport.cli.text import Paint
from homeport.operations.documents.page import document
from homeport.operations.show import show as page_of

if TYPE_CHECKING:
    from tests.system.conftest import Podman

show = functools.partial(page_of, passive=True)  # what is sent is tested where checks are

HTTPD = ("httpd", "-f", "-p", "8643", "-h", "/www")


@pytest.fixture(scope="module")
def web(podman: Podman) -> tuple[str, int, str]:
    """Name, published port, and address of a container that serves on its port 8643."""
    identity = podman.run("page", "-p", "127.0.0.1::8643", command=HTTPD)
    port = int(podman.podman("port", identity, "8643").rpartition(":")[2])
    return f"{podman.prefix}-page", port, podman.podman("inspect", "-f", "{{.NetworkSettings.IPAddress}}", identity)


def test_a_published_port_names_container_and_image(podman: Podman, web: tuple[str, int, str]) -> None:
    name, port, address = web
    page = show(f"127.0.0.1:{port}")
    (resident,) = page.residents
    (behind,) = resident.leads_to
    assert behind.container is not None
    assert (behind.container.name, behind.container.image) == (name, podman.image)
    assert (str(behind.target_address), behind.target_port) == (address, 8643)
    (told,) = document(page)["listeners"][0]["leads_to"]
    assert (told["container"]["name"], told["target_port"]) == (name, 8643)
    assert f"{name} · image {podman.image}" in "\n".join(lines(page, Paint()))


def test_the_listener_of_a_container_says_who_can_reach_it_from_where(
    podman: Podman, web: tuple[str, int, str]
) -> None:
    name, port, address = web
    for asked in (f"{address}:8643", ":8643"):
        page = show(asked)
        (resident,) = page.residents
        assert resident.listener.owners[0].container is not None
        assert f"its addresses are {address}" in [one.text for one in resident.reach]
        (published,) = resident.published
        assert (str(published.host_address), published.host_port) == ("127.0.0.1", port)
        text = "\n".join(lines(page, Paint()))
        assert f"127.0.0.1:{port} of this machine leads here" in text
        assert name in text


def test_a_port_that_only_a_rule_has(podman: Podman, web: tuple[str, int, str]) -> None:
    """What a container engine without a proxy does: no socket, only DNAT."""
    name, _, address = web
    rule = ["-t", "nat", "-d", "127.0.0.1/32", "-p", "tcp", "--dport", "28643", "-j", "DNAT"]
    rule += ["--to-destination", f"{address}:8643"]
    subprocess.run(["iptables", "-I", "OUTPUT", *rule], check=True, timeout=30)
    try:
        page = show("127.0.0.1:28643")
    finally:
        subprocess.run(["iptables", "-D", "OUTPUT", *rule], check=True, timeout=30)
    assert page.absences[0].reason == "published"
    assert page.absences[0].statement == f"no socket of its own, but led to container {name}, port 8643 by DNAT rule"
    (resident,) = page.residents
    assert resident.listener.owners[0].container is not None
