"""The client's side of TLS without a socket: bytes in, bytes out (ssl.MemoryBIO), and what the server showed.

The handshake takes every version and cipher that OpenSSL still knows, and sends no certificate: what is wrong is to be
seen, not to be refused. It verifies nothing, but for the one that asks OpenSSL whether the chain is trusted
(`verifying`), so that the answer is that of curl, Python and most other programs of this system.
"""

from __future__ import annotations

import re
import ssl
import warnings
from typing import Any

from homeport.errors import WireError
from homeport.model.tls import Certificate, Tls
from homeport.wire import certificates

_EVERY_CIPHER = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
_LEGACY_SERVER_CONNECT = 0x4  # SSL_OP_LEGACY_SERVER_CONNECT of openssl/ssl.h
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h: dates are judged by themselves
_MOST_CERTIFICATES = 16
_ALERT_RECORD, _HANDSHAKE_RECORD = 0x15, 0x16
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)")
_WORDS = re.compile(r"^\[[^\]]*\] | \(_ssl\.c:\d+\)$")  # around the reason, where Python has no name for its number
VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
"""Those that a server may be asked for one by one, oldest first."""
_MEANINGS = {
    "certificate_required": "it wants a certificate of the client",
    "bad_certificate": "it wants another certificate of the client",
    "handshake_failure": "no cipher, signature or certificate that both sides take",
    "protocol_version": "it takes other versions of TLS",
    "unrecognized_name": "it has no certificate for that name",
    "no_application_protocol": "it does not speak the protocol that was offered by ALPN",
    "internal_error": "something is wrong in the server",
    "access_denied": "it does not let this client in",
}


class Session:
    """One TLS session. Nothing that is fed to it raises.

    `done`: the handshake came to its end. `wrong`: it, or what followed, failed for that reason. `alert`: the peer's
    own word for that (RFC 8446 §6), where it gave one. `foreign`: the peer does not speak TLS at all. `ended`: the peer
    said that it sends no more.
    """

    def __init__(
        self, server_name: str | None, alpn: tuple[str, ...], *, version: str | None = None, verifying: bool = False
    ) -> None:
        self.done = False
        self.ended = False
        self.foreign = False
        self.wrong: str | None = None
        self.alert: str | None = None
        self.trust_error: str | None = None
        self._began = False
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = _context(alpn, version, verifying=verifying)
        self._object = _wrapped(context, self._in, self._out, server_name)

    def shake(self, data: bytes) -> bytes:
        """Take the peer's bytes (none at first) for the handshake; what to send."""
        if data and not self._began:
            self._began = True
            if data[0] not in (_ALERT_RECORD, _HANDSHAKE_RECORD) or data[1:2] not in (b"", b"\x03"):
                self.foreign = True
                self.wrong = "it does not speak TLS"
                return b""
        self._in.write(data)
        try:
            self._object.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:  # the next bytes are still to come
            pass
        except ssl.SSLCertVerificationError as error:
            self.trust_error = error.verify_message
            self.wrong = error.verify_message
        except ssl.SSLError as error:
            self._fail(error)
        return self._out.read()

    def encrypt(self, data: bytes) -> bytes:
        """What to send for `data`."""
        try:
            self._object.write(data)
        except ssl.SSLError as error:
            self._fail(error)
        return self._out.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bytes]:
        """What the peer's bytes say, and what to send in return (an answer of the protocol itself)."""
        self._in.write(data)
        said = bytearray()
        try:
            while piece := self._object.read(1 << 16):
                said += piece
            self.ended = True
        except ssl.SSLWantReadError:  # the next bytes are still to come
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self._fail(error)
        return bytes(said), self._out.read()

    def shown(self, host: str | None, seconds: float) -> Tls:
        """What the server showed; `host` is the name or address that its certificate should be for."""
        chain: list[Certificate] = []
        unreadable: list[str] = []
        for der in self._chain():
            try:
                chain.append(certificates.certificate(der))
            except WireError as error:
                unreadable.append(str(error))
        cipher = self._object.cipher()
        return Tls(
            version=self._object.version() or "TLS",
            cipher=cipher[0] if cipher else "",
            alpn=self._object.selected_alpn_protocol(),
            chain=tuple(chain),
            unreadable=tuple(unreadable),
            name_matches=certificates.matches(chain[0].names, host) if host and chain and not unreadable else None,
            seconds=seconds,
        )

    def _chain(self) -> list[bytes]:
        """The certificates that the server sent, its own first; before Python 3.13 only an inner object tells."""
        inner: Any = getattr(self._object, "_sslobj", None)
        if hasattr(self._object, "get_unverified_chain"):
            found = self._object.get_unverified_chain()
        elif inner is not None and hasattr(inner, "get_unverified_chain"):
            found = [one.public_bytes(_DER) for one in inner.get_unverified_chain() or ()]
        else:
            found = [self._object.getpeercert(binary_form=True)]
        return [one for one in found if one][:_MOST_CERTIFICATES]

    def _fail(self, error: ssl.SSLError) -> None:
        reason = error.reason or _WORDS.sub("", str(error)).upper().replace(" ", "_")
        alert = _ALERT.fullmatch(reason)
        if alert is None:
            self.wrong = reason.replace("_", " ").lower()
            return
        self.alert = alert[1].lower()
        meaning = _MEANINGS.get(self.alert)
        self.wrong = f"the server answers with the alert {self.alert}{f': {meaning}' if meaning else ''}"


_DER = 2
"""ENCODING_DER of the module _ssl: X509_FILETYPE_ASN1."""


def _context(alpn: tuple[str, ...], version: str | None, *, verifying: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if verifying else ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers(_EVERY_CIPHER)
    context.options |= ssl.OP_NO_RENEGOTIATION | _LEGACY_SERVER_CONNECT
    if version is not None:
        with warnings.catch_warnings():  # of old versions: that a server takes them is what is to be seen
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = VERSIONS[version]
    if verifying:
        context.load_default_certs()  # it heeds SSL_CERT_FILE and SSL_CERT_DIR, as clients do
        context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _wrapped(
    context: ssl.SSLContext, received: ssl.MemoryBIO, to_send: ssl.MemoryBIO, name: str | None
) -> ssl.SSLObject:
    """With the name in the handshake (SNI, RFC 6066 §3), unless it is one that cannot stand there."""
    try:
        return context.wrap_bio(received, to_send, server_hostname=(name or "").strip("[]").rstrip(".") or None)
    except (ValueError, TypeError, ssl.SSLError):  # too long, empty labels, a NUL …: asked without
        return context.wrap_bio(received, to_send)
