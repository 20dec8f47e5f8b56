"""HTTP/1 (RFC 9110, RFC 9112): a request's bytes, and a reader of responses that takes what servers really send.

The well-kept libraries (h11, httptools) refuse what is against the RFC, as they should where something is built on the
answer. Here the answer is what is asked about: a missing reason, bare LF, folded or colonless header lines, several
lengths, a body that is shorter or longer than it was told. So the reader is of its own, and it is bounded: a header of
at most MOST_HEAD bytes, a body of at most MOST_BODY, compressed ones decoded to at most MOST_BODY, each byte read once.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from homeport.errors import WireError

MOST_HEAD = 1 << 16
MOST_HEADERS = 256
MOST_BODY = 1 << 16
_LONGEST_CHUNK_LINE = 4096
_MOST_INTERIM = 16
_MOST_ENCODINGS = 3

_STATUS = re.compile(rb"HTTP/(\d(?:\.\d)?)[ \t]+(\d{3})(?:[ \t]+(.*))?\s*", re.DOTALL)
_END = re.compile(rb"\n\r?\n")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\uffff\U00010000-\U0010ffff]")
_LINE_BREAKING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WITHOUT_BODY = frozenset((204, 304))
_START = b"HTTP/"
_LEADING = 64


class Response(NamedTuple):
    """A response: `version` like "HTTP/1.1"; header names in lower case, their order kept.

    `body` is at most MOST_BODY bytes, without chunks and compression; `cut`: there is more of it, or it is broken.
    `complete`: the server sent all that it announced.
    """

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool
    cut: bool = False

    def header(self, name: str) -> str | None:
        """The first header of that name, which is in lower case."""
        return next((value for key, value in self.headers if key == name), None)


def request(method: str, target: str, host: str, headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """A request without a body; `headers` come after Host. Raises WireError for what cannot be put into one."""
    lines = [("Host", host), *headers]
    check(method, target, lines)
    text = f"{method} {safe_target(target)} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines)
    return text.encode("utf-8", "replace") + b"\r\n"


def check(method: str, target: str, headers: Iterable[tuple[str, str]]) -> None:
    """Raises WireError for what no request can hold: no token (RFC 9110 §5.6.2), or what would break a line."""
    if not _TOKEN.fullmatch(method) or not target:
        raise WireError(f"no HTTP request: {method!r} {target!r}")
    for name, value in headers:
        if not _TOKEN.fullmatch(name) or _LINE_BREAKING.search(value):
            raise WireError(f"no HTTP header: {name!r}: {value!r}")


def safe_target(text: str) -> str:
    """A request target with what may not stand in one percent-encoded (RFC 3986 §2.1); escapes stay as they are."""
    return _UNSAFE.sub(lambda found: quote(found.group().encode("utf-8", "replace"), safe=""), text)


def response(data: bytes, *, ended: bool = True, method: str = "GET") -> Response | None:
    """The response that `data` begins with; None: it is none, or its header has not come to its end."""
    reader = Reader(method)
    reader.feed(data)
    if ended:
        reader.end()
    return reader.response


def complete(data: bytes) -> bool:
    """Whether nothing more needs to be read of an answer that begins so."""
    reader = Reader()
    reader.feed(data)
    return reader.done


class Reader:
    """Reads one response, in pieces as they come. Nothing that is fed to it raises.

    `done`: nothing more needs to be read. `wrong` says why there is no response, once that is certain. `rest` is what
    came after the response: after `101 Switching Protocols` the beginning of the other protocol.
    """

    def __init__(self, method: str = "GET") -> None:
        self.done = False
        self.wrong: str | None = None
        self._method = method
        self._head = bytearray()
        self._seen = 0
        self._interim = 0
        self._top: tuple[str, int, str, tuple[tuple[str, str], ...]] | None = None
        self._body: _Body | None = None
        self.rest = b""

    @property
    def response(self) -> Response | None:
        """What was read; None until the end of the header."""
        if self._top is None or self._body is None:
            return None
        version, status, reason, headers = self._top
        body, whole = _decoded(self._body.data, headers)
        return Response(
            version, status, reason, headers, body, self._body.complete, self._body.cut or not whole
        )  # fmt: skip

    @property
    def status_line(self) -> str | None:
        """The first line, as far as it came, where there is no response yet."""
        line, end, _ = bytes(self._head[:512]).lstrip(b"\r\n").partition(b"\n")
        return line.decode("utf-8", "replace").strip() if end and _STATUS.fullmatch(line) else None

    def feed(self, data: bytes) -> None:
        """Read on."""
        while data and not self.done:
            if self._body is not None:
                self._body.feed(data)
                self.done = self._body.done
                self.rest = self._body.rest
                return
            data = self._read_head(data)

    def end(self) -> None:
        """The peer sends nothing more."""
        if self._body is not None:
            self._body.end()
        elif self.wrong is None:
            self.wrong = "its header does not come to an end" if self._head else "nothing came"
        self.done = True

    def _read_head(self, data: bytes) -> bytes:
        """Take from `data` what belongs to the header; what follows it."""
        self._head += data
        if not _may_begin(bytes(self._head[:_LEADING])):
            return self._refuse("no HTTP response")
        found = _END.search(self._head, max(0, self._seen - 2))
        self._seen = len(self._head)
        if found is None:
            if len(self._head) > MOST_HEAD:
                return self._refuse(f"its header does not end within {MOST_HEAD // 1024} KB")
            return b""
        head, rest = bytes(self._head[: found.start()]), bytes(self._head[found.end() :])
        if not head.strip():  # empty lines before the status line (RFC 9112 §2.2)
            self._head, self._seen = bytearray(), 0
            return rest
        return self._begin(head, rest)

    def _begin(self, head: bytes, rest: bytes) -> bytes:
        lines = head.lstrip(b"\r\n").split(b"\n")
        first = _STATUS.fullmatch(lines[0])
        if first is None:
            return self._refuse("no status line of HTTP")
        status = int(first[2])
        if 100 <= status < 200 and status != 101 and self._interim < _MOST_INTERIM:
            self._interim += 1
            self._head, self._seen = bytearray(), 0
            return rest
        headers = _headers(lines[1:])
        self._top = (f"HTTP/{first[1].decode()}", status, _text(first[3] or b""), headers)
        self._body = _body(self._method, status, headers)
        self._body.feed(b"")
        self.done = self._body.done
        if self.done:
            self.rest = rest
        return rest

    def _refuse(self, why: str) -> bytes:
        self.wrong = why
        self.done = True
        return b""


class _Body:
    """A body as long as its length says; `left` None: until the peer closes (RFC 9112 §6.3)."""

    def __init__(self, left: int | None) -> None:
        self.data = bytearray()
        self.rest = b""
        self.complete = False
        self.cut = False
        self.done = left == 0
        self._left = left
        if self.done:
            self.complete = True

    def feed(self, data: bytes) -> None:
        """Read on."""
        if self._left is not None:
            data, self.rest = data[: self._left], data[self._left :]
            self._left -= len(data)
        self._keep(data)
        if self._left == 0:
            self.complete = self.done = True

    def end(self) -> None:
        """The peer sends nothing more."""
        if not self.done:
            self.complete = self._left is None
            self.cut = self.cut or not self.complete
            self.done = True

    def _keep(self, data: bytes) -> None:
        room = MOST_BODY - len(self.data)
        self.data += data[:room]
        if len(data) > room:
            self.cut = self.done = True


class _Chunked(_Body):
    """A body in chunks (RFC 9112 §7.1); trailers are passed over."""

    def __init__(self) -> None:
        super().__init__(None)
        self._line = bytearray()
        self._in_chunk = 0
        self._after_chunk = False
        self._trailers = False

    def feed(self, data: bytes) -> None:
        """Read on."""
        while data and not self.done:
            if self._in_chunk:
                piece, data = data[: self._in_chunk], data[self._in_chunk :]
                self._in_chunk -= len(piece)
                self._after_chunk = not self._in_chunk
                self._keep(piece)
                continue
            line, end, rest = data.partition(b"\n")
            self._line += line
            if len(self._line) > _LONGEST_CHUNK_LINE:
                self._broken()
            elif end:
                line, self._line = bytes(self._line).strip(), bytearray()
                self._read_line(line)
            data = rest
        if self.done:
            self.rest = data

    def end(self) -> None:
        """The peer sends nothing more."""
        if not self.done:
            self._broken()

    def _read_line(self, line: bytes) -> None:
        if self._trailers:
            self.complete = self.done = not line
        elif self._after_chunk and not line:
            self._after_chunk = False
        else:
            size = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
                self._broken()
                return
            self._in_chunk = int(size, 16)
            self._trailers = not self._in_chunk

    def _broken(self) -> None:
        self.cut = self.done = True


def _may_begin(data: bytes) -> bool:
    """Whether a response may begin so; empty lines before it are passed over (RFC 9112 §2.2)."""
    start = data.lstrip(b"\r\n")[: len(_START)]
    return start == _START[: len(start)]


def _listed(headers: tuple[tuple[str, str], ...], name: str) -> list[str]:
    """The members of a list-valued header (RFC 9110 §5.6.1), in lower case."""
    return [part.strip().lower() for key, value in headers if key == name for part in value.split(",")]


def _body(method: str, status: int, headers: tuple[tuple[str, str], ...]) -> _Body:
    if method == "HEAD" or status < 200 or status in _WITHOUT_BODY:
        return _Body(0)
    codings = _listed(headers, "transfer-encoding")
    if codings:
        return _Chunked() if codings[-1] == "chunked" else _Body(None)
    lengths = set(_listed(headers, "content-length"))
    if len(lengths) == 1:
        (length,) = lengths
        if length.isascii() and length.isdigit() and len(length) < 20:
            return _Body(int(length))
    return _Body(None)


def _headers(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    """The header lines: folded ones joined (obs-fold, RFC 9112 §5.2), those without a colon left out."""
    found: list[list[str]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and found:
            if len(found[-1]) < MOST_HEADERS:
                found[-1].append(_text(line))
            continue
        name, colon, value = line.partition(b":")
        if colon and name.strip():
            if len(found) == MOST_HEADERS:
                break
            found.append([_text(name).lower(), _text(value)])
    return tuple((name, " ".join(part for part in parts if part)) for name, *parts in found)


def _text(raw: bytes) -> str:
    return raw.strip().decode("utf-8", "replace")


def _decoded(body: bytes | bytearray, headers: tuple[tuple[str, str], ...]) -> tuple[bytes, bool]:
    """The body without its Content-Encoding, and whether that is all of it; br and zstd are left as they are."""
    codings = _listed(headers, "content-encoding")
    data, whole = bytes(body), True
    for coding in reversed(codings[:_MOST_ENCODINGS]):
        if coding in ("", "identity"):
            continue
        found = _inflated(data, coding)
        if found is None:
            return data, False
        data, complete_ = found
        whole = whole and complete_
    return data, whole and len(codings) <= _MOST_ENCODINGS


def _inflated(data: bytes, coding: str) -> tuple[bytes, bool] | None:
    """At most MOST_BODY bytes of what was compressed, and whether that is all; None: that coding is not known here."""
    if coding in ("gzip", "x-gzip"):
        forms: tuple[int, ...] = (31,)
    elif coding == "deflate":
        forms = (15, -15)  # as RFC 9110 §8.4.1.2 has it, and as many servers do
    else:
        return None
    for form in forms:
        inflater = zlib.decompressobj(form)
        try:
            return inflater.decompress(data, MOST_BODY), inflater.eof
        except zlib.error:  # no data of this form
            continue
    return data, False
