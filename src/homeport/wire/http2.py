"""One request over HTTP/2 (RFC 9113) and its answer, read by the `h2` library, within bounds of its own.

`h2` keeps to the protocol; what it does not bound is how long a peer may go on without answering: SETTINGS, PING and
WINDOW_UPDATE for ever, a header of endless CONTINUATION frames. So frames are counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from homeport.errors import WireError
from homeport.wire.http import MOST_BODY, Response, check, safe_target

if TYPE_CHECKING:
    import h2.events

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST_EVENTS = 1000
"""How many frames a peer may send for one answer."""

_SETTINGS, _GOAWAY = 4, 7
_FRAME_HEADER = 9
_LONGEST_FRAME = 16_384
_FORBIDDEN = frozenset(("connection", "host", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))
ERRORS = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)
"""The names of error codes (RFC 9113 §7); the index is the code."""


def speaks(data: bytes) -> bool:
    """Whether bytes of a server begin as HTTP/2 does: with SETTINGS (RFC 9113 §3.4), or with GOAWAY."""
    if len(data) < _FRAME_HEADER:
        return False
    length, kind, flags, stream = int.from_bytes(data[:3], "big"), data[3], data[4], int.from_bytes(data[5:9], "big")
    if stream:
        return False
    if kind == _SETTINGS:
        return flags == 0 and length % 6 == 0 and length <= 6 * 64
    return kind == _GOAWAY and flags == 0 and 8 <= length <= _LONGEST_FRAME


class Conversation:
    """One request as a client. Nothing that is fed to it raises; `wrong` says what was against the protocol.

    `opening` is what to send first. `done`: the answer is whole, or there will be none. `trailers` come after the body.
    `began`: bytes of HTTP/2 came from the peer.
    """

    def __init__(
        self, method: str, scheme: str, authority: str, path: str,
        headers: Iterable[tuple[str, str]] = (), body: bytes | None = None,
    ) -> None:  # fmt: skip
        """Raises WireError for what cannot be asked."""
        from h2.config import H2Configuration
        from h2.connection import H2Connection
        from h2.exceptions import H2Error

        self.done = False
        self.began = False
        self.wrong: str | None = None
        self.trailers: tuple[tuple[str, str], ...] = ()
        self._status: int | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body = bytearray()
        self._cut = self._ended = False
        self._events = 0
        settings = H2Configuration(client_side=True, header_encoding=None, validate_inbound_headers=False)
        self._connection = H2Connection(settings)
        headers = tuple(headers)
        check(method, path, (("Host", authority), *headers))
        fields = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", safe_target(path))]
        fields += [(name.lower(), value) for name, value in headers if name.lower() not in _FORBIDDEN]
        try:
            self._connection.initiate_connection()
            self._connection.send_headers(1, fields, end_stream=body is None)
            if body is not None:
                self._connection.send_data(1, body, end_stream=True)
            self.opening = self._connection.data_to_send()
        except (H2Error, ValueError) as error:
            raise WireError(f"no HTTP/2 request: {error}") from error

    @property
    def response(self) -> Response | None:
        """The answer as far as it came; None until its header did."""
        if self._status is None:
            return None
        return Response(
            "HTTP/2", self._status, "", self._headers, bytes(self._body), self._ended, self._cut or not self._ended
        )

    def feed(self, data: bytes) -> bytes:
        """Read on; what to send in return."""
        from h2.exceptions import H2Error

        if self.done:
            return b""
        self.began = self.began or speaks(data)
        try:
            for event in self._connection.receive_data(data):
                self._take(event)
        except H2Error as error:
            self._end(f"not HTTP/2: {error}" if not self.began else f"against HTTP/2: {error}")
        except Exception as error:  # noqa: BLE001  # hyperframe and hpack let some of their own through for hostile frames
            self._end(f"against HTTP/2: {error}")
        self._events += len(data) // _LONGEST_FRAME
        return self._connection.data_to_send()

    def end(self) -> None:
        """The peer sends nothing more."""
        if not self.done:
            self._end("the answer does not come to its end" if self.began else "nothing came")

    def _end(self, why: str | None) -> None:
        self.wrong = self.wrong or why
        self.done = True

    def _take(self, event: h2.events.Event) -> None:
        import h2.events as events

        self._events += 1
        if isinstance(event, events.ResponseReceived):
            self._begin(event.headers or [])
        elif isinstance(event, events.DataReceived):
            self._more(event)
        elif isinstance(event, events.TrailersReceived):
            self.trailers = _texts(event.headers or [])
        elif isinstance(event, events.StreamEnded):
            self._ended = True
            self._end(None)
        elif isinstance(event, events.StreamReset):
            self._end(f"it reset the request: {_error(event.error_code)}")
        elif isinstance(event, events.ConnectionTerminated) and self._status is None:
            said = (event.additional_data or b"")[:200].decode("utf-8", "replace")
            self._end(f"it went away: {_error(event.error_code)}{f', {said}' if said else ''}")
        if self._events > MOST_EVENTS:
            self._end(f"{MOST_EVENTS} frames came, and no whole answer")

    def _begin(self, headers: Iterable[Any]) -> None:
        texts = _texts(headers)
        status = next((value for name, value in texts if name == ":status"), "")
        if not (status.isascii() and status.isdigit() and len(status) == 3):
            self._end("an answer without a status")
            return
        self._status = int(status)
        self._headers = tuple(one for one in texts if not one[0].startswith(":"))

    def _more(self, event: h2.events.DataReceived) -> None:
        data = event.data or b""
        room = MOST_BODY - len(self._body)
        self._body += data[:room]
        if len(data) > room:
            self._cut = True
            self._end(None)
        elif event.flow_controlled_length and not self.done:
            self._connection.acknowledge_received_data(event.flow_controlled_length, 1)


def _texts(headers: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name).lower(), _text(value)) for name, value in headers)


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def _error(code: object) -> str:
    number = int(code) if isinstance(code, int) else -1
    return ERRORS[number] if 0 <= number < len(ERRORS) else f"error {code}"
