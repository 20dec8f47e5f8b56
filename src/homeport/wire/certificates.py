"""X.509 certificates (RFC 5280), read by the `cryptography` library, and the names that they are for (RFC 9525)."""

from __future__ import annotations

import warnings
from ipaddress import ip_address
from typing import TYPE_CHECKING

from homeport.errors import WireError
from homeport.model.tls import Certificate

if TYPE_CHECKING:
    from cryptography.x509 import Certificate as X509

MOST_NAMES = 256


def certificate(der: bytes) -> Certificate:
    """One certificate. Raises WireError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.utils import CryptographyDeprecationWarning

    # what is against the RFC in a server's certificate is no matter of this program's caller
    warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)
    try:
        found = x509.load_der_x509_certificate(der)
        return Certificate(
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string(),
            names=_names(found),
            not_before=found.not_valid_before_utc,
            not_after=found.not_valid_after_utc,
            self_signed=_self_signed(found),
            key=_key(found),
            serial=f"{found.serial_number:x}",
            fingerprint_sha256=found.fingerprint(SHA256()).hex(),
        )
    except Exception as error:  # the library has no common error: ValueError, TypeError, UnsupportedAlgorithm …
        raise WireError(f"a certificate that cannot be read: {error}") from error


def matches(names: tuple[str, ...], host: str) -> bool:
    """Whether a certificate with these names is for a host: a DNS name, or an address in its usual spelling.

    RFC 9525 §6: addresses are compared as such, names without regard to case; a `*` stands for one whole first label.
    The common name does not count.
    """
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return any(_name_matches(name, host) for name in names)
    return any(_same_address(name, str(address)) for name in names)


def _same_address(name: str, address: str) -> bool:
    try:
        return str(ip_address(name)) == address
    except ValueError:
        return False


def _name_matches(pattern: str, host: str) -> bool:
    pattern, host = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if not pattern.startswith("*."):
        return bool(host) and pattern == host
    first, _, rest = host.partition(".")
    return bool(first) and rest == pattern[2:] and "." in rest


def _names(found: X509) -> tuple[str, ...]:
    from cryptography import x509

    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    general = [one for one in extension.value if isinstance(one, x509.DNSName | x509.IPAddress)]
    return tuple(str(one.value) for one in general[:MOST_NAMES])


def _self_signed(found: X509) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if found.issuer != found.subject:
        return False
    try:
        found.verify_directly_issued_by(found)
    except InvalidSignature:
        return False
    except (TypeError, ValueError, UnsupportedAlgorithm):  # a signature of a kind that the library does not verify
        return True
    return True


def _key(found: X509) -> str:
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    if isinstance(key, ed448.Ed448PublicKey):
        return "Ed448"
    if isinstance(key, dsa.DSAPublicKey):
        return f"DSA {key.key_size}"
    return type(key).__name__.removeprefix("_").removesuffix("PublicKey")
