"""What a person typed to name an address or a port, from text to `Asked`.

    62893  :62893  *:62893  127.0.0.1:62893  localhost:62893  [::1]:62893  ::1  fe80::1%eth0  [fe80::1%eth0]:80
    :5353/udp  127.0.0.1:53/udp  http://localhost:62893/path  postgres://user:secret@db/shop  :::80 (as netstat prints)

A bare number is a port. In the place of a host a number is an address, as inet_aton(3), browsers and curl read it.
Secrets (the userinfo and the query of a URL) are never shown again, neither in an answer nor in an error.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from homeport.errors import AddressError
from homeport.lean import NamedTuple
from homeport.model.addresses import Endpoint, IPAddress, Protocol

MAX_LENGTH = 2048
"""Characters; longer texts are refused unread."""

EXAMPLES = "write for example 62893, 127.0.0.1:62893, localhost:62893, [::1]:62893, :5353/udp, http://localhost:62893/"

DEFAULT_PORTS = {
    "amqp": 5672,
    "amqps": 5671,
    "clickhouse": 9000,
    "dns": 53,
    "ftp": 21,
    "ftps": 990,
    "git": 9418,
    "http": 80,
    "https": 443,
    "imap": 143,
    "imaps": 993,
    "ipp": 631,
    "irc": 6667,
    "ircs": 6697,
    "ldap": 389,
    "ldaps": 636,
    "mariadb": 3306,
    "mongodb": 27017,
    "mqtt": 1883,
    "mqtts": 8883,
    "mssql": 1433,
    "mysql": 3306,
    "nats": 4222,
    "neo4j": 7687,
    "bolt": 7687,
    "oracle": 1521,
    "pop3": 110,
    "pop3s": 995,
    "postgres": 5432,
    "postgresql": 5432,
    "rdp": 3389,
    "redis": 6379,
    "rediss": 6379,
    "rsync": 873,
    "rtmp": 1935,
    "rtsp": 554,
    "sftp": 22,
    "sip": 5060,
    "sips": 5061,
    "smb": 445,
    "smtp": 25,
    "smtps": 465,
    "socks": 1080,
    "socks5": 1080,
    "socks5h": 1080,
    "sqlserver": 1433,
    "ssh": 22,
    "telnet": 23,
    "tftp": 69,
    "vnc": 5900,
    "ws": 80,
    "wss": 443,
    "xmpp": 5222,
}
"""The port that a URL of a scheme means when it names none."""

_UDP_SCHEMES = frozenset(("udp", "tftp", "dns"))
_WEB_SCHEMES = frozenset(("http", "https", "ws", "wss"))
_LOCAL_SCHEMES = frozenset(("file", "unix", "sqlite", "data", "about", "blob", "npipe", "fd"))
_IFNAMSIZ = 16  # linux/if.h, with the NUL


class Asked(NamedTuple):
    """A text, understood. `text` is safe to show and to ask again: without userinfo, query and fragment.

    `name` is the host name (RFC 1123; an internationalised one as A-labels, RFC 5890), lower case, else None;
    `endpoint.address` is None for a name and for a port alone. `path` is a URL's path with its query, as typed.
    `notes` say how the text was read, where that is not obvious.
    """

    text: str
    name: str | None
    endpoint: Endpoint
    scheme: str | None
    path: str | None
    notes: tuple[str, ...]


class _Host(NamedTuple):
    name: str | None
    address: IPAddress | None
    notes: tuple[str, ...]


def parse(text: str) -> Asked:
    """Understand `text`. Raises AddressError, and nothing else, for what names no address and no port."""
    whole = _plain(text)
    scheme, rest = _scheme(whole)
    authority, tail = _cut(rest)
    userinfo, at, place = authority.rpartition("@")
    protocol, path = _tail(scheme, tail)
    shown = _shown(scheme, at, place, protocol, path)
    try:
        if scheme is not None and scheme not in _WEB_SCHEMES and "@" in tail.partition("?")[0]:
            raise AddressError("that is no address", remedy=EXAMPLES)  # the rest of a password, not a path
        host, port, notes = _place(place, scheme)
        if path is not None and scheme is None and port is None:
            _refuse_network(host, path)
    except AddressError as error:
        # pieces of a text that may hold a password are not quoted
        raise _safe(error, whole) if "@" in whole else error from None
    if port is None and scheme is not None:
        port, note = _default_port(scheme)
        notes = (*notes, note)
    if protocol is None and scheme is not None:
        protocol = Protocol.UDP if scheme in _UDP_SCHEMES else Protocol.TCP
    if host.name is None and host.address is None and port is None:
        raise AddressError(f"{_quoted(shown)} names neither an address nor a port", remedy=EXAMPLES)
    if userinfo or at:
        notes = (*notes, "the user name and password were left out: they are no part of an address")
    return Asked(shown, host.name, Endpoint(protocol, host.address, port), scheme, path, (*host.notes, *notes))


def _plain(text: str) -> str:
    """The text without blanks around it; refused where it is empty, huge, or holds what no address can hold."""
    if len(text) > MAX_LENGTH:
        raise AddressError(f"a text of {len(text)} characters is no address", remedy=EXAMPLES)
    whole = text.strip(" \t\r\n")
    if not whole:
        raise AddressError("no address was given", why="the text is empty", remedy=EXAMPLES)
    if not whole.isprintable():
        raise AddressError(
            "that is no address", why="it holds control characters or bytes that are no text", remedy=EXAMPLES
        )
    if len(whole.split()) > 1:
        words = whole.split()
        remedy = f"write {words[0]}:{words[1]}" if len(words) == 2 and _is_number(words[1]) else EXAMPLES
        raise AddressError("that is no address", why="there is a blank inside", remedy=None if "@" in whole else remedy)
    return whole


def _scheme(whole: str) -> tuple[str | None, str]:
    """The scheme of a URL (RFC 3986 §3.1), without `jdbc:` in front and a driver behind (`postgresql+psycopg`)."""
    before, mark, rest = whole.partition("://")
    if not mark:
        return None, whole
    full = before.lower().removeprefix("jdbc:")
    scheme, _, driver = full.partition("+")
    if not (scheme[:1].isalpha() and scheme.isascii() and scheme.replace("-", "").replace(".", "").isalnum()):
        raise AddressError("that is no address", why="what stands before :// is no scheme of a URL", remedy=EXAMPLES)
    if scheme in _LOCAL_SCHEMES:
        raise AddressError(f"a {scheme}: URL names no address", why="it has no host and no port", remedy=EXAMPLES)
    if driver == "srv":  # the port is in the DNS then
        return full, rest
    return scheme, rest


def _cut(rest: str) -> tuple[str, str]:
    """Authority, and what follows it from the first `/`, `?` or `#` on (RFC 3986 §3.2)."""
    end = min((at for at in map(rest.find, "/?#") if at >= 0), default=len(rest))
    return rest[:end], rest[end:]


def _tail(scheme: str | None, tail: str) -> tuple[Protocol | None, str | None]:
    """The protocol of `/udp`, or the path and query without the fragment."""
    if scheme is None and tail.lower() in ("/tcp", "/udp"):
        return Protocol(tail[1:].lower()), None
    path = tail.partition("#")[0]
    return None, path or None


def _shown(scheme: str | None, at: str, place: str, protocol: Protocol | None, path: str | None) -> str:
    """The text without secrets: no userinfo, no query, and no path that could be the rest of a password."""
    text = f"{scheme}://" if scheme is not None else ""
    text += f"***@{place}" if at else place
    if protocol is not None:
        return f"{text}/{protocol.value}"
    clean = (path or "").partition("?")[0]
    return text if "@" in clean and scheme not in _WEB_SCHEMES else text + clean


def _safe(error: AddressError, whole: str) -> AddressError:
    """The same refusal without a piece of a text that has a password in it."""
    before, mark, rest = whole.partition("://")
    after = rest if mark else before
    shown = (f"{before}://" if mark else "") + "***@" + after.rpartition("@")[2].partition("?")[0]
    return AddressError(
        f"{_quoted(shown)} is no address",
        why="what follows the password is no host and port; in a password / ? # @ are written %2F %3F %23 %40",
        remedy=error.remedy if error.remedy == EXAMPLES else None,
    )


def _place(place: str, scheme: str | None) -> tuple[_Host, int | None, tuple[str, ...]]:
    """Host, port, and notes of `host:port`."""
    if not place:
        raise AddressError("that is no address", why="there is no host in it", remedy=EXAMPLES)
    if "," in place:
        raise AddressError(f"{_quoted(place)} names several hosts", remedy="ask for one of them")
    if place.startswith("["):
        inside, bracket, after = place[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise AddressError(f"{_quoted(place)} is no address", why="the brackets do not fit", remedy=EXAMPLES)
        if scheme is not None:
            inside = inside.replace("%25", "%", 1)  # RFC 6874 §2
        port = _port(after[1:], scheme) if after else None
        return _ipv6(inside), port, ()
    if place.startswith(":::") and _is_number(place[3:]):  # how netstat(8) prints [::]:80
        return _Host(None, IPv6Address(0), ()), _port(place[3:], scheme), ()
    if place.count(":") > 1:
        return _unbracketed(place, scheme), None, _maybe_port(place)
    host, colon, port_text = place.rpartition(":")
    if not colon:
        if scheme is None and _is_number(place):
            return _Host(None, None, ()), _port(place, scheme, bare=True), ()
        if scheme is None and place.startswith("-") and _is_number(place[1:]):
            raise AddressError(f"{_quoted(place)} is no port", why="a port is between 1 and 65535", remedy=EXAMPLES)
        if scheme is None and place.isdigit():
            raise AddressError(f"{_quoted(place)} is no port", why="its digits are not 0 to 9", remedy=EXAMPLES)
        host = place
    port = _port(port_text, scheme) if colon else None
    if host == "*":
        return _Host(None, None, ()), port, ("* stands for every address of this machine",)
    return (_host(host, scheme) if host else _Host(None, None, ())), port, ()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _port(text: str, scheme: str | None, *, bare: bool = False) -> int | None:
    """A port between 1 and 65535; None for the empty one that a URL may have (RFC 3986 §3.2.3)."""
    if not text and scheme is not None:
        return None
    if not text:
        raise AddressError("there is no port after the colon", remedy=EXAMPLES)
    known = DEFAULT_PORTS.get(text.lower())
    if known is not None:
        raise AddressError(f"{_quoted(text)} is no port number", remedy=f"the port of {text.lower()} is {known}")
    if not _is_number(text):
        raise AddressError(f"{_quoted(text)} is no port", why="a port is a number, 1 to 65535", remedy=EXAMPLES)
    if text.strip("0") == "":
        raise AddressError(
            "port 0 is no port to connect to",
            why="given to bind(2) it asks the kernel to choose one",
            remedy="homeport shows which ports were chosen",
        )
    meant = _as_address(text) if bare else None
    hint = f"as an address it would be {meant}, in inet_aton(3) notation: write that" if meant is not None else None
    if text.startswith("0"):
        number = text.lstrip("0")
        hint = hint or (f"write {number}" if len(number) <= 5 else EXAMPLES)
        raise AddressError(f"{_quoted(text)} is no port", why="a port is written without leading zeros", remedy=hint)
    if len(text) > 5 or int(text) > 65535:
        raise AddressError(f"{_quoted(text)} is no port", why="the highest is 65535", remedy=hint or EXAMPLES)
    return int(text)


def _as_address(text: str) -> IPv4Address | None:
    """What a number would be as an address; None where it would be none, or is short enough to be a mistyped port."""
    address = _inet_aton(text)
    return address if address is not None and len(text) > 6 else None


def _default_port(scheme: str) -> tuple[int | None, str]:
    port = DEFAULT_PORTS.get(scheme)
    if port is None:
        return None, f"no port was given, and homeport knows none that {scheme} URLs mean without one"
    return port, f"no port was given: {scheme} URLs then mean {port}"


def _unbracketed(place: str, scheme: str | None) -> _Host:
    """An IPv6 address without brackets, as people write it where no port follows."""
    if scheme is not None:
        raise AddressError(
            f"{_quoted(place)} is no host", why="in a URL an IPv6 address stands in brackets", remedy="write [::1]:80"
        )
    return _ipv6(place)


def _maybe_port(place: str) -> tuple[str, ...]:
    """A word on `::1:8080`, which is an address though a port may have been meant."""
    before, _, last = place.rpartition(":")
    if not (_is_number(last) and 2 <= len(last) <= 5):
        return ()
    before = before + ":" if before.endswith(":") else before
    try:
        shorter = IPv6Address(before)
    except ValueError:  # a full address of eight groups: nothing else can be meant
        return ()
    return (f"read as one IPv6 address; port {last} of {shorter} would be [{shorter}]:{last} (RFC 5952 §6)",)


def _ipv6(text: str) -> _Host:
    """An IPv6 address, with its zone (RFC 4007 §11)."""
    bare, percent, zone = text.partition("%")
    if percent and (not zone or "/" in zone or ":" in zone or "%" in zone or len(zone.encode()) >= _IFNAMSIZ):
        raise AddressError(
            f"{_quoted(text)} has no zone that can be",
            why=f"after % stands the name or number of an interface, of less than {_IFNAMSIZ} bytes",
            remedy="write for example fe80::1%eth0",
        )
    try:
        return _Host(None, IPv6Address(text), ())
    except ValueError:  # said better below
        pass
    try:
        IPv4Address(bare)
    except ValueError:
        raise AddressError(f"{_quoted(text)} is no IPv6 address", remedy=EXAMPLES) from None
    raise AddressError(f"{_quoted(text)} is an IPv4 address", why="brackets are for IPv6", remedy=f"write {bare}")


def _host(text: str, scheme: str | None) -> _Host:
    """A name, or an IPv4 address in any notation that inet_aton(3) reads."""
    host, percent, zone = text.partition("%")
    notes: tuple[str, ...] = ()
    ascii_form = _a_labels(host)
    if ascii_form != host.lower():
        notes += (f"{host} is {ascii_form} to the resolver (RFC 5890)",)
    absolute = ascii_form.removesuffix(".")
    labels = absolute.split(".")
    if _is_number(labels[-1]) or labels[-1].startswith("0x"):  # by the URL standard it can only be an address then
        address = _inet_aton(absolute)
        if address is None:
            raise AddressError(f"{_quoted(host)} is no IPv4 address", why=_why_not_ipv4(labels), remedy=EXAMPLES)
        if percent:
            notes += (f"%{zone}, the interface that a socket is bound to, is left out: IPv4 addresses have no zones",)
        if str(address) != absolute:
            notes += _odd_notation(absolute, address, scheme)
        return _Host(None, address, notes)
    if percent:
        raise AddressError(f"{_quoted(text)} is no host", why="zones are for IPv6 addresses", remedy=EXAMPLES)
    _check_name(host, labels)
    if ascii_form.endswith("."):
        notes += ("the dot at the end makes the name complete: no search domain is tried with it (RFC 1034 §3.1)",)
    return _Host(ascii_form, None, notes)


def _a_labels(host: str) -> str:
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressError(
            f"{_quoted(host)} is no host name",
            why="it has characters that no name can have (RFC 5890)",
            remedy=EXAMPLES,
        ) from None


def _check_name(host: str, labels: list[str]) -> None:
    """RFC 1123 §2.1, with the underscores that container networks use and the DNS allows (RFC 2181 §11)."""
    if sum(map(len, labels)) + len(labels) - 1 > 253 or any(len(label) > 63 for label in labels):
        why = "a name has at most 253 characters, and 63 between two dots (RFC 1035 §2.3.4)"
    elif not all(labels):
        why = "there is nothing between two dots"
    elif any(label.startswith("-") or label.endswith("-") for label in labels):
        why = "no part of a name begins or ends with a hyphen (RFC 1123 §2.1)"
    elif not all(label.replace("-", "").replace("_", "").isalnum() for label in labels if label.strip("_-")):
        why = "a name is made of letters, digits, hyphens and dots (RFC 1123 §2.1)"
    else:
        return
    raise AddressError(f"{_quoted(host)} is no host name", why=why, remedy=EXAMPLES)


def _inet_aton(text: str) -> IPv4Address | None:
    """One to four numbers, decimal, octal (`0…`) or hexadecimal (`0x…`); the last one fills what is left."""
    parts = text.split(".")
    if len(parts) > 4:
        return None
    numbers = []
    for part in parts:
        digits, base = (part[2:] or "0", 16) if part.startswith("0x") else (part, 8 if part.startswith("0") else 10)
        if not digits or not set(digits) <= set("0123456789abcdef"[:base]):  # int() would take signs and underscores
            return None
        numbers.append(int(digits, base))
    *firsts, last = numbers
    if any(number > 255 for number in firsts) or last >= 1 << 8 * (5 - len(numbers)):
        return None
    return IPv4Address(sum(number << 8 * (3 - index) for index, number in enumerate(firsts)) + last)


def _why_not_ipv4(labels: list[str]) -> str:
    if len(labels) > 4:
        return "it has more than four numbers"
    if len(labels) == 4 and all(_is_number(label) for label in labels):
        wrong = [label for label in labels if label.startswith("0") and not set(label) <= set("01234567")]
        if wrong:
            return f"{_quoted(wrong[0])} begins with 0, which makes it octal, and has a digit that is not"
        too_big = [label for label in labels if int(label, 8 if label.startswith("0") else 10) > 255]
        return f"{_quoted(too_big[0])} is more than 255" if too_big else "its numbers do not fit"
    return "a name that ends in a number can only be an address, and these numbers make none"


def _odd_notation(typed: str, address: IPv4Address, scheme: str | None) -> tuple[str, ...]:
    note = f"{typed} is {address} to inet_aton(3), browsers and curl; strict readers refuse it (RFC 6943 §3.1.1)"
    if any(part.startswith("0") and len(part) > 1 and part.isdigit() for part in typed.split(".")):
        note += ", and some read the numbers with a leading 0 as decimal"
    if scheme is not None and _is_number(typed) and len(typed) <= 5:
        note += f"; for the port {typed} write :{typed}"
    return (note,)


def _refuse_network(host: _Host, path: str) -> None:
    """`10.0.0.0/8` is a network, not a path of a server."""
    if host.address is not None and _is_number(path[1:]) and int(path[1:4]) <= host.address.max_prefixlen:
        network = f"{host.address}{path}"
        raise AddressError(
            f"{_quoted(network)} is a network",
            why="homeport explains one address at a time",
            remedy=f"write {host.address}",
        )


def _quoted(text: str) -> str:
    """A text for an error, cut to what fits into a line."""
    return repr(text if len(text) <= 60 else text[:59] + "…")
