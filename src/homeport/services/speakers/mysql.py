"""MySQL and MariaDB: the server begins with its version, or with an error; the X protocol with a notice.

Sources: "Protocol::Handshake" and "ERR_Packet" in MySQL's source documentation, "X Protocol" there.
"""

from __future__ import annotations

import re
import struct

from homeport.services.kind import Match, Speaker
from homeport.services.speakers.parsing import Cursor, binary, forgiving, named, quoted, text

_X_HELLO = bytes.fromhex("05 00 00 00 0b 08 05 1a 00")
_CLIENT_SSL = 1 << 11
_CLIENT_PLUGIN_AUTH = 1 << 19
_PROTOCOL = 10
_ERROR = 0xFF
_REFUSALS = {
    1040: ("access", "no more connections"),
    1129: ("access", "this host is blocked after too many broken connections"),
    1130: ("access", "not from this host"),
    1158: ("access", "the server could not read"),
}
_VERSION = re.compile(r"\A[\w.+~:-]{3,120}\Z")
_PRODUCTS = (
    ("MariaDB", r"(?i)^(?:5\.5\.5-)?(\d[\d.]*)-mariadb"),
    ("TiDB", r"-TiDB-v?(\d[\d.]*)"),
    ("Vitess", r"(?i)-vitess(?:-(\d[\d.]*))?"),
    ("OceanBase", r"(?i)oceanbase[_-]?\w*[-_ ]v?(\d[\d.]*)"),
    ("ProxySQL", r"(?i)proxysql"),
    ("StarRocks", r"(?i)starrocks"),
    ("Doris", r"(?i)doris"),
    ("MySQL", r"^(\d+\.\d+\.\d+)"),
)


@forgiving
def greeting(data: bytes) -> Match | None:
    """Recognise the first packet."""
    if data == _X_HELLO:
        return Match("mysqlx", "MySQL", None, f"it begins with the notice of the X protocol: {binary(data)}")
    packet = Cursor(data)
    size, sequence, kind = packet.number(3, "little"), packet.number(1), packet.number(1)
    if sequence != 0 or len(data) != size + 4:
        return None
    return _handshake(packet) if kind == _PROTOCOL else _error(packet) if kind == _ERROR else None


def _handshake(packet: Cursor) -> Match | None:
    told = packet.until().decode("ascii")
    packet.take(4 + 8)
    if not _VERSION.match(told) or packet.take(1) != b"\0":
        return None
    low, _, _, high, salt = struct.unpack("<HBHHB", packet.take(8))
    packet.take(10 + max(13, salt - 8))
    capabilities = low | high << 16
    product, version = named(told, _PRODUCTS)
    facts = [("tls", "offered" if capabilities & _CLIENT_SSL else "not offered")]
    if capabilities & _CLIENT_PLUGIN_AUTH and packet.left:
        facts.append(("authentication plugin", text(packet.until())))
    if version is not None and told.removeprefix("5.5.5-") != version:
        facts.append(("server version", told))
    return Match(
        "mysql", product, version, f"it greets with protocol 10, version {quoted(told.encode())}", tuple(facts)
    )


def _error(packet: Cursor) -> Match | None:
    code = packet.number(2, "little")
    message = text(packet.take(packet.left))
    if code not in _REFUSALS or not message.isprintable():
        return None
    product = "MariaDB" if "MariaDB" in message else "MySQL" if "MySQL" in message else None
    return Match("mysql", product, None, f"it refuses with error {code}: {message[:120]}", (_REFUSALS[code],))


SPEAKER = Speaker(
    "mysql", ports=(3306, 33060, 3307, 4000), programs=("mysqld", "mariadbd", "mysql", "mariadb"), greeting=greeting
)
