from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from homeport.model.dialling import Failing, Failure, Target
from homeport.model.tls import Tls
from homeport.system.dialling import Connection, dial, tls_versions

HOST = "127.83.22.1"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _made(
    subject: str, issuer: Authority | None, names: tuple[str, ...] = (), start: timedelta = -DAY, end: timedelta = DAY
) -> Authority:
    """A certificate; without an issuer that of an authority, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = Authority(key, None) if issuer is None else issuer  # type: ignore[arg-type]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(subject) if issuer is None else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
        .add_extension(x509.BasicConstraints(not names, None), critical=True)
    )
    if names:
        general = [x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
    return Authority(key, builder.sign(signer.key, hashes.SHA256()))


def _pem(folder: Path, *chain: Authority) -> Path:
    path = folder / f"{chain[0].certificate.serial_number:x}.pem"
    private = chain[0].key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + b"".join(one.certificate.public_bytes(serialization.Encoding.PEM) for one in chain))
    return path


@contextmanager
def serving(behave: Callable[[socket.socket], object]) -> Iterator[Target]:
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed: the end
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with client:
                client.settimeout(20)
                try:
                    behave(client)
                except OSError:  # refused, or the client went away
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Target(ip_address(HOST), server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


def context(pem: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made


def speaking(made: ssl.SSLContext) -> Callable[[socket.socket], object]:
    """Says hello in TLS at once, then echoes what it hears, once."""

    def behave(client: socket.socket) -> None:
        with made.wrap_socket(client, server_side=True) as inside:
            inside.sendall(b"hello")
            inside.sendall(inside.recv(100))

    return behave


def shaken(target: Target, name: str | None = "localhost", **more: Any) -> Tls | Failure | None:
    connection = dial(target, 10.0)
    assert isinstance(connection, Connection), connection
    with connection:
        return connection.start_tls(server_name=name, **more)


def agreed(target: Target, name: str | None = "localhost", **more: Any) -> Tls:
    found = shaken(target, name, **more)
    assert isinstance(found, Tls), found
    return found


@pytest.fixture(scope="module")
def authority() -> Authority:
    return _made("An Authority", None)


@pytest.fixture(scope="module")
def good(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _pem(tmp_path_factory.mktemp("tls"), _made("Good", authority, ("localhost", "*.shop.test", HOST)), authority)


def test_a_conversation_in_tls(good: Path) -> None:
    with serving(speaking(context(good))) as target:
        connection = dial(target, 10.0)
        assert isinstance(connection, Connection)
        with connection:
            found = connection.start_tls(server_name="localhost", verify=False)
            assert isinstance(found, Tls)
            assert found.trusted is None
            assert connection.receive(lambda data: len(data) == 5) == b"hello"
            connection.send(b"echo")
            assert connection.receive() == b"echo"
            assert connection.receive() == b""
            assert connection.ended


def test_what_is_shown(good: Path) -> None:
    made = context(good)
    made.set_alpn_protocols(["http/1.1"])
    with serving(speaking(made)) as target:
        found = agreed(target, alpn=("h2", "http/1.1"))
        assert tls_versions(target, "localhost", 10.0) == ("TLSv1.2", "TLSv1.3")
    assert (found.version, found.alpn) == ("TLSv1.3", "http/1.1")
    assert found.cipher.startswith("TLS_")
    assert [one.subject for one in found.chain] == ["CN=Good", "CN=An Authority"]
    assert found.name_matches
    assert [one.self_signed for one in found.chain] == [False, True]
    assert found.unreadable == ()


WANTED = [
    ("localhost", True),
    ("a.shop.test", True),
    (HOST, True),
    ("other", False),
    ("127.0.0.1", False),
    (None, None),
]


@pytest.mark.parametrize(("name", "expected"), WANTED)
def test_names(good: Path, name: str | None, expected: bool | None) -> None:
    with serving(speaking(context(good))) as target:
        assert agreed(target, name).name_matches is expected


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 300, "a\0b", "[::1]", "ä.test", "under_score.test", "-"])
def test_names_that_cannot_be_asked_for(good: Path, name: str) -> None:
    with serving(speaking(context(good))) as target:
        agreed(target, name)


def test_trust(good: Path, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the system's store, and by SSL_CERT_FILE, as other programs have it."""
    root = tmp_path / "root.pem"
    root.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    with serving(speaking(context(good))) as target:
        found = agreed(target)
        assert (found.trusted, found.trust_error) == (False, "self-signed certificate in certificate chain")
        monkeypatch.setenv("SSL_CERT_FILE", str(root))
        found = agreed(target)
        assert (found.trusted, found.trust_error) == (True, None)
        assert agreed(target, "other").trusted, "names are judged by themselves"
    alone = _pem(tmp_path, _made("Alone", _made("Another Authority", None), ("localhost",)))
    with serving(speaking(context(alone))) as target:
        found = agreed(target)
        assert (found.trusted, found.trust_error) == (False, "unable to get local issuer certificate")
    by_itself = _pem(tmp_path, _made("localhost", None))
    with serving(speaking(context(by_itself))) as target:
        assert agreed(target).trust_error == "self-signed certificate"


def test_an_expired_certificate_is_trusted_apart_from_that(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(root))
    for start, end in ((-2 * DAY, -DAY), (DAY, 2 * DAY)):
        with serving(speaking(context(_pem(tmp_path, _made("Old", authority, ("localhost",), start, end))))) as target:
            found = agreed(target)
        assert found.trusted
        assert not found.chain[0].valid_at(NOW)


def test_one_version_only(good: Path) -> None:
    for version, number in (("TLSv1.2", ssl.TLSVersion.TLSv1_2), ("TLSv1.3", ssl.TLSVersion.TLSv1_3)):
        made = context(good)
        made.minimum_version = made.maximum_version = number
        with serving(speaking(made)) as target:
            found = agreed(target)
            assert (found.version, tls_versions(target, "localhost", 10.0)) == (version, (version,))


def test_versions_of_who_does_not_answer_in_time_are_not_told() -> None:
    with serving(lambda client: client.recv(1000) and client.recv(1)) as target:
        assert tls_versions(target, None, 0.3) is None
    assert tls_versions(target, None, 1.0) is None, "nobody listens there any more"


def test_a_client_certificate_is_demanded(good: Path) -> None:
    made = context(good)
    made.verify_mode = ssl.CERT_REQUIRED
    with serving(speaking(made)) as target:
        connection = dial(target, 10.0)
        assert isinstance(connection, Connection)
        with connection:
            assert isinstance(connection.start_tls(server_name="localhost"), Tls), "TLS 1.3 tells it afterwards"
            assert connection.receive() == b""
            assert connection.failing is Failing.ALERT
            assert "certificate_required: it wants a certificate of the client" in connection.detail
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(speaking(made)) as target:
        found = shaken(target)
        assert isinstance(found, Failure)
        assert found.failing is Failing.ALERT


def test_no_protocol_in_common(good: Path, tmp_path: Path) -> None:
    """nginx and others choose none; OpenSSL's own server, told so, refuses."""
    command = ["openssl", "s_server", "-accept", f"{HOST}:0", "-cert", str(good), "-key", str(good), "-alpn", "h2"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith("ACCEPT"))
        target = Target(ip_address(HOST), int(line.rpartition(":")[2]))
        found = shaken(target, alpn=("http/1.1",))
        assert isinstance(found, Failure)
        assert found.failing is Failing.ALERT
        assert found.detail.startswith("the server answers with the alert no_application_protocol")
        assert agreed(target, alpn=("h2",)).alpn == "h2"
    finally:
        server.kill()
        server.communicate()


def test_a_name_that_the_server_does_not_know(good: Path) -> None:
    made = context(good)

    def choose(_: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> int | None:
        return None if name == "localhost" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    made.sni_callback = choose
    with serving(speaking(made)) as target:
        assert isinstance(shaken(target), Tls)
        found = shaken(target, "other.test")
        assert isinstance(found, Failure)
        assert (
            found.detail == "the server answers with the alert unrecognized_name: it has no certificate for that name"
        )


OTHERS = [b"HTTP/1.1 400 Bad\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00", b"\x16\x00\x00", b"\x15HELLO", b"220 smtp\r\n"]


@pytest.mark.parametrize("said", OTHERS)
def test_no_tls_is_spoken(said: bytes) -> None:
    def behave(client: socket.socket) -> None:
        client.recv(1000)
        client.sendall(said)
        client.recv(1)

    with serving(behave) as target:
        assert shaken(target) is None


def test_how_a_handshake_breaks_off() -> None:
    hello = bytes.fromhex("160303002c020000280303") + b"r" * 32 + bytes.fromhex("00c02f000000")
    endings = [
        (None, Failing.CLOSED),
        (b"", Failing.TIMED_OUT),
        (b"\x16\x03", Failing.TIMED_OUT),
        (hello, Failing.TIMED_OUT),
        (b"\x15\x03\x01\x00\x02\x02\x28", Failing.ALERT),
        (b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00", Failing.OTHER),
    ]
    for said, failing in endings:

        def behave(client: socket.socket, said: bytes | None = said) -> None:
            client.recv(1000)
            if said is not None:
                client.sendall(said)
                client.recv(1)

        with serving(behave) as target:
            connection = dial(target, 0.5)
            assert isinstance(connection, Connection)
            with connection:
                found = connection.start_tls(server_name="localhost")
            assert isinstance(found, Failure)
            assert found.failing is failing, found


def test_nginx_with_old_and_weak_settings(tmp_path: Path, good: Path) -> None:
    """A server that others refuse to talk to is still looked at."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        port = one.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error; events {{}}\n"
        f"http {{ access_log off; server {{ listen {HOST}:{port} ssl;\n"
        f"ssl_certificate {good}; ssl_certificate_key {good};\n"
        "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; } }"
    )
    assert shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    server = subprocess.Popen(["/usr/sbin/nginx", "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        while isinstance(first := dial(Target(ip_address(HOST), port), 1.0), Failure):
            assert server.poll() is None
        first.close()
        target = Target(ip_address(HOST), port)
        assert agreed(target).version == "TLSv1.1"
        assert tls_versions(target, None, 10.0) == ("TLSv1", "TLSv1.1")
    finally:
        server.terminate()
        server.wait(20)
