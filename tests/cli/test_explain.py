from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from homeport.cli.explain import lines
from homeport.cli.text import Paint
from homeport.model.evidence import Evidence
from homeport.model.explanation import Explanation
from homeport.operations.explain import explain

if TYPE_CHECKING:
    import subprocess


class Homeport(Protocol):
    def __call__(self, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]: ...


def text(one: Explanation, columns: int | None = None) -> str:
    return "\n".join(lines(one, Paint(), columns))


def test_the_page_says_what_matters_first_and_ends_with_what_comes_next() -> None:
    page = lines(explain("127.0.0.1:3000"), Paint())
    assert page[0].startswith("127.0.0.1:3000   loopback, this machine only")
    assert "Loopback (RFC 1122 §3.2.1.3; since 1981-09)" in "\n".join(page)
    assert any("remoteware-cl" in line for line in page)
    assert any(line.startswith("tools") and "Next.js" in line for line in page)
    assert any(line.startswith("localhost") for line in page)
    following = page.index("next          homeport 127.0.0.1:3000")
    assert page[following + 1].strip() == "homeport :3000"


def test_a_port_alone_is_one_short_screen() -> None:
    page = lines(explain("62893"), Paint(), 80)
    assert page[0] == ":62893   homeport"
    assert len(page) <= 24
    assert all(len(line) <= 80 for line in page)
    assert not any(line.startswith("address") for line in page)


@pytest.mark.parametrize("asked", ["127.0.0.1:22", "[::]:80", "169.254.169.254", "224.0.0.251:5353/udp", "fe80::1"])
def test_it_fits_any_terminal(asked: str) -> None:
    for columns in (40, 80, 200):
        assert all(len(line) <= columns for line in lines(explain(asked), Paint(), columns))


def test_what_browsers_refuse_and_who_may_listen() -> None:
    said = text(explain(":22"))
    assert "ERR_UNSAFE_PORT" in said
    assert "ssh/tcp,udp" in said
    assert "may listen there: net.ipv4.ip_unprivileged_port_start" in said


def test_every_flag_of_a_block_is_shown() -> None:
    said = text(explain("192.88.99.7"))
    assert "2001-06 to 2015-03" in said
    assert "source n/a, destination n/a, forwardable n/a, globally reachable n/a, reserved by protocol n/a" in said


def test_settings_are_told_in_words() -> None:
    one = explain("127.0.0.1")
    address = replace(
        one.addresses[0],
        settings={"net.ipv4.conf.all.route_localnet": "0", "net.ipv4.conf.br.0.route_localnet": "1"},
    )
    said = text(replace(one, addresses=(address,)))
    assert "may come in by br.0: net.ipv4.conf.br.0.route_localnet = 1" in said


def test_several_addresses_of_a_name_are_numbered() -> None:
    one = explain("127.0.0.1:80")
    six = explain("[::1]:80").addresses[0]
    both = tuple(
        replace(each.resolutions[0], name="shop.localhost.example", address=each.address)
        for each in (one.addresses[0], six)
    )
    addresses = tuple(replace(each, resolutions=both) for each in (one.addresses[0], six))
    said = text(replace(one, name="shop.localhost.example", addresses=addresses))
    assert "1. 127.0.0.1   by " in said
    assert "2. ::1   by " in said
    assert said.count("\naddress ") == 2


def test_what_comes_from_outside_cannot_command_the_terminal() -> None:
    one = explain("127.0.0.1")
    evil = replace(
        one.addresses[0], here=(Evidence("evil\x1b[2J", "name\nof an interface"),), interfaces=("\x1b]0;x\x07",)
    )
    said = lines(replace(one, addresses=(evil,), limits=("\x1b[31m",)), Paint())
    assert all(line.isprintable() for line in said)


def test_the_command(homeport: Homeport) -> None:
    done = homeport("explain", "127.0.0.1:62893")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "homeport 127.0.0.1:62893" in done.stdout
    told = json.loads(homeport("explain", "--json", "http://u:hunter2@127.0.0.1/").stdout)
    assert told["schema"] == "homeport/1"
    assert told["asked"] == "http://***@127.0.0.1/"
    assert told["port"]["port"] == 80


@pytest.mark.parametrize("asked", ["127.0.0.256", "70000", "", "http://u:hunter2@x:y/"])
def test_what_is_no_address_is_refused_in_two_lines(homeport: Homeport, asked: str) -> None:
    done = homeport("explain", asked)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("homeport: ")
    assert done.stderr.count("\n") == 2
    assert "hunter2" not in done.stderr
