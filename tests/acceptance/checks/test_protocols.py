"""Servers of other protocols than HTTP, old and new HTTP, and servers that are picky about who asks."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.acceptance.checks.cases import Diagnosis, case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import free_ports, has_port, running, wait_until
from tests.acceptance.checks.upper import Authority, answers, nginx, node

Two = tuple[Diagnosis, Diagnosis]

LABELS = ("old", "ancient", "both", "circle", "picky", "broken", "proxied", "nobody")


class Site(NamedTuple):
    """One nginx with a server for each label; on `nobody` nothing listens."""

    ports: dict[str, int]
    trusting: dict[str, str]

    def url(self, label: str, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://localhost:{self.ports[label]}{path}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("protocols")
    authority = Authority(folder)
    pair = authority.issue("here", ["localhost", "127.0.0.1"])
    tls = f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};"
    ports = dict(zip(LABELS, free_ports(len(LABELS)), strict=True))
    servers = f"""
server {{ listen 127.0.0.1:{ports["old"]} ssl; {tls} ssl_protocols TLSv1.2;
  ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384; return 200 old; }}
server {{ listen 127.0.0.1:{ports["ancient"]} ssl; {tls} ssl_protocols TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;
  return 200 ancient; }}
server {{ listen 127.0.0.1:{ports["both"]} ssl http2; {tls} return 200 both; }}
server {{ listen 127.0.0.1:{ports["circle"]} ssl; {tls} error_page 497 =301 https://localhost:{ports["circle"]}/;
  return 302 http://localhost:{ports["circle"]}$request_uri; }}
server {{ listen 127.0.0.1:{ports["picky"]} default_server; return 444; }}
server {{ listen 127.0.0.1:{ports["picky"]}; server_name localhost; return 200 here; }}
server {{ listen 127.0.0.1:{ports["broken"]}; return 500; }}
server {{ listen 127.0.0.1:{ports["proxied"]} ssl; {tls}
  location / {{ proxy_pass http://127.0.0.1:{ports["nobody"]}; }} }}
"""
    with nginx(folder, servers, ports["broken"]):
        yield Site(ports, {"SSL_CERT_FILE": str(authority.root)})


@case("ok", "nginx with TLS 1.2 and one cipher alone", near="tls-failed")
def test_old_tls(check: Check, site: Site) -> Diagnosis:
    return check(site.url("old", scheme="https"), env=site.trusting)


@case("ok", "nginx that takes TLS 1.1, too", near="tls-failed")
def test_ancient_tls(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("ancient", scheme="https"), env=site.trusting)
    told = {one["detail"]: one["outcome"] for one in found["observations"] if one["layer"] == "tls"}
    assert any(detail.endswith("; takes TLSv1.1 too") for detail in told), told
    assert told["takes TLSv1.1, which must not be used any more (RFC 8996)"] == "odd"
    return found


@case("ok", "nginx with TLS and HTTP/2, asked with --http2", near="http2-only")
def test_http2_within_tls(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("both", scheme="https"), "--http2", env=site.trusting)
    assert any("HTTP/2" in one["detail"] for one in found["observations"] if one["layer"] == "http")
    return found


@case("ok", "nginx with TLS and HTTP/2, asked without --http2", near="http2-only")
def test_both_within_tls(check: Check, site: Site) -> Diagnosis:
    return check(site.url("both", scheme="https"), env=site.trusting)


@case("redirect-loop", "nginx that sends http to https, and https to http", near="tls-expected")
def test_from_http_to_https_and_back(check: Check, site: Site) -> Diagnosis:
    return check(site.url("circle", "/cart?token=hush"), env=site.trusting)


@case(
    "host-refused",
    "nginx that closes the connection (444) on a Host that it does not know",
    near="closed-early",
    cured=True,
)
def test_444(check: Check, site: Site) -> Two:
    found = check(f"http://127.0.0.1:{site.ports['picky']}/")
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("http-error", "nginx with TLS, 502 since nobody listens behind it", near="tls-failed")
def test_502_within_tls(check: Check, site: Site) -> Diagnosis:
    return check(site.url("proxied", scheme="https"), env=site.trusting)


@case("http-error", "a URL with a user, a password and a token, none of which is shown", near="ok")
def test_secrets_are_not_shown(check: Check, site: Site) -> Diagnosis:
    found = check(f"http://eve:hush@localhost:{site.ports['broken']}/cart?token=sesame")
    assert "hush" not in str(found)
    assert "sesame" not in str(found)
    return found


USER = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")


@contextlib.contextmanager
def database(*settings: str, standby: bool = False) -> Iterator[int]:
    """A PostgreSQL of its own, with these settings: its port."""
    (binaries,) = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="hp-check-") as folder:  # not below pytest's, which root alone may enter
        shutil.chown(folder, "postgres")
        make: list[str | Path] = [*USER, binaries / "initdb", "-D", f"{folder}/data", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, timeout=120, cwd=folder)
        if standby:
            Path(folder, "data", "standby.signal").touch()
        told = ("listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off", *settings)
        options = [word for one in told for word in ("-c", one)]
        command: list[str | Path] = [*USER, binaries / "postgres", "-D", f"{folder}/data", "-p", str(port), *options]
        with running(*command, cwd=Path(folder)) as one:
            state = "starting" if standby else "ready"
            lock = Path(folder, "data", "postmaster.pid")  # its last line is the state of the server
            wait_until(lambda: one.poll() is None and lock.exists() and state in lock.read_text(), "PostgreSQL runs")
            yield port
            one.send_signal(signal.SIGQUIT)  # at once, with all of its workers: each is in a session of its own
            one.wait(30)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[int]:
    with database("max_connections=3", "superuser_reserved_connections=0", "max_wal_senders=0") as port:
        yield port


def session(port: int) -> socket.socket:
    """A session of the superuser, once it is there."""
    one = socket.create_connection(("127.0.0.1", port), timeout=30)
    words = b"user\0postgres\0database\0postgres\0\0"
    one.sendall(struct.pack("!II", 8 + len(words), 3 << 16) + words)
    said = b""
    while b"Z\0\0\0\5I" not in said:  # ReadyForQuery
        more = one.recv(65536)
        assert more, said
        said += more
    return one


def sessions_of(port: int) -> list[str]:
    """The rows of connections on the server's side that are not closed there."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[3] for row in rows if row[1].endswith(f":{port:04X}") and row[3] in ("01", "08", "09")]


@case("service-error", "PostgreSQL that has all the sessions it may have", near="ok", cured=True)
def test_postgresql_is_full(check: Check, postgresql: int) -> Two:
    url = f"postgresql://127.0.0.1:{postgresql}/shop"
    with contextlib.ExitStack() as sessions:
        for _ in range(3):
            sessions.enter_context(session(postgresql))
        found = check(url)
        assert "too many clients" in found["cause"]
    table = Path("/proc/net/tcp")
    place = f":{postgresql:04X} "
    wait_until(
        lambda: not any(place in row and " 08 " in row for row in table.read_text().splitlines()), "sessions end"
    )
    return found, check(url)


@case("starting", "PostgreSQL that waits for its archive before it takes sessions", near="ok")
def test_postgresql_starts(check: Check) -> Diagnosis:
    with database("restore_command=sleep 1000", standby=True) as port:
        return check(f"postgresql://127.0.0.1:{port}/shop")


@case("nothing-listens", "PostgreSQL that has a socket in a folder alone", near="other-port")
def test_postgresql_without_tcp(check: Check) -> Diagnosis:
    with database("listen_addresses=") as port:
        found = check(f"postgresql://127.0.0.1:{port}/shop")
    assert f".s.PGSQL.{port}" in found["cause"]
    return found


@case("ok", "PostgreSQL, asked by its scheme", near="wrong-protocol")
def test_postgresql(check: Check, postgresql: int) -> Diagnosis:
    found = check(f"postgresql://eve:hush@127.0.0.1:{postgresql}/shop")
    assert "hush" not in str(found)
    assert found["service"]["protocol"] == "postgresql"
    return found


@case("wrong-protocol", "http:// to PostgreSQL", near="closed-early", cured=True)
def test_http_to_postgresql(check: Check, postgresql: int) -> Two:
    found = check(f"http://127.0.0.1:{postgresql}/")
    assert "postgresql" in found["cause"]
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("wrong-protocol", "https:// to PostgreSQL", near="tls-failed", cured=True)
def test_https_to_postgresql(check: Check, postgresql: int) -> Two:
    found = check(f"https://127.0.0.1:{postgresql}/")
    return found, check(found["remedy"].removeprefix("homeport check "))


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    Path("/run/sshd").mkdir(exist_ok=True)
    key = tmp_path_factory.mktemp("ssh") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    (port,) = free_ports(1)
    options = ("-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none")
    with running("/usr/sbin/sshd", "-D", "-f", "/dev/null", "-h", key, "-p", str(port), *options) as one:
        wait_until(lambda: one.poll() is None and answers(port), "sshd listens")
        yield port


@case("ok", "OpenSSH, asked by its port alone", near="wrong-protocol")
def test_ssh(check: Check, ssh: int) -> Diagnosis:
    found = check(f"127.0.0.1:{ssh}")
    assert found["service"]["product"] == "OpenSSH"
    return found


@case("wrong-protocol", "http:// to OpenSSH", near="http-error", cured=True)
def test_http_to_ssh(check: Check, ssh: int) -> Two:
    found = check(f"http://127.0.0.1:{ssh}/")
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("ok", "dnsmasq, which answers over UDP", near="no-answer")
def test_udp(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    words = ("--keep-in-foreground", f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces")
    with running("dnsmasq", *words, "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=") as one:
        wait_until(lambda: one.poll() is None and has_port(one.pid, port, udp=True), "dnsmasq listens")
        found = check(f"127.0.0.1:{port}/udp")
    assert found["service"]["protocol"] == "dns"
    return found


PICKY = """
require("node:http").createServer((request, response) => {
  if (request.url.startsWith("/slow")) return;
  if (request.url === "/dies") { request.socket.destroy(); return; }
  if (request.url === "/gone") { response.writeHead(302, {location: "http://localhost:NOBODY/cart"}); }
  if (request.url === "/round") { response.writeHead(302, {location: "/slow"}); }
  response.end("hello");
}).listen(PORT, "127.0.0.1");
"""


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    port, nobody = free_ports(2)
    text = PICKY.replace("PORT", str(port)).replace("NOBODY", str(nobody))
    with node(tmp_path_factory.mktemp("paths"), text, port):
        yield port


@case("no-answer", "a Node server that answers, but not for one path", near="ok")
def test_a_path_without_an_answer(check: Check, paths: int) -> Diagnosis:
    found = check(f"http://127.0.0.1:{paths}/slow?token=hush", "--timeout", "2")
    assert "GET /slow" in found["cause"]
    assert "hush" not in str(found)
    return found


@case("ok", "the same server, asked for another path", near="no-answer")
def test_another_path(check: Check, paths: int) -> Diagnosis:
    return check(f"http://127.0.0.1:{paths}/fast")


@case("closed-early", "a Node server that answers, but closes the connection on one path", near="ok")
def test_a_path_that_ends_the_connection(check: Check, paths: int) -> Diagnosis:
    found = check(f"http://127.0.0.1:{paths}/dies")
    assert "GET /dies" in found["cause"]
    return found


@case("nothing-listens", "a redirection to a port of localhost that nobody has", near="redirect-elsewhere")
def test_redirected_to_nobody(check: Check, paths: int) -> Diagnosis:
    found = check(f"http://127.0.0.1:{paths}/gone")
    again = check(found["remedy"].removeprefix("homeport check "), "--timeout", "2")
    assert again["verdict"] == "nothing-listens"
    return found


@case("no-answer", "a redirection to a path that does not answer", near="redirect-loop")
def test_redirected_into_silence(check: Check, paths: int) -> Diagnosis:
    return check(f"http://127.0.0.1:{paths}/round", "--timeout", "2")
