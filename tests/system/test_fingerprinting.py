"""Listeners of every temper are asked: each is a real socket of this process."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from homeport.model.addresses import Protocol
from homeport.model.dialling import Target
from homeport.model.evidence import Confidence, Evidence
from homeport.rules.commands import Command
from homeport.services.kind import Clues
from homeport.system.fingerprinting import Finding, Suspect, recognise

HERE = ip_address("127.0.0.1")
PAGE = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Length: 2\r\n\r\nhi"
Handler = Callable[[socket.socket], None]


class Server:
    """Accepts, and leaves each client to `handler` in a thread; knows how many came, and how many at once."""

    def __init__(self, handler: Handler) -> None:
        self.clients = 0
        self.most_at_once = 0
        self.heard: list[bytes] = []
        self._handler = handler
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self.clients += 1
                self._open.add(client)
                self.most_at_once = max(self.most_at_once, len(self._open))
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(10)
        try:
            self._handler(client)
            while client.recv(1 << 16):  # until the other side has closed
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(client)
            client.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for one in self._threads:
            one.join(20)


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Server]]:
    servers: list[Server] = []

    def start(handler: Handler) -> Server:
        servers.append(Server(handler))
        return servers[-1]

    yield start
    for one in servers:
        one.close()


Serve = Callable[[Handler], Server]


def suspect(port: int, *programs: str, protocol: Protocol = Protocol.TCP) -> Suspect:
    return Suspect((Target(HERE, port, protocol),), Clues(port, programs), None)


def ask(port: int, *programs: str, seconds: float = 5.0) -> Finding:
    (found,) = recognise((suspect(port, *programs),), seconds)
    return found


def answering(answer: bytes, *expected: bytes) -> Handler:
    """Answers a first question that begins so; any other one ends the conversation."""

    def handle(client: socket.socket) -> None:
        if client.recv(1 << 16).startswith(expected):
            client.sendall(answer)
        else:
            client.shutdown(socket.SHUT_WR)

    return handle


def test_a_greeting_is_recognised_without_a_byte_sent(serve: Serve) -> None:
    heard = []

    def greet(client: socket.socket) -> None:
        client.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        heard.append(client.recv(100))

    server = serve(greet)
    found = ask(server.port).service
    assert found is not None
    assert (found.protocol, found.product, found.version) == ("ssh", "OpenSSH", "9.2p1")
    assert found.confidence is Confidence.CERTAIN
    assert server.clients == 1
    deadline = time.monotonic() + 10
    while not heard and time.monotonic() < deadline:
        time.sleep(0.01)
    assert heard == [b""]


def test_a_greeting_in_pieces_and_one_that_comes_late(serve: Serve) -> None:
    def pieces(client: socket.socket) -> None:
        client.sendall(b"SSH-2.0-Open")
        time.sleep(0.05)
        client.sendall(b"SSH_9.2p1\r\n")

    def late(client: socket.socket) -> None:
        client.recv(100)  # the question of somebody who did not wait
        client.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\nInvalid SSH identification string.\r\n")

    for handler in (pieces, late):
        found = ask(serve(handler).port).service
        assert found is not None
        assert found.product == "OpenSSH", handler


def test_http_is_the_first_question_and_one_connection_is_open_at_a_time(serve: Serve) -> None:
    server = serve(answering(PAGE, b"GET / HTTP/1.1\r\nHost: localhost:"))
    found = ask(server.port).service
    assert found is not None
    assert (found.protocol, found.product, found.version, found.tls) == ("http", "nginx", "1.22.1", False)
    assert server.most_at_once == 1


def test_questions_go_on_until_one_is_answered(serve: Serve) -> None:
    server = serve(answering(b"VERSION 1.6.18\r\n", b"version\r\n"))
    found = ask(server.port).service
    assert found is not None
    assert (found.protocol, found.product) == ("memcached", "memcached")
    assert server.clients > 2
    assert server.most_at_once <= 2  # one that we have closed may still be open there


def certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    (folder / "pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pem")
    return context


def in_tls(context: ssl.SSLContext, handler: Handler, plain: bytes = b"") -> Handler:
    def handle(client: socket.socket) -> None:
        if plain and client.recv(1, socket.MSG_PEEK) == b"G":
            client.recv(1 << 16)
            client.sendall(plain)
            return
        with context.wrap_socket(client.dup(), server_side=True) as inner:
            handler(inner)
            while inner.recv(1 << 16):
                pass

    return handle


def test_inside_of_tls_it_starts_again(serve: Serve, tmp_path: Path) -> None:
    context = certificate(tmp_path)

    def greet(client: socket.socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n")

    refusal = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\nThe plain HTTP request was sent to HTTPS port"
    for handler, product in (
        (in_tls(context, answering(PAGE, b"GET / ")), "nginx"),
        (in_tls(context, answering(PAGE, b"GET / "), refusal), "nginx"),
        (in_tls(context, greet), "Dovecot"),
    ):
        found = ask(serve(handler).port).service
        assert found is not None
        assert (found.product, found.tls) == (product, True)


ONLY_HTTP2 = """
const pem = require("fs").readFileSync(process.argv[1]);
const server = require("http2").createSecureServer({ key: pem, cert: pem, allowHTTP1: false });
server.on("stream", (stream) => { stream.respond({ ":status": 404 }); stream.end(); });
for (const name of ["sessionError", "tlsClientError"]) server.on(name, () => {});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


def test_http2_in_tls_is_asked_where_nothing_else_is_taken(tmp_path: Path) -> None:
    certificate(tmp_path)
    command = ["node", "-e", ONLY_HTTP2, str(tmp_path / "pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = ask(int(server.stdout.readline()), "node").service
        server.kill()
    assert found is not None
    assert (found.protocol, found.tls) == ("http/2", True)


def test_tls_with_something_unknown_inside_is_tls(serve: Serve, tmp_path: Path) -> None:
    found = ask(serve(in_tls(certificate(tmp_path), lambda _: None)).port, seconds=2.0).service
    assert found is not None
    assert (found.protocol, found.product, found.tls) == ("tls", None, True)
    assert "shop.test" in found.evidence[0].text


def test_silence_closing_rubbish_and_floods_are_nothing_and_end_in_time(serve: Serve) -> None:
    def flood(client: socket.socket) -> None:
        while True:
            client.sendall(b"\xfe" * 65536)

    def drip(client: socket.socket) -> None:
        while True:
            client.sendall(b"H")
            time.sleep(0.02)

    tempers: list[Handler] = [lambda _: None, lambda client: client.shutdown(socket.SHUT_RDWR), flood, drip]
    servers = [serve(one) for one in tempers]
    started = time.monotonic()
    found = recognise([suspect(one.port) for one in servers], 3.0)
    assert [one.service for one in found] == [None] * 4
    assert time.monotonic() - started < 20
    assert servers[1].clients == 1  # whoever closes at once is not asked again


@pytest.mark.parametrize("word", [b"S", b"N", b"+PONG\r\n", b"OK\r\n"])
def test_who_says_one_word_to_everything_is_nobody(serve: Serve, word: bytes) -> None:
    def handler(client: socket.socket) -> None:
        while client.recv(1 << 16):
            client.sendall(word)

    assert ask(serve(handler).port).service is None


def test_nobody_there_is_nothing_to_complain_about() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    assert ask(port) == Finding(None, None, True)


def test_what_may_not_be_dialled_is_said() -> None:
    away = Suspect((Target(ip_address("192.0.2.7"), 80),), Clues(80, ()), None)
    (found,) = recognise((away,), 2.0)
    assert found.service is None
    assert found.limit is not None
    assert "192.0.2.7" in found.limit


def test_the_second_address_is_taken_where_the_first_takes_nobody(serve: Serve) -> None:
    server = serve(answering(PAGE, b"GET / "))
    targets = (Target(ip_address("::1"), server.port), Target(HERE, server.port))
    (found,) = recognise((Suspect(targets, Clues(server.port, ()), None),), 3.0)
    assert found.service is not None
    assert found.service.product == "nginx"


def test_without_time_nobody_is_asked(serve: Serve) -> None:
    server = serve(lambda _: None)
    assert recognise([suspect(server.port)] * 3, 0.0) == [Finding(None, None, False)] * 3
    assert server.clients == 0


def test_a_stumbling_entry_is_said_and_takes_nobody_along(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(said: bytes, clues: Clues) -> None:
        raise ZeroDivisionError(said, clues.port)

    greeting = serve(lambda client: client.sendall(b"hello\r\n"))
    other = serve(answering(PAGE, b"GET / "))
    monkeypatch.setattr("homeport.services.engine.greeted", stumble)
    first, second = recognise((suspect(greeting.port), suspect(other.port)), 5.0)
    assert first.limit is not None
    assert "ZeroDivisionError" in first.limit
    assert second.service is not None


def test_silence_of_a_known_executable_on_its_port_is_likely(serve: Serve) -> None:
    server = serve(lambda _: None)
    command = Command(
        "redis-server", "/usr/bin/redis-server", None, (), Confidence.CERTAIN, Evidence("/proc/1/exe", "")
    )
    clues = Clues(6379, ("redis-server",))
    (found,) = recognise((Suspect((Target(HERE, server.port),), clues, command),), 2.0)
    assert found.service is not None
    assert (found.service.protocol, found.service.confidence) == ("redis", Confidence.LIKELY)


def test_udp_is_asked_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.settimeout(10)

        def answer() -> None:
            query, client = one.recvfrom(512)
            one.sendto(query[:2] + b"\x81\x85" + query[4:], client)  # RFC 1035 §4.1.1: a response, REFUSED

        thread = threading.Thread(target=answer)
        thread.start()
        (found,) = recognise((suspect(one.getsockname()[1], protocol=Protocol.UDP),), 3.0)
        thread.join()
    assert found.service is not None
    assert found.service.protocol == "dns"


def test_with_fewer_threads_or_none_everybody_is_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [serve(lambda client: client.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")).port for _ in range(3)]
    start = threading.Thread.start
    for allowed in (1, 0):
        begun: list[threading.Thread] = []

        def begin(thread: threading.Thread, begun: list[threading.Thread] = begun, allowed: int = allowed) -> None:
            if thread.name.startswith("homeport-services"):
                if len(begun) == allowed:
                    raise RuntimeError("can't start new thread")
                begun.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", begin)
        found = recognise([suspect(port) for port in ports], 5.0)
        assert [one.service and one.service.product for one in found] == ["OpenSSH"] * 3


def test_a_thread_that_is_stuck_keeps_nobody_waiting(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()
    answering_port = serve(lambda client: client.sendall(b"SSH-2.0-OpenSSH_9.2p1\r\n")).port

    def listen(clues: Clues) -> float:
        return 0.0 if clues.port == 1 and stuck.wait(60) else 1.0

    monkeypatch.setattr("homeport.services.engine.listening_time", listen)
    silent = Suspect((Target(HERE, serve(lambda _: None).port),), Clues(1, ()), None)
    try:
        first, second = recognise((silent, suspect(answering_port)), 1.0)
        assert first == Finding(None, None, False)
        assert second.service is not None
    finally:
        stuck.set()


def test_threads_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        recognise([suspect(one.getsockname()[1])] * 100, 0.5)
    until = time.monotonic() + 20
    while [each for each in threading.enumerate() if each.name.startswith("homeport-services")]:
        assert time.monotonic() < until
        time.sleep(0.01)
