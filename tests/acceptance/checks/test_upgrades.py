"""WebSocket and gRPC, where the scheme asks for them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

import pytest
from tests.acceptance.checks.cases import Diagnosis, case
from tests.acceptance.checks.conftest import Check

WEB = """
const http = require("node:http"), crypto = require("node:crypto");
const server = http.createServer((request, response) => {
  response.writeHead(request.url === "/" ? 200 : 404);
  response.end("a page");
});
server.on("upgrade", (request, socket) => {
  if (request.url !== "/ws") {
    const status = request.url === "/" ? "200 OK" : "404 Not Found";
    socket.end(`HTTP/1.1 ${status}\\r\\nContent-Length: 6\\r\\nConnection: close\\r\\n\\r\\na page`);
    return;
  }
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = crypto.createHash("sha1").update(key).digest("base64");
  const head = "HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n";
  socket.write(`${head}Sec-WebSocket-Accept: ${accept}\\r\\n\\r\\n`);
  socket.once("data", () => socket.end(Buffer.from([0x88, 0x02, 0x03, 0xe8])));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""

GRPC = """
const http2 = require("node:http2");
const server = http2.createServer();
server.on("stream", (stream, headers) => {
  const kind = {":status": 200, "content-type": "application/grpc"};
  const serving = {healthy: 1, ill: 2}[headers[":authority"].split(":")[0]];
  if (serving === undefined || headers[":path"] !== "/grpc.health.v1.Health/Check") {
    stream.respond({...kind, "grpc-status": "12", "grpc-message": "unknown service"}, {endStream: true});
    return;
  }
  stream.respond(kind, {waitForTrailers: true});
  stream.on("wantTrailers", () => stream.sendTrailers({"grpc-status": "0"}));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, serving]));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


@contextlib.contextmanager
def node(text: str) -> Iterator[int]:
    """A program of Node.js, with the port that it says it listens on."""
    server = subprocess.Popen(["node", "-e", text], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    with node(WEB) as port:
        yield port


@pytest.fixture(scope="module")
def grpc() -> Iterator[int]:
    with node(GRPC) as port:
        yield port


def told(found: Diagnosis) -> str:
    return " ".join(one["detail"] for one in found["observations"] if one["layer"] == "http")


@case("ok", "a WebSocket of Node, at its path", near="http-error")
def test_a_websocket(check: Check, web: int) -> Diagnosis:
    found = check(f"ws://127.0.0.1:{web}/ws")
    assert "WebSocket: opened, and closed in good order" in told(found)
    return found


@case("wrong-protocol", "a page of the same server, asked as a WebSocket", near="ok")
def test_a_page_is_no_websocket(check: Check, web: int) -> Diagnosis:
    found = check(f"ws://127.0.0.1:{web}/")
    assert "no WebSocket at /" in found["cause"]
    return found


@case("http-error", "no WebSocket at that path: 404", near="wrong-protocol")
def test_no_such_websocket(check: Check, web: int) -> Diagnosis:
    return check(f"ws://127.0.0.1:{web}/other")


@case("ok", "a gRPC server that says that it serves", near="http2-only")
def test_a_healthy_grpc_server(check: Check, grpc: int) -> Diagnosis:
    found = check(f"grpc://127.0.0.1:{grpc}", "--host", "healthy")
    assert "gRPC, grpc.health.v1.Health/Check: OK, SERVING" in told(found)
    return found


@case("service-error", "a gRPC server that says that it does not serve", near="ok")
def test_an_ill_grpc_server(check: Check, grpc: int) -> Diagnosis:
    found = check(f"grpc://127.0.0.1:{grpc}", "--host", "ill")
    assert "NOT_SERVING" in found["cause"]
    return found


@case("ok", "a gRPC server without a health service", near="service-error")
def test_a_grpc_server_without_health(check: Check, grpc: int) -> Diagnosis:
    found = check(f"grpc://127.0.0.1:{grpc}")
    assert "UNIMPLEMENTED" in told(found)
    return found


@case("wrong-protocol", "a web server, asked as gRPC", near="http2-only")
def test_a_page_is_no_grpc(check: Check, web: int) -> Diagnosis:
    found = check(f"grpc://127.0.0.1:{web}")
    assert "no gRPC" in found["cause"]
    return found
