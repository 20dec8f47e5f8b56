"""What comes back: other protocols, errors, redirections, refused hosts, proxies."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.acceptance.checks.cases import Diagnosis, case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import free_ports, running, serving, wait_until
from tests.acceptance.checks.upper import answers, nginx, node

Two = tuple[Diagnosis, Diagnosis]

LABELS = ("web", "loop", "slash", "away", "there", "hosts", "forbidden", "dead")


class Site(NamedTuple):
    """One nginx, with a server for each label; on `dead` nothing listens."""

    ports: dict[str, int]

    def url(self, label: str, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.ports[label]}{path}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    ports = dict(zip(LABELS, free_ports(len(LABELS)), strict=True))
    servers = f"""
server {{ listen 127.0.0.1:{ports["web"]};
  location = / {{ return 404; }}
  location /fine {{ return 200 fine; }}
  location /broken {{ return 500; }}
  location /login {{ add_header WWW-Authenticate 'Basic realm="shop"' always; return 401; }}
  location /behind {{ proxy_pass http://127.0.0.1:{ports["dead"]}; }}
  location /one {{ return 302 /two; }} location /two {{ return 302 /three; }} location /three {{ return 302 /fine; }}
  location /over {{ return 302 http://localhost:{ports["there"]}/; }} }}
server {{ listen 127.0.0.1:{ports["loop"]}; return 301 http://127.0.0.1:{ports["loop"]}$request_uri; }}
server {{ listen 127.0.0.1:{ports["slash"]}; rewrite ^/(.*)/$ /$1 redirect; rewrite ^/([^/]+)$ /$1/ redirect; }}
server {{ listen 127.0.0.1:{ports["away"]}; location /name {{ return 302 https://shop.example/; }}
  return 302 http://198.51.100.7/; }}
server {{ listen 127.0.0.1:{ports["there"]}; return 200 there; }}
server {{ listen 127.0.0.1:{ports["hosts"]} default_server; return 421; }}
server {{ listen 127.0.0.1:{ports["hosts"]}; server_name shop.test; return 200 shop; }}
server {{ listen 127.0.0.1:{ports["hosts"]}; server_name localhost; return 200 here; }}
server {{ listen 127.0.0.1:{ports["forbidden"]}; return 403; }}
"""
    with nginx(tmp_path_factory.mktemp("web"), servers, ports["web"]):
        yield Site(ports)


@case("http-error", "nginx, 500 for a path")
def test_500(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("web", "/broken"))
    assert found["fault"] == "server"
    return found


@case("http-error", "nginx, 502 since nobody listens behind it", near="nothing-listens", cured=True)
def test_502(check: Check, site: Site) -> Two:
    found = check(site.url("web", "/behind"))
    assert found["fault"] == "server"
    assert f"from 127.0.0.1:{site.ports['dead']}, the server behind it" in found["cause"]
    behind = check(found["remedy"].removeprefix("homeport check "))
    assert behind["verdict"] == "nothing-listens"
    with serving("127.0.0.1", site.ports["dead"]):
        return found, check(site.url("web", "/behind"))


@case("http-error", "nginx that has just been started, and is told to answer 503", near="starting")
def test_503_of_a_gateway(check: Check, tmp_path: Path) -> Diagnosis:
    (port,) = free_ports(1)
    with nginx(tmp_path, f"server {{ listen 127.0.0.1:{port}; return 503; }}", port):
        return check(f"http://127.0.0.1:{port}/")


@case("wrong-protocol", "http:// to a server that answers in nobody's protocol", near="unknown", cured=True)
def test_no_http(check: Check) -> Two:
    (port,) = free_ports(1)
    with serving("127.0.0.1", port, "babble"):
        found = check(f"http://127.0.0.1:{port}/")
        assert "what?" in found["cause"]
        return found, check(found["remedy"].removeprefix("homeport check "))


@case("closed-early", "a server that announces more than it sends", near="ok")
def test_a_short_body(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    with serving("127.0.0.1", port, "short"):
        return check(f"http://127.0.0.1:{port}/")


@case("closed-early", "a server that closes the connection in the middle of its header", near="wrong-protocol")
def test_a_short_header(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    with serving("127.0.0.1", port, "half"):
        found = check(f"http://127.0.0.1:{port}/")
    assert "without a word" not in found["cause"]
    return found


@case("no-answer", "a server that says nothing more in the middle of its answer", near="ok")
def test_a_stalled_body(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    with serving("127.0.0.1", port, "stall"):
        return check(f"http://127.0.0.1:{port}/", "--timeout", "3")


@case("http-error", "nginx, 500 of a server that has just been started", near="starting")
def test_500_of_a_young_server(check: Check, site: Site) -> Diagnosis:
    return check(site.url("web", "/broken"), "--host", "localhost")


@case("http-error", "nginx, 404 for a path that was asked for")
def test_404(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("web", "/nothing-here?token=hush"))
    assert found["fault"] == "client"
    assert "hush" not in str(found)
    return found


@case("http-error", "nginx, 401 for a path that was asked for", near="host-refused")
def test_401(check: Check, site: Site) -> Diagnosis:
    return check(site.url("web", "/login"))


@case("ok", "nginx, 404 for / where no path was asked for", near="http-error")
def test_nothing_at_the_root(check: Check, site: Site) -> Diagnosis:
    return check(f"127.0.0.1:{site.ports['web']}")


@case("ok", "three redirections that end on this machine", near="redirect-loop")
def test_three_redirections(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("web", "/one"))
    assert sum(one["layer"] == "http" for one in found["observations"]) == 4
    return found


@case("ok", "a redirection to another port of localhost", near="redirect-elsewhere")
def test_to_another_port(check: Check, site: Site) -> Diagnosis:
    return check(site.url("web", "/over"))


@case("redirect-loop", "nginx that redirects to the same URL")
def test_loop(check: Check, site: Site) -> Diagnosis:
    return check(site.url("loop", "/cart"))


@case("redirect-loop", "two rules for the trailing slash that undo one another", near="http-error")
def test_slashes(check: Check, site: Site) -> Diagnosis:
    return check(site.url("slash", "/cart"))


@case("redirect-elsewhere", "nginx that redirects to another machine's address")
def test_away(check: Check, site: Site) -> Diagnosis:
    found = check(site.url("away"))
    assert "198.51.100.7" in found["cause"]
    return found


@case("redirect-elsewhere", "nginx that redirects to another machine's name", near="name-resolution")
def test_away_by_name(check: Check, site: Site) -> Diagnosis:
    return check(site.url("away", "/name"))


@case("host-refused", "nginx that answers 421 to a Host that it does not know", cured=True)
def test_421(check: Check, site: Site) -> Two:
    found = check(site.url("hosts"))
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("ok", "nginx, asked with a Host that it knows", near="host-refused")
def test_known_host(check: Check, site: Site) -> Diagnosis:
    return check(site.url("hosts"), "--host", "shop.test")


@case("http-error", "nginx, 403 for every Host", near="host-refused")
def test_403_for_all(check: Check, site: Site) -> Diagnosis:
    return check(site.url("forbidden"))


@pytest.fixture(scope="module")
def vite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Vite in it, and a page."""
    folder = tmp_path_factory.mktemp("vite")
    words = ["npm", "install", "--no-audit", "--no-fund", "--silent", "vite@5"]
    subprocess.run(words, cwd=folder, check=True, timeout=300)
    (folder / "index.html").write_text("<h1>shop</h1>")
    return folder


def serve_vite(folder: Path, port: int) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    script = folder / "node_modules/vite/bin/vite.js"
    return running("node", script, "--port", str(port), "--strictPort", "--host", "127.0.0.1", cwd=folder)


@case("host-refused", "Vite, asked by a name that is not among its server.allowedHosts", cured=True)
def test_vite(check: Check, vite: Path) -> Two:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    with serve_vite(vite, port) as one:
        wait_until(lambda: one.poll() is None and answers(port), "Vite listens")
        found = check(url, "--host", "shop.test")
    setting = found["remedy"].removeprefix("in vite.config.js: ")
    (vite / "vite.config.js").write_text(f"export default {{ {setting} }}")
    with serve_vite(vite, port) as one:
        wait_until(lambda: one.poll() is None and answers(port), "Vite listens again")
        return found, check(url, "--host", "shop.test")


@case("host-refused", "Django, asked by a name that is not among its ALLOWED_HOSTS", cured=True)
def test_django(check: Check, tmp_path: Path) -> Two:
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", tmp_path], check=True, timeout=60)
    (port,) = free_ports(1)
    command = (sys.executable, tmp_path / "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}")
    with running(*command, cwd=tmp_path) as one:
        wait_until(lambda: one.poll() is None and answers(port), "Django listens")
        found = check(f"http://127.0.0.1:{port}/", "--host", "shop.test")
    settings = tmp_path / "shop/settings.py"
    settings.write_text(f"{settings.read_text()}\n{found['remedy'].removeprefix('in settings.py: ')}\n")
    with running(*command, cwd=tmp_path) as one:
        wait_until(lambda: one.poll() is None and answers(port), "Django listens again")
        return found, check(f"http://127.0.0.1:{port}/", "--host", "shop.test")


@pytest.fixture(scope="module")
def redis() -> Iterator[int]:
    (port,) = free_ports(1)
    words = ("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--maxclients", "2")
    with running(*words) as one:
        wait_until(lambda: one.poll() is None and answers(port), "redis listens")
        yield port


@case("wrong-protocol", "http:// to Redis", cured=True)
def test_http_to_redis(check: Check, redis: int) -> Two:
    found = check(f"http://127.0.0.1:{redis}/")
    assert "redis" in found["cause"]
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("wrong-protocol", "redis:// to nginx", near="no-answer")
def test_redis_to_http(check: Check, site: Site) -> Diagnosis:
    return check(f"redis://127.0.0.1:{site.ports['web']}")


@case("wrong-protocol", "https:// to a server that says something unasked, in plain text", near="ok", cured=True)
def test_tls_to_a_greeting(check: Check, tmp_path: Path) -> Two:
    (port,) = free_ports(1)
    script = tmp_path / "greets.py"
    script.write_text(GREETS)
    with running(sys.executable, script, str(port)) as one:
        wait_until(lambda: one.poll() is None and answers(port), "it listens")
        found = check(f"https://127.0.0.1:{port}/")
        assert "welcome" in found["cause"]
        return found, check(found["remedy"].removeprefix("homeport check "))


@case("ok", "Redis, asked by its scheme", near="wrong-protocol")
def test_redis(check: Check, redis: int) -> Diagnosis:
    found = check(f"redis://127.0.0.1:{redis}")
    assert found["service"]["product"] in ("Redis", "Valkey")
    return found


@case("plain-expected", "rediss:// to a Redis without TLS", near="ok")
def test_tls_to_redis(check: Check, redis: int) -> Diagnosis:
    return check(f"rediss://127.0.0.1:{redis}")


SLOW = "require('http').createServer((q, s) => { setTimeout(() => s.end('late'), 2500); }).listen(PORT, '127.0.0.1');"


@case("ok", "a Node server that takes two and a half seconds to answer, asked by its port alone", near="no-answer")
def test_slow(check: Check, tmp_path: Path) -> Diagnosis:
    (port,) = free_ports(1)
    with node(tmp_path, SLOW.replace("PORT", str(port)), port):
        return check(f"127.0.0.1:{port}", "--timeout", "20")


ECHO = "require('net').createServer((c) => { c.on('error', () => 0); c.pipe(c); }).listen(PORT, '127.0.0.1');"


@case("ok", "a server that sends back what it gets", near="no-answer")
def test_echo(check: Check, tmp_path: Path) -> Diagnosis:
    (port,) = free_ports(1)
    with node(tmp_path, ECHO.replace("PORT", str(port)), port):
        return check(f"127.0.0.1:{port}")


@case("service-error", "Redis that has all the clients it may have", cured=True)
def test_too_many_clients(check: Check, redis: int) -> Two:
    with contextlib.ExitStack() as open_ones:
        for _ in range(2):
            one = open_ones.enter_context(socket.create_connection(("127.0.0.1", redis), timeout=10))
            one.sendall(b"PING\r\n")
            assert one.recv(16)
        found = check(f"127.0.0.1:{redis}", env={"HOMEPORT_NO_HISTORY": "1"})
    return found, check(f"127.0.0.1:{redis}", env={"HOMEPORT_NO_HISTORY": "1"})


@case("ok", "Redis that demands a password", near="service-error")
def test_password(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    with running("redis-server", "--port", str(port), "--save", "", "--requirepass", "hush") as one:
        wait_until(lambda: one.poll() is None and answers(port), "redis listens")
        found = check(f"127.0.0.1:{port}")
    assert found["service"]["facts"]["authentication"] == "demanded"
    return found


HTTP2 = "require('http2').createServer((q, s) => { s.end('hello'); }).listen(PORT, '127.0.0.1');"
BOTH = "require('http').createServer((q, s) => { s.end('hello'); }).listen(PORT, '127.0.0.1');"


@case("http2-only", "a Node server of HTTP/2 without TLS", cured=True)
def test_http2(check: Check, tmp_path: Path) -> Two:
    (port,) = free_ports(1)
    with node(tmp_path, HTTP2.replace("PORT", str(port)), port):
        found = check(f"http://127.0.0.1:{port}/")
        words = found["remedy"].removeprefix("homeport check ").split()
        return found, check(*words)


@case("ok", "a Node server of HTTP/1.1", near="http2-only")
def test_http1(check: Check, tmp_path: Path) -> Diagnosis:
    (port,) = free_ports(1)
    with node(tmp_path, BOTH.replace("PORT", str(port)), port):
        return check(f"http://127.0.0.1:{port}/")


@case("wrong-protocol", "a Node server of HTTP/1.1, asked with --http2", cured=True)
def test_http1_alone(check: Check, tmp_path: Path) -> Two:
    (port,) = free_ports(1)
    with node(tmp_path, BOTH.replace("PORT", str(port)), port):
        found = check(f"127.0.0.1:{port}", "--http2")
        assert "HTTP/1.1 only" in found["cause"]
        return found, check(*found["remedy"].removeprefix("homeport check ").split())


@case("proxy-in-the-way", "http_proxy is set, and no NO_PROXY", cured=True)
def test_proxy(check: Check, site: Site) -> Two:
    url = site.url("there")
    found = check(url, env={"http_proxy": "http://user:hush@127.0.0.1:9"})
    assert "hush" not in str(found)
    (export,) = [one["text"] for one in found["remedies"] if one["text"].startswith("export ")]
    told = dict(word.split("=", 1) for word in export.split()[1:])
    return found, check(url, env={"http_proxy": "http://127.0.0.1:9", **told})


@case("ok", "http_proxy is set, and NO_PROXY names the address", near="proxy-in-the-way")
def test_no_proxy(check: Check, site: Site) -> Diagnosis:
    return check(site.url("there"), env={"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1,localhost"})


@case("ok", "https_proxy is set, and http is asked for", near="proxy-in-the-way")
def test_proxy_of_https(check: Check, site: Site) -> Diagnosis:
    return check(site.url("there"), env={"https_proxy": "http://127.0.0.1:9"})


GREETS = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    peer, _ = server.accept()
    try:
        peer.sendall(b"welcome to the shop\\n")
        peer.settimeout(5)
        peer.recv(64)
    except OSError:
        pass
    peer.close()
"""
TLS_ABORTS = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    peer, _ = server.accept()
    peer.settimeout(5)
    try:
        if peer.recv(4096)[:1] == b"\\x16":
            peer.sendall(b"\\x15\\x03\\x03\\x00\\x02\\x02\\x46")
    except OSError:
        pass
    peer.close()
"""


@case("tls-failed", "a server that ends every handshake with the alert protocol_version", near="closed-early")
def test_alert(check: Check, tmp_path: Path) -> Diagnosis:
    (port,) = free_ports(1)
    script = tmp_path / "aborts.py"
    script.write_text(TLS_ABORTS)
    with running(sys.executable, script, str(port)) as one:
        wait_until(lambda: one.poll() is None and answers(port), "it listens")
        found = check(f"https://127.0.0.1:{port}/")
    assert "protocol version" in found["cause"].lower().replace("_", " ")
    return found


@case("no-answer", "https:// to a server that takes connections and says nothing", near="tls-failed")
def test_mute_to_tls(check: Check) -> Diagnosis:
    (port,) = free_ports(1)
    with serving("127.0.0.1", port, "mute"):
        return check(f"https://127.0.0.1:{port}/", "--timeout", "2")
