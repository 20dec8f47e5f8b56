"""What decides who was right about a service."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import service_cases, services
from benchmarks.cases import TIMES
from benchmarks.service_cases import CASES, Case, Package
from benchmarks.service_crowd import Crowd, measure
from benchmarks.service_judging import Judgement, Said, Truth, Verdict, judge, upstream
from benchmarks.service_servers import Folders, Servers, programs_missing
from benchmarks.service_tools import Run, of_homeport, of_nmap

RIGHT, UNTOLD, WRONG = Verdict.RIGHT, Verdict.UNTOLD, Verdict.WRONG
NOWHERE = Folders("/nonexistent", "/nonexistent")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1:9.2p1-2+deb12u10", "9.2p1"),
        ("1.22.1-9+deb12u11", "1.22.1"),
        ("2.42.0+ds-5+deb12u1", "2.42.0"),
        ("2.5.13+dfsg-5", "2.5.13"),
        ("5:7.0.15-1~deb12u10", "7.0.15"),
        ("1.6.7~rc0-1+b13", "1.6.7"),
        ("1:10.11.19-0+deb12u1", "10.11.19"),
        ("1.12-2+b1", "1.12"),
        ("3.1", "3.1"),
    ],
)
def test_the_version_as_its_authors_call_it(version: str, expected: str) -> None:
    assert upstream(version) == expected


@pytest.mark.parametrize(
    ("said", "true", "expected"),
    [
        ("1.22.1", "1.22.1", RIGHT),
        ("v20.20.2", "20.20.2", RIGHT),
        ("2.4", "2.4.71", RIGHT),
        ("2.4.7", "2.4.71", WRONG),
        ("9.2p1 Debian 2+deb12u10", "9.2p1", RIGHT),
        ("2.42.0+ds", "2.42.0", RIGHT),
        ("15", "15.18", WRONG),
        ("9.6.0 or later", "15.18", UNTOLD),
        ("16.0 or later", "15.18", WRONG),
        ("2.2.X - 2.3.X", "2.5.13", WRONG),
        ("2.2.X - 2.6.X", "2.5.13", UNTOLD),
        (None, "1.0", UNTOLD),
        ("1.0", None, UNTOLD),
        ("", "1.0", UNTOLD),
    ],
)
def test_versions(said: str | None, true: str | None, expected: Verdict) -> None:
    assert judge(Said("nginx", said), (Truth("nginx", true),)) == Judgement(RIGHT, expected)


def test_products() -> None:
    truths = (Truth("fastapi", "1.0"), Truth("uvicorn", "2.0"))
    assert judge(Said("Uvicorn", "2.0"), truths) == Judgement(RIGHT, RIGHT)
    assert judge(Said("FastAPI", "2.0"), truths) == Judgement(RIGHT, WRONG)
    assert judge(Said("nginx", "1.0"), truths) == Judgement(WRONG, UNTOLD)
    assert judge(Said("Golang net/http server", None), truths) == Judgement(UNTOLD, UNTOLD)
    mariadb = Said("MySQL", "5.5.5-10.11.19-MariaDB-0+deb12u1")
    assert judge(mariadb, (Truth("mariadb", "10.11.19"),)) == Judgement(RIGHT, RIGHT)
    assert judge(Said(None, "3"), truths) == Judgement(UNTOLD, UNTOLD)


def test_what_nmap_says() -> None:
    document = """<nmaprun><host><ports>
    <port protocol="tcp" portid="80"><service name="http" product="nginx" version="1.22.1" method="probed"/></port>
    <port protocol="tcp" portid="81"><service name="hosts2-ns" method="table"/></port>
    <port protocol="udp" portid="53"><service name="domain" product="dnsmasq" method="probed"/></port>
    <port protocol="tcp" portid="82"/></ports></host></nmaprun>"""
    assert of_nmap(document) == {
        ("tcp", 80): Said("nginx", "1.22.1"),
        ("tcp", 81): Said(None, None),
        ("udp", 53): Said("dnsmasq", None),
        ("tcp", 82): Said(None, None),
    }


def test_what_homeport_says() -> None:
    def row(port: int, product: str | None, service: bool = True) -> dict[str, object]:
        return {
            "protocol": "tcp",
            "port": port,
            "service": {"product": product, "version": "1", "confidence": "certain"} if service else None,
        }

    rows = [row(80, None), row(80, "nginx"), row(80, "other"), row(81, None, service=False)]
    assert of_homeport(json.dumps({"listeners": rows})) == {
        ("tcp", 80): Said("nginx", "1"),
        ("tcp", 81): Said(None, None),
    }


def test_each_case_is_of_one_name_and_packages_that_can_be_asked_for() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names))
    assert len(CASES) >= 25
    for case in CASES:
        assert case.truths, case.name
        assert {one.manager for one in case.truths} <= {"dpkg", "pip", "npm"}
        assert set(case.protocols) <= {"tcp", "udp"}
        assert "{port}" in case.command + "".join(text for _, text in (*case.files, *case.environment)), case.name
    assert set(CASES) == {*service_cases.DEBIAN, *service_cases.PYPI, *service_cases.NPM}


def test_the_tables() -> None:
    truths = (Truth("nginx", "1.22.1"),)
    rows = [
        services.Row("nginx", "tcp", truths, Said("nginx", "1.22.1"), Said("nginx", "1.22.1")),
        services.Row("other", "udp", truths, Said("Apache", None), Said(None, None)),
        services.Row("third", "tcp", truths, Said(None, None), Said("nginx", None, sure=False)),
    ]
    text = services.page(rows, Run({}, 0.5), Run({}, 20.0), Crowd(1.04, 0.2, 200))
    assert "1.04 s (200 recognised), and 0.20 s" in text
    assert "| product right | 1 | 2 |" in text
    assert "named, 1 are certain" in text
    assert "| third | 1.22.1 | - | nginx (likely) |" in text
    assert "| product wrong | 1 | 0 |" in text
    assert "| version right | 1 | 1 |" in text
    assert f"40 {TIMES} faster" in text
    assert "| other (UDP) | 1.22.1 | **Apache** | - |" in text


def test_versions_come_from_the_package_manager(tmp_path: Path) -> None:
    (tmp_path / "vite").mkdir()
    (tmp_path / "vite" / "package.json").write_text('{"version": "8.1.2"}')
    folders = Folders(str(Path(sys.executable).parent), str(tmp_path))
    assert services.version(Package("x", "npm", "vite"), folders) == "8.1.2"
    assert services.version(Package("x", "npm", "none"), folders) is None
    assert services.version(Package("x", "dpkg", "coreutils"), folders)
    assert services.version(Package("x", "pip", "pytest"), folders) == pytest.__version__
    assert services.version(Package("x", "dpkg", "x", "0.2"), folders) == "0.2"


def test_servers_are_started_and_all_of_them_ended(tmp_path: Path) -> None:
    listen = (
        "import os, socket, sys, time\none = socket.create_server(('127.0.0.1', {port}))\n"
        "os.setsid() if os.fork() == 0 else None\ntime.sleep(600)\n"
    )
    good = Case("good", f"{sys.executable} {{dir}}/serve.py", (), (("serve.py", listen),), ("touch {dir}/made",))
    bad = Case("bad", f"{sys.executable} -c 'raise SystemExit(\"no\")'", ())
    with Servers(str(tmp_path), NOWHERE) as servers:
        servers.start((good, bad))
        (one,) = servers.running
        assert one.places == (("tcp", one.port),)
        assert [(case.name, why) for case, why in servers.left_out] == [("bad", "no")]
        socket.create_connection(("127.0.0.1", one.port), 10).close()
        assert (tmp_path / f"good-{one.port}" / "made").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", one.port), 10)


def test_two_hundred_services_that_answer_are_recognised() -> None:
    crowd = measure(sys.executable, rounds=1)
    assert crowd.recognised == 200
    assert 0 < crowd.remembered < 60


def test_what_is_not_installed_is_known() -> None:
    assert programs_missing(Case("x", "/nonexistent/x --port {port}", ()), NOWHERE)
    assert not programs_missing(Case("x", "sh -c x", ()), NOWHERE)


def test_the_command_explains_itself() -> None:
    root = Path(services.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.services", "--help"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "--install" in done.stdout
