"""Servers of other protocols than HTTP, old and new HTTP, and servers that are picky about who asks."""

from __future__ import annotations

import shutil
import signal
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


@pytest.fixture(scope="module")
def postgresql() -> Iterator[int]:
    (binaries,) = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
    user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="hp-check-") as folder:  # not below pytest's, which root alone may enter
        shutil.chown(folder, "postgres")
        make: list[str | Path] = [*user, binaries / "initdb", "-D", f"{folder}/data", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, timeout=120, cwd=folder)
        settings = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
        command = (*user, binaries / "postgres", "-D", f"{folder}/data", "-p", str(port), *settings)
        with running(*command, cwd=Path(folder)) as one:
            wait_until(lambda: one.poll() is None and answers(port), "PostgreSQL listens")
            yield port
            one.send_signal(signal.SIGQUIT)  # at once, with all of its workers: each is in a session of its own
            one.wait(30)


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
