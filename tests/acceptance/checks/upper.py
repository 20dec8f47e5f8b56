"""What TLS and web situations are made of: certificates, one nginx with many servers, and small servers of Node."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.acceptance.checks.making import running, wait_until

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)


class Pair(NamedTuple):
    """A certificate and its key, as files; `certificate` may hold a chain."""

    certificate: Path
    key: Path


class Authority:
    """An authority of one's own, whose certificate is `root`: signed by itself, or by the one above it."""

    def __init__(self, folder: Path, above: Authority | None = None, name: str = "Homeport test authority") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = above or self
        own = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(signer._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 400 * DAY)
            .not_valid_after(NOW + 400 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(signer._key, hashes.SHA256())
        )
        self.root = folder / ("root.pem" if above is None else "intermediate.pem")
        self.root.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(
        self, label: str, names: Sequence[str], *, start: datetime.datetime = NOW - DAY,
        end: datetime.datetime = NOW + 90 * DAY, self_signed: bool = False,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    ) -> Pair:  # fmt: skip
        """A certificate for names and addresses (or for none), signed by this authority or by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0] if names else "localhost")])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general(one) for one in names])
            made = made.add_extension(alternatives, critical=False)
        signed = made.sign(key if self_signed else self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{label}.pem", self._folder / f"{label}.key")
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return pair


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@contextlib.contextmanager
def nginx(folder: Path, servers: str, port: int) -> Iterator[int]:
    """nginx with these server blocks; `port` is one that it must listen on. Gives its pid."""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        "events {}\n"
        f"http {{ access_log {folder}/access.log; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n{servers}\n}}\n"
    )
    with running("nginx", "-p", folder, "-c", configuration) as one:
        wait_until(lambda: one.poll() is None and answers(port), "nginx listens")
        yield one.pid


@contextlib.contextmanager
def node(folder: Path, text: str, port: int) -> Iterator[int]:
    """A program of Node.js that listens on `port`."""
    script = folder / "server.js"
    script.write_text(text)
    with running("node", script, cwd=folder) as one:
        wait_until(lambda: one.poll() is None and answers(port), "node listens")
        yield one.pid


def answers(port: int) -> bool:
    """Whether something listens on a port of 127.0.0.1, by the kernel's table, so that nobody is connected to."""
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    return any(
        row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in (line.split() for line in table.splitlines())
    )
