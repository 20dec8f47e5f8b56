"""What a TLS server shows of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """An X.509 certificate (RFC 5280).

    `subject` and `issuer` are distinguished names as RFC 4514 writes them; `names` the DNS names and IP addresses of
    the subjectAltName, in its order. The dates are aware and both inclusive. `self_signed`: its own key signed it.
    `key` is like "RSA 2048" or "EC secp256r1", `serial` hexadecimal, as `openssl x509` shows it.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    self_signed: bool
    key: str
    serial: str
    fingerprint_sha256: str

    def valid_at(self, when: datetime) -> bool:
        """Whether its dates allow it to be used then."""
        return self.not_before <= when <= self.not_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A handshake that came to its end, whatever the certificate is worth.

    `version` is "TLSv1.3" or the like, `cipher` its OpenSSL name, `alpn` the protocol that was agreed on (RFC 7301).
    `chain` is what the server sent, its own certificate first; `unreadable` says of each that could not be read why.
    `trusted`: the chain leads to an authority that this machine trusts, its dates and names left aside; `trust_error`
    is OpenSSL's word where it does not. `name_matches`: the certificate is for the name that was asked for (RFC 9525).
    `versions`: those that the server takes. None: not looked at. `seconds` is how long the handshake took.
    """

    version: str
    cipher: str
    alpn: str | None
    chain: tuple[Certificate, ...]
    unreadable: tuple[str, ...] = ()
    trusted: bool | None = None
    trust_error: str | None = None
    name_matches: bool | None = None
    versions: tuple[str, ...] | None = None
    seconds: float = 0.0
