"""Servers that mean harm: none keeps homeport waiting, and none fills its memory.

One program plays all of them, each on a port of its own, again and again up to a thousand. A second one has the
conversations with them that probes have, and reports how each ended and how much memory it took.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from homeport.model.diagnosis import Verdict

HOST = "127.83.20.1"
LISTENERS = 1000
MOST_MEMORY = 150 << 20
SLACK = 20.0
"""Seconds by which a busy machine may be late; a server that is never left would take for ever."""

_SERVER = r"""
import asyncio, gzip, resource, ssl, struct, sys, zlib

DRIP, BLOCK = 0.1, b"x" * 65536
HELLO = bytes.fromhex("160303002c020000280303") + b"r" * 32 + bytes.fromhex("00c02f000000")

async def drip(reader, writer, data=b"HTTP/1.1 200 OK\r\nX-Slow: "):
    for byte in data:
        if not writer.is_closing():
            writer.write(bytes((byte,)))
            await asyncio.sleep(DRIP)
    await forever(writer, b"y", DRIP)

async def forever(writer, data, pause=0.0):
    while not writer.is_closing():
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(pause)

async def banner(reader, writer):
    await forever(writer, BLOCK)

async def bytes_one_by_one(reader, writer):
    await forever(writer, b"b")

async def after(reader, writer, head, data, pause=0.0):
    await reader.read(65536)
    writer.write(head)
    await forever(writer, data, pause)

async def headers(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n" * 1000)

async def one_header(reader, writer):
    await reader.read(65536)
    writer.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(100 * 16):
        writer.write(BLOCK)
        await writer.drain()
    writer.write(b"\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(3600)

async def folded_header(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n", b" b\r\n" * 10000)

async def interim(reader, writer):
    await after(reader, writer, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)

async def chunks(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nc\r\n" * 1000)

async def slow_chunks(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nc\r\n", DRIP)

async def huge_chunk(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", BLOCK)

async def trailers(reader, writer):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    await after(reader, writer, head, b"X-Trailer: t\r\n" * 1000)

async def endless_body(reader, writer):
    await after(reader, writer, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", BLOCK)

def bomb(coding, wbits):
    press = zlib.compressobj(9, zlib.DEFLATED, wbits)
    data = b"".join(press.compress(bytes(1 << 20)) for _ in range(256)) + press.flush()
    if coding == b"gzip, gzip":
        data = gzip.compress(data)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: " + coding + b"\r\nContent-Length: %d\r\n\r\n" % len(data)
    async def behave(reader, writer):
        await reader.read(65536)
        writer.write(head + data)
        await writer.drain()
        await asyncio.sleep(3600)
    return behave

async def tls_hello(reader, writer):
    await reader.read(65536)
    writer.write(HELLO)
    await asyncio.sleep(3600)

async def tls_certificates(reader, writer):
    record = b"\x16\x03\x03\x40\x00"
    await after(reader, writer, HELLO + record + b"\x0b\xff\xff\xff" + bytes(16380), record + bytes(16384))

async def tls_hello_requests(reader, writer):
    await after(reader, writer, b"", b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000)

async def tls_drip(reader, writer):
    await reader.read(65536)
    await drip(reader, writer, HELLO * 1000)

async def tls_warnings(reader, writer):
    await after(reader, writer, b"", b"\x15\x03\x03\x00\x02\x01\x70" * 1000)

def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + body

SETTINGS = frame(4, 0, 0)

async def settings(reader, writer):
    await after(reader, writer, SETTINGS, SETTINGS * 1000)

async def pings(reader, writer):
    await after(reader, writer, SETTINGS, frame(6, 0, 0, b"pingping") * 1000)

async def slow_pings(reader, writer):
    await after(reader, writer, SETTINGS, frame(6, 0, 0, b"pingping"), DRIP)

async def continuations(reader, writer):
    await after(reader, writer, SETTINGS + frame(1, 0, 1, b"\x88"), frame(9, 0, 1, b"\x00\x01a\x01b") * 1000)

async def hpack_bomb(reader, writer):
    # one long header into the table, then a reference of one byte to it, again and again
    big = b"\x40\x01a\x7f\x81\x1e" + b"v" * 4000
    await after(reader, writer, SETTINGS + frame(1, 0, 1, big), frame(9, 0, 1, b"\xbe" * 16000))

async def window_updates(reader, writer):
    await after(reader, writer, SETTINGS, frame(8, 0, 0, struct.pack("!I", 1)) * 1000)

async def empty_data(reader, writer):
    await after(reader, writer, SETTINGS + frame(1, 4, 1, b"\x88"), frame(0, 0, 1) * 1000)

async def pushes(reader, writer):
    await after(reader, writer, SETTINGS, frame(5, 4, 1, struct.pack("!I", 2) + b"\x82\x86\x84") * 1000)

async def redirects(reader, writer):
    target = (await reader.read(65536)).split(b" ")[1].decode("latin-1")
    number = int("".join(one for one in target if one.isdigit()) or "0") + 1
    writer.write(f"HTTP/1.1 302 Found\r\nLocation: /{number}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()

async def growing_redirects(reader, writer):
    target = (await reader.read(1 << 20)).split(b" ")[1]
    head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"a" * 8000
    writer.write(head + b"\r\nSet-Cookie: a%d=" % len(target) + b"c" * 4000 + b"\r\n\r\n")
    await writer.drain()

async def frames(reader, writer):
    import base64, hashlib
    head = await reader.read(65536)
    key = next((line[19:] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key: ")), b"")
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    writer.write(b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept)
    writer.write(b"\r\n\r\n")
    await forever(writer, b"\x82\x7e\x10\x00" + bytes(4096))

async def rubbish(reader, writer):
    import os
    while not writer.is_closing():
        writer.write(os.urandom(65536))
        await writer.drain()

async def silence(reader, writer):
    await asyncio.sleep(3600)

BEHAVIOURS = [
    drip, banner, bytes_one_by_one, headers, one_header, folded_header, interim, chunks, slow_chunks, huge_chunk,
    trailers, endless_body, bomb(b"gzip", 31), bomb(b"deflate", 15), bomb(b"gzip, gzip", 31), tls_hello,
    tls_certificates, tls_hello_requests, tls_drip, tls_warnings, settings, pings, slow_pings, continuations,
    hpack_bomb, window_updates, empty_data, pushes, redirects, growing_redirects, frames, rubbish, silence,
]

def guarded(behave):
    async def handle(reader, writer):
        try:
            await asyncio.wait_for(behave(reader, writer), 60)
        except (OSError, asyncio.TimeoutError, IndexError):
            pass
        finally:
            writer.close()
    return handle

async def main():
    ports, keep = [], []
    for number in range(int(sys.argv[2])):
        behave = BEHAVIOURS[number % len(BEHAVIOURS)]
        keep.append(await asyncio.start_server(guarded(behave), sys.argv[1], 0, backlog=64))
        ports.append(keep[-1].sockets[0].getsockname()[1])
    # real TLS, and within it a drip, a flood and a bomb
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    for behave in (drip, headers, chunks, BEHAVIOURS[12], silence):
        keep.append(await asyncio.start_server(guarded(behave), sys.argv[1], 0, ssl=context))
        ports.append(keep[-1].sockets[0].getsockname()[1])
    print(len(BEHAVIOURS), *ports, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    import os
    os._exit(0)

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
asyncio.run(main())
"""

_CLIENT = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from homeport.model.case import Wish
from homeport.model.dialling import Failure, Target
from homeport.operations.check import check
from homeport.system import http_client
from homeport.system.dialling import dial, tls_versions

HOST, SECONDS = sys.argv[1], 1.0

def greet(target):
    with dial(target, SECONDS) as connection:
        return len(connection.receive(lambda data: b"never" in data))

def shake(target):
    with dial(target, SECONDS) as connection:
        shown = connection.start_tls(server_name="localhost", alpn=("h2", "http/1.1"))
    return type(shown).__name__

def versions(target):
    return type(tls_versions(target, "localhost", SECONDS)).__name__

def told(found):
    return found.failing if isinstance(found, Failure) else type(found).__name__

PROBES = {
    "greet": greet,
    "get": lambda target: told(http_client.get(target, host="localhost", seconds=SECONDS)),
    "follow": lambda target: len(http_client.follow(target, host="localhost", seconds=SECONDS)[0]),
    "get over HTTP/2": lambda target: told(http_client.get(target, host="localhost", seconds=SECONDS, http2=True)),
    "get in TLS": lambda target: told(http_client.get(target, host="localhost", seconds=SECONDS, tls=True)),
    "TLS": shake,
    "versions of TLS": versions,
    "WebSocket": lambda target: told(http_client.upgrade(target, host="localhost", seconds=SECONDS)),
    "gRPC": lambda target: told(http_client.health(target, host="localhost", seconds=SECONDS)),
    "check": lambda target: check(f"http://{HOST}:{target.port}/", Wish(seconds=SECONDS)).verdict,
    "check in TLS": lambda target: check(f"https://{HOST}:{target.port}/", Wish(seconds=SECONDS)).verdict,
}

def probe(task):
    kind, port = task
    started = time.monotonic()
    found = PROBES[kind](Target(ip_address(HOST), port))
    return kind, port, found, time.monotonic() - started

tasks = json.load(sys.stdin)
with ThreadPoolExecutor(int(sys.argv[2])) as pool:
    answers = list(pool.map(probe, tasks))
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
json.dump({"answers": answers, "memory": int(status["VmHWM"].split()[0]) * 1024}, sys.stdout)
"""


class Crowd(NamedTuple):
    """The ports of the servers: every behaviour once, all of them, and those that speak real TLS."""

    each: list[int]
    plain: list[int]
    tls: list[int]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "server.py").write_text(_SERVER)
    certificate = folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run(
        [*command, "-keyout", certificate, "-out", folder / "cert.pem"], check=True, capture_output=True, timeout=60
    )
    certificate.write_text(certificate.read_text() + (folder / "cert.pem").read_text())
    script = [sys.executable, str(folder / "server.py"), HOST, str(LISTENERS), str(certificate)]
    server = subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        behaviours, *ports = [int(one) for one in server.stdout.readline().split()]
        assert len(ports) == LISTENERS + 5
        yield Crowd(ports[:behaviours], ports[:LISTENERS], ports[LISTENERS:])
    finally:
        server.kill()
        server.communicate()


def converse(tasks: list[tuple[str, int]], tmp_path: Path, at_once: int = 64) -> list[tuple[str, int, Any, float]]:
    """The answers of a program that has these conversations; it may not take more than its memory."""
    (tmp_path / "client.py").write_text(_CLIENT)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "client.py"), HOST, str(at_once)], input=json.dumps(tasks),
        capture_output=True, text=True, check=False, timeout=400, preexec_fn=_few_descriptors,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["memory"] < MOST_MEMORY
    assert len(said["answers"]) == len(tasks)
    return [(kind, port, found, seconds) for kind, port, found, seconds in said["answers"]]


def _few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))


def late(answers: list[tuple[str, int, Any, float]], seconds: float) -> list[tuple[str, int, Any, float]]:
    return [one for one in answers if one[3] > seconds + SLACK]


def test_a_thousand_at_once(crowd: Crowd, tmp_path: Path) -> None:
    answers = converse([("follow", port) for port in crowd.plain], tmp_path)
    assert late(answers, 1.0) == []


PROBES = ("greet", "get", "follow", "get over HTTP/2", "get in TLS", "TLS", "versions of TLS", "WebSocket", "gRPC")


def test_every_kind_of_conversation(crowd: Crowd, tmp_path: Path) -> None:
    tasks = [(kind, port) for kind in PROBES for port in (*crowd.each, *crowd.tls)]
    answers = converse(tasks, tmp_path)
    assert late(answers, 1.0) == []
    ends = {found for kind, _, found, _ in answers if kind == "get"}
    assert {"Exchange", "timed-out", "not-http", "only-http2"} <= ends


def test_checks(crowd: Crowd, tmp_path: Path) -> None:
    tasks = [("check", port) for port in crowd.each] + [("check in TLS", port) for port in crowd.tls]
    answers = converse(tasks, tmp_path, at_once=8)
    assert late(answers, 1.0) == []
    assert {found for _, _, found, _ in answers} <= {one.value for one in Verdict}
