from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import pytest

from homeport.model.dialling import Failing, Failure, Target
from homeport.model.http import Exchange, Health, Redirect, Upgrade
from homeport.system import http_client
from homeport.system.dialling import dial
from homeport.wire import websocket

HOST = "127.83.23.1"
SECONDS = 10.0


class Site(BaseHTTPRequestHandler):
    """Answers by the path."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str | None, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"], self.headers["Cookie"]))
        name, _, more = self.path.lstrip("/").partition("?")
        headers: dict[str, str] = {}
        status, body = 200, f"{self.path} for {self.headers['Host']}".encode()
        if name == "to":
            status, headers["Location"] = 302, more
        elif name == "count":
            status, headers["Location"] = 307, f"/count?{int(more or 0) + 1}"
        elif name in ("tick", "tock"):
            status, headers["Location"] = 301, "/tock" if name == "tick" else "/tick"
        elif name == "login" and not self.headers["Cookie"]:
            status, headers["Location"], headers["Set-Cookie"] = 303, "/login", "session=abc; Path=/; HttpOnly"
        elif name == "status":
            status, headers["Location"] = int(more), "/elsewhere"
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[Target]:
    with ThreadingHTTPServer((HOST, 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Target(ip_address(HOST), server.server_port)
        server.shutdown()
        thread.join(10)


def got(found: Exchange | Failure) -> Exchange:
    assert isinstance(found, Exchange), found
    return found


def follow(site: Target, path: str, **more: int) -> tuple[Exchange, ...]:
    made, failure = http_client.follow(site, host="shop.localhost", path=path, seconds=SECONDS, **more)  # type: ignore[arg-type]
    assert failure is None
    return made


def test_an_exchange(site: Target) -> None:
    found = got(http_client.get(site, host="shop.localhost", path="/x?y", seconds=SECONDS, headers=(("X-Y", "z"),)))
    assert (found.status, found.reason, found.version) == (200, "OK", "HTTP/1.1")
    assert found.text == f"/x?y for shop.localhost:{site.port}"
    assert found.url == f"http://shop.localhost:{site.port}/x?y"
    assert 0 < found.first_byte <= found.seconds
    assert (found.tls, found.location, found.redirect, found.cut) == (None, None, None, False)
    assert (found.header("server") or "").startswith("BaseHTTP")


def test_the_host_that_is_sent(site: Target) -> None:
    for host, sent in (("other.test:81", "other.test:81"), ("::1", f"[::1]:{site.port}"), ("[::1]:81", "[::1]:81")):
        assert got(http_client.get(site, host=host, seconds=SECONDS)).text.endswith(f"for {sent}")
    for host in ("a\r\nX: y", "a\x00"):
        found = http_client.get(site, host=host, seconds=SECONDS)
        assert isinstance(found, Failure)
        assert found.failing is Failing.OTHER


def test_redirects_that_stay(site: Target) -> None:
    port = site.port
    places = ["/end", "end", f"//shop.localhost:{port}/end", f"http://{HOST}:{port}/end"]
    places += [f"http://{int(ip_address(HOST))}:{port}/end", f"http://sub.localhost:{port}/end?x#y"]
    for place in places:
        first, last = follow(site, f"/to?{place}")
        assert (first.redirect, first.location) == (Redirect.HERE, place)
        assert last.status == 200
        assert last.text.startswith("/end")


def test_redirects_that_do_not(site: Target) -> None:
    port = site.port
    for place, kind in (
        ("http://198.51.100.7/", Redirect.ELSEWHERE),
        ("https://example.org/", Redirect.ELSEWHERE),
        ("mailto:a@b", Redirect.UNREADABLE),
        (f"http://shop.localhost:{port}@198.51.100.7/", Redirect.ELSEWHERE),
    ):
        (only,) = follow(site, f"/to?{place}")
        assert (only.redirect, only.location) == (kind, place)


def test_circles(site: Target) -> None:
    assert [one.redirect for one in follow(site, "/tick")] == [Redirect.HERE, Redirect.LOOP]
    made = follow(site, "/count")
    assert len(made) == 11
    assert [one.redirect for one in made] == [Redirect.HERE] * 10 + [Redirect.TOO_MANY]
    assert len(follow(site, "/count", most=0)) == 1


def test_a_cookie_is_no_circle(site: Target) -> None:
    first, last = follow(site, "/login")
    assert (first.status, last.status) == (303, 200)
    assert Site.asked[-1][2] == "session=abc"


def test_redirects_to_what_is_left_alone(site: Target) -> None:
    """Each other listener is asked about, the one that was asked for is not."""
    asked: list[Target] = []

    def barred(target: Target) -> str | None:
        asked.append(target)
        return "it prints"

    to = f"/to?http://shop.localhost:{site.port}/to?//127.0.0.1:9/"
    made, failure = http_client.follow(site, host="shop.localhost", path=to, seconds=SECONDS, barred=barred)
    assert (len(made), failure, made[-1].redirect, made[-1].untouched) == (2, None, Redirect.UNTOUCHED, "it prints")
    assert asked == [Target(ip_address("127.0.0.1"), 9)]


def test_what_is_no_redirect(site: Target) -> None:
    for status in (201, 300, 305, 404, 500):
        (only,) = follow(site, f"/status?{status}")
        assert (only.status, only.location, only.redirect) == (status, None, None)


Behaviour = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Target]]:
    """`serve(behave)`: a listener that does so with each connection."""
    servers: list[socketserver.ThreadingTCPServer] = []

    def start(behave: Behaviour) -> Target:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(20)
                try:
                    behave(self.request)
                except OSError:  # the client went away
                    pass

        server = socketserver.ThreadingTCPServer((HOST, 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return Target(ip_address(HOST), server.server_address[1])

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    ("said", "failing", "detail"),
    [
        (b"", Failing.CLOSED, "it closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nServer", Failing.CLOSED, "it closed the connection before the end of its header"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Failing.NOT_HTTP, "no HTTP response: 'SSH-2.0-OpenSSH_9.2\\r\\n'"),
        (b"HTTP/1.1 what\r\n\r\n", Failing.NOT_HTTP, "no status line of HTTP: 'HTTP/1.1 what\\r\\n\\r\\n'"),
        (b"\x15\x03\x01\x00\x02\x02\x46", Failing.NOT_HTTP, "it answers with an alert of TLS"),
        (b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", Failing.ONLY_HTTP2, "it answers HTTP/1 with frames of HTTP/2"),
    ],
)
def test_what_is_no_answer(serve: Callable[[Behaviour], Target], said: bytes, failing: Failing, detail: str) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(said)

    found = http_client.get(serve(behave), host="localhost", seconds=SECONDS)
    assert isinstance(found, Failure)
    assert (found.failing, found.detail) == (failing, detail)
    assert found.seconds > 0


def test_no_answer_in_time(serve: Callable[[Behaviour], Target]) -> None:
    for said in (b"", b"HTTP/1.1 200 OK\r\n"):

        def behave(client: socket.socket, said: bytes = said) -> None:
            client.sendall(said)
            client.recv(1000)
            client.recv(1000)

        found = http_client.get(serve(behave), host="localhost", seconds=0.3)
        assert isinstance(found, Failure)
        assert found.failing is Failing.TIMED_OUT


@pytest.mark.parametrize(
    ("header", "broken"),
    [(b"Content-Length: 100", Failing.TIMED_OUT), (b"Content-Type: text/event-stream", None)],
)
def test_an_answer_that_stays_unfinished(
    serve: Callable[[Behaviour], Target], header: bytes, broken: Failing | None
) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n\r\ndata: half\n\n")
        client.recv(65536)

    found = got(http_client.get(serve(behave), host="localhost", seconds=1.5))
    assert found.broken is broken


def test_an_answer_that_is_cut(serve: Callable[[Behaviour], Target]) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        client.recv(1000)

    found = got(http_client.get(serve(behave), host="localhost", seconds=0.3))
    assert (found.body, found.cut, found.broken) == (b"half", True, None)


def test_an_answer_that_is_closed_in_its_middle(serve: Callable[[Behaviour], Target]) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(65536)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    found = got(http_client.get(serve(behave), host="localhost", seconds=SECONDS))
    assert (found.body, found.broken) == (b"half", Failing.CLOSED)


def test_nothing_listens() -> None:
    with socket.socket() as one:
        one.bind((HOST, 0))
        target = Target(ip_address(HOST), one.getsockname()[1])
    made, failure = http_client.follow(target, host="localhost", seconds=SECONDS)
    assert made == ()
    assert failure is not None
    assert failure.failing is Failing.REFUSED
    assert isinstance(http_client.upgrade(target, host="localhost", seconds=SECONDS), Failure)
    assert isinstance(http_client.health(target, host="localhost", seconds=SECONDS), Failure)


def test_websockets(serve: Callable[[Behaviour], Target]) -> None:
    origins = []

    def behave(client: socket.socket) -> None:
        import base64

        head = client.recv(65536).decode()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        origins.append(fields["Origin"])
        if "Sec-WebSocket-Protocol" not in fields:
            client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return
        answer = websocket.accept(base64.b64decode(fields["Sec-WebSocket-Key"]))
        client.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {answer}\r\nSec-WebSocket-Protocol: vite-hmr\r\n\r\n".encode()
            + b"\x81\x05hello"
        )
        frame = client.recv(1000)
        assert frame[:2] == b"\x88\x82"
        client.sendall(b"\x88\x02\x03\xe8")

    target = serve(behave)
    found = http_client.upgrade(target, host="localhost", path="/ws", seconds=SECONDS, protocols=("vite-hmr", "other"))
    assert isinstance(found, Upgrade)
    assert (found.agreed, found.protocol, found.closed_cleanly, found.refusal) == (True, "vite-hmr", True, None)
    assert origins == [f"http://localhost:{target.port}"]
    refused = http_client.upgrade(target, host="localhost", seconds=SECONDS)
    assert isinstance(refused, Upgrade)
    assert (refused.agreed, refused.refusal) == (False, "it answered 400 Bad Request")
    assert refused.exchange.status == 400


NODE = """
const http2 = require("node:http2");
const server = http2.createServer();
server.on("stream", (stream, headers) => {
  const path = headers[":path"], kind = {":status": 200, "content-type": "application/grpc"};
  if (path === "/grpc.health.v1.Health/Check" && headers[":authority"].startsWith("healthy")) {
    stream.respond(kind, {waitForTrailers: true});
    stream.on("wantTrailers", () => stream.sendTrailers({"grpc-status": "0"}));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  } else if (path.startsWith("/grpc")) {
    stream.respond({...kind, "grpc-status": "12", "grpc-message": "unknown service"}, {endStream: true});
  } else if (path === "/to") {
    stream.respond({":status": 302, location: "/end"}, {endStream: true});
  } else {
    stream.respond({":status": 200, "content-type": "text/plain"});
    stream.end(`${path} for ${headers[":authority"]}`);
  }
});
server.listen(0, "%s", () => console.log(server.address().port));
"""


@pytest.fixture(scope="module")
def node() -> Iterator[Target]:
    """A server of Node that speaks HTTP/2 without TLS, and nothing else."""
    assert shutil.which("node")
    server = subprocess.Popen(["node", "-e", NODE % HOST], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield Target(ip_address(HOST), int(server.stdout.readline()))
    finally:
        server.kill()
        server.communicate()


def test_http2_with_prior_knowledge(node: Target) -> None:
    made, failure = http_client.follow(node, host="localhost", path="/to", seconds=SECONDS, http2=True)
    assert failure is None
    assert [(one.status, one.version, one.redirect) for one in made] == [
        (302, "HTTP/2", Redirect.HERE),
        (200, "HTTP/2", None),
    ]
    assert made[-1].text == f"/end for localhost:{node.port}"
    found = http_client.get(node, host="localhost", seconds=SECONDS)
    assert isinstance(found, Failure)
    assert found.failing is Failing.ONLY_HTTP2


def test_http2_of_a_server_that_does_not_speak_it(site: Target) -> None:
    found = http_client.get(site, host="localhost", seconds=SECONDS, http2=True)
    assert isinstance(found, Failure)
    assert found.failing in (Failing.NOT_HTTP, Failing.CLOSED)


def test_grpc_health(node: Target, site: Target) -> None:
    found = http_client.health(node, host="healthy", seconds=SECONDS)
    assert isinstance(found, Health)
    assert (found.status, found.serving) == ("OK", "SERVING")
    found = http_client.health(node, host="localhost", seconds=SECONDS)
    assert isinstance(found, Health)
    assert (found.status, found.message, found.serving) == ("UNIMPLEMENTED", "unknown service", None)
    assert isinstance(http_client.health(site, host="localhost", seconds=SECONDS), Failure)
    assert isinstance(http_client.health(node, host="localhost", seconds=SECONDS, service="x" * 200), Failure)


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """nginx with TLS and HTTP/2 by ALPN."""
    folder = tmp_path_factory.mktemp("nginx")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with socket.socket() as one:
        one.bind((HOST, 0))
        port = one.getsockname()[1]
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error; events {{}}\n"
        f"http {{ access_log off; server {{ listen {HOST}:{port} ssl http2; server_name localhost;\n"
        f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;\n"
        'location = /to { return 301 /end; } location / { return 200 "$server_protocol"; } } }'
    )
    server = subprocess.Popen(["/usr/sbin/nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    target = Target(ip_address(HOST), port)
    try:
        deadline = time.monotonic() + 30
        while isinstance(first := dial(target, 1.0), Failure):
            assert server.poll() is None
            assert time.monotonic() < deadline
        first.close()
        yield target
    finally:
        server.terminate()
        server.wait(20)


def test_in_tls(nginx: Target) -> None:
    for http2, version in ((False, "HTTP/1.1"), (True, "HTTP/2")):
        made, failure = http_client.follow(nginx, host="localhost", path="/to", seconds=SECONDS, tls=True, http2=http2)
        assert failure is None
        assert [(one.status, one.version) for one in made] == [(301, version), (200, version)]
        assert made[-1].text in ("HTTP/1.1", "HTTP/2.0")
        assert made[-1].tls is not None
        assert made[-1].tls.name_matches
        assert made[-1].tls.alpn == ("h2" if http2 else "http/1.1")
        assert made[-1].url == f"https://localhost:{nginx.port}/end"


def test_plain_text_where_tls_is_spoken(nginx: Target, site: Target) -> None:
    found = got(http_client.get(nginx, host="localhost", seconds=SECONDS))
    assert (found.status, found.tls) == (400, None)
    assert "plain HTTP request" in found.text
    refused = http_client.get(site, host="localhost", seconds=SECONDS, tls=True)
    assert isinstance(refused, Failure)
    assert refused.failing is Failing.NOT_TLS


def test_the_hosts_file_and_the_own_name(site: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"198.51.100.7 both.test away.test\n{HOST} both.test near.test\n")
    monkeypatch.setattr("homeport.system.resolving.HOSTS", str(hosts))
    for name, count in (
        ("near.test", 2),
        ("both.test", 2),
        ("away.test", 1),
        ("unknown.test", 1),
        (socket.gethostname(), 2),
    ):
        assert len(follow(site, f"/to?http://{name}:{site.port}/end")) == count, name
