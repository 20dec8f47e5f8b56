from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.wire.certificates import certificate, matches

START, END = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
EC = ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(
    key: object = EC, *, issuer: str = "here", signer: object = EC, names: list[x509.GeneralName] | None = None
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("here"))
        .issuer_name(name(issuer))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(0xABCDEF)
        .not_valid_before(START)
        .not_valid_after(END)
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()
    return builder.sign(signer, algorithm).public_bytes(serialization.Encoding.DER)  # type: ignore[arg-type]


def test_what_it_says() -> None:
    loopback, mail = x509.IPAddress(ip_address("::1")), x509.RFC822Name("a@b")
    names = [x509.DNSName("shop.localhost"), mail, loopback, x509.DNSName("*.test")]
    found = certificate(made(names=names))
    assert (found.subject, found.issuer) == ("CN=here", "CN=here")
    assert found.names == ("shop.localhost", "::1", "*.test")
    assert (found.not_before, found.not_after) == (START, END)
    assert found.self_signed
    assert (found.key, found.serial) == ("EC secp256r1", "abcdef")
    assert len(found.fingerprint_sha256) == 64
    assert found.valid_at(START)
    assert found.valid_at(END)
    assert not found.valid_at(START - timedelta(seconds=1))
    assert not found.valid_at(END + timedelta(seconds=1))


def test_who_signed_it() -> None:
    assert not certificate(made(issuer="an authority")).self_signed
    assert not certificate(made(signer=ec.generate_private_key(ec.SECP256R1()))).self_signed
    assert certificate(made()).names == ()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
        (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (dsa.generate_private_key(1024), "DSA 1024"),
    ],
)
def test_kinds_of_keys(key: object, text: str) -> None:
    found = certificate(made(key, signer=key))
    assert (found.key, found.self_signed) == (text, True)


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        (("localhost",), "localhost", True),
        (("LocalHost",), "LOCALHOST.", True),
        (("localhost",), "shop.localhost", False),
        (("*.shop.test",), "www.shop.test", True),
        (("*.shop.test",), "shop.test", False),
        (("*.shop.test",), "a.b.shop.test", False),
        (("*.test",), "shop.test", False),  # as OpenSSL: a whole top-level domain is not taken
        (("w*.shop.test",), "www.shop.test", False),
        (("*",), "localhost", False),
        (("127.0.0.1",), "127.0.0.1", True),
        (("127.0.0.1",), "127.0.0.2", False),
        (("::1",), "[::1]", True),
        (("0:0:0:0:0:0:0:1",), "::1", True),
        (("fe80::1",), "fe80::1%eth0", True),
        (("localhost",), "127.0.0.1", False),
        (("*.0.0.1",), "127.0.0.1", False),
        ((), "localhost", False),
        (("localhost",), "", False),
        (("",), "", False),
    ],
)
def test_whom_it_is_for(names: tuple[str, ...], host: str, expected: bool) -> None:
    assert matches(names, host) is expected


DER = made(names=[x509.DNSName("localhost")])


@given(st.binary(max_size=200), st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_any_bytes(data: bytes, place: int, byte: int) -> None:
    """Rubbish, and a good certificate with one byte changed."""
    for one in (data, DER[:place], DER[:place] + bytes((byte,)) + DER[place + 1 :]):
        try:
            certificate(one)
        except WireError:
            pass


@given(st.lists(st.text()), st.text())
def test_any_names(names: list[str], host: str) -> None:
    matches(tuple(names), host)
