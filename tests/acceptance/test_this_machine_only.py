"""Law 4, by capture: whatever is typed, resolved or redirected to, not one packet leaves for another machine.

A network namespace plays the machine: it has an address, a default route over a veth pair, and a resolver of its own on
loopback that rebinds. At the other end of the pair every frame is captured. Two marks, sent on purpose, prove that the
capture works, and nothing may be between them.
"""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest

FOREIGN = "198.51.100.7"
NEIGHBOUR = "192.0.2.99"
OWN = "192.0.2.1"
FOREIGN6 = "2001:db8:ffff::7"
OWN6 = "2001:db8::1"
LINK = "hpv0"

_CAPTURE = """
import select, socket, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("hpv1", 0))
print("ready", flush=True)
while True:
    ready, _, _ = select.select([tap, sys.stdin], [], [])
    if tap in ready:
        print(tap.recv(65535).hex(), flush=True)
    elif not sys.stdin.readline():
        break
"""

_RESOLVER = """
import socket, struct, sys
FOREIGN, FOREIGN6 = sys.argv[1:]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
log = open(sys.argv[0] + ".log", "w", buffering=1)
asked = {}
print("ready", flush=True)
while True:
    query, client = server.recvfrom(4096)
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += query[at] + 1
    kind = struct.unpack_from("!H", query, at + 1)[0]
    name = ".".join(labels)
    log.write(name + "\\n")
    count = asked[name, kind] = asked.get((name, kind), -1) + 1
    four, six = [], []
    if name.endswith("rebind.test"):  # this machine first, then another one
        four, six = (["127.0.0.1"], ["::1"]) if count % 2 == 0 else ([FOREIGN], [FOREIGN6])
    elif name.endswith("away.test"):
        four, six = [FOREIGN], [FOREIGN6]
    elif name.endswith("mixed.test"):
        four, six = ["127.0.0.1", FOREIGN], [FOREIGN6, "::1"]
    elif name.endswith("mapped.test"):
        six = ["::ffff:" + FOREIGN, "64:ff9b::" + FOREIGN]
    elif name.endswith("here.test"):
        four = ["127.0.0.1"]
    answers = four if kind == 1 else six if kind == 28 else []
    family = socket.AF_INET if kind == 1 else socket.AF_INET6
    body = b"".join(
        struct.pack("!HHHIH", 0xC00C, kind, 1, 0, 4 if kind == 1 else 16) + socket.inet_pton(family, one)
        for one in answers
    )
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(answers), 0, 0)
    server.sendto(head + query[12:at + 5] + body, client)
"""

_REDIRECTOR = """
import socket, threading, urllib.parse, sys
def serve(server):
    while True:
        client, _ = server.accept()
        threading.Thread(target=answer, args=(client,), daemon=True).start()
def answer(client):
    with client:
        client.settimeout(10)
        try:
            head = client.recv(65536)
            target = head.split(b" ")[1].decode("latin-1")
            query = urllib.parse.parse_qs(target.partition("?")[2])
            if "to" in query:
                location = urllib.parse.unquote_to_bytes(target.partition("to=")[2])
                head = b"HTTP/1.1 302 Found\\r\\nContent-Length: 0\\r\\nLocation: "
                client.sendall(head + location + b"\\r\\n\\r\\n")
            else:
                client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
        except (OSError, IndexError):
            pass
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    server = socket.socket(family)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, 8000))
    server.listen(128)
    threading.Thread(target=serve, args=(server,)).start()
print("ready", flush=True)
"""

_PLAIN = """
import socket, sys
plain = socket.socket()
plain.settimeout(1)
try:
    plain.connect((sys.argv[1], int(sys.argv[2])))
    plain.recv(1)
except OSError:
    pass
"""

_DRIVER = """
import json, sys, urllib.parse
from ipaddress import ip_address
from homeport.errors import HomeportError
from homeport.model.addresses import Protocol
from homeport.model.case import Wish
from homeport.model.dialling import Failure, Target
from homeport.operations.check import check
from homeport.system import http_client
from homeport.system.dialling import dial

def redirected(location):
    made, failure = http_client.follow(
        Target(ip_address("127.0.0.1"), 8000), host="here.test:8000", seconds=2.0,
        path="/?to=" + urllib.parse.quote(location.encode("utf-8", "surrogateescape"), safe=""))
    return [len(made), made[-1].redirect if made else None, None if failure is None else failure.failing]

def dialled(words):
    address, port, protocol = words
    target = Target(ip_address(address), port, Protocol(protocol))
    found = dial(target, 1.0)
    if isinstance(found, Failure):
        return found.failing
    with found:
        found.send(b"GET / HTTP/1.1\\r\\n\\r\\n")
    for tls in (False, True):
        http_client.upgrade(target, host="here.test", seconds=0.5, tls=tls)
    http_client.health(target, host="here.test", seconds=0.5)
    return "connected"

def checked(text):
    try:
        return check(text, Wish(seconds=1.0)).verdict
    except HomeportError as error:
        return type(error).__name__

actions = {"redirect": redirected, "dial": dialled, "check": checked}
cases = json.load(open(sys.argv[1]))
json.dump([actions[kind](case) for kind, case in cases], sys.stdout)
"""


class Machine(NamedTuple):
    """The namespace that plays the machine, and the frames that have left it so far."""

    name: str
    folder: Path
    tap: subprocess.Popen[str]

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *words]

    def run(self, *words: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, timeout=300,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), **(env or {})},
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def answers(self, cases: list[tuple[str, Any]]) -> list[Any]:
        """What the cases gave, each after the other."""
        (self.folder / "driver.py").write_text(_DRIVER)
        (self.folder / "cases.json").write_text(json.dumps(cases))
        answers: list[Any] = json.loads(
            self.run(sys.executable, str(self.folder / "driver.py"), str(self.folder / "cases.json"))
        )
        assert len(answers) == len(cases)
        return answers

    def mark(self, text: str) -> list[bytes]:
        """Send a datagram to another machine on purpose; every frame that left before it."""
        send = "import socket, sys; socket.socket(2, 2).sendto(sys.argv[1].encode(), (sys.argv[2], 9))"
        self.run(sys.executable, "-c", send, text, FOREIGN)
        assert self.tap.stdout is not None
        before: list[bytes] = []
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            frame = bytes.fromhex(self.tap.stdout.readline())
            if text.encode() in frame:
                return before
            before.append(frame)
        raise AssertionError("the mark was not captured")

    def mac(self, interface: str) -> str:
        return str(json.loads(self.run("ip", "-json", "link", "show", interface))[0]["address"])

    def queries(self) -> list[str]:
        """The names that were asked for; a homeport that looks for services in all namespaces asks `version.bind`."""
        return [one for one in (self.folder / "resolver.py.log").read_text().split() if one != "version.bind"]


def told(frame: bytes) -> str | None:
    """A frame in words; None for what the kernel says of its own accord: of its groups, and to find routers."""
    if frame[12:14] == b"\x86\xdd":
        source, to = ip_address(frame[22:38]), ip_address(frame[38:54])
        follows, at = frame[20], 54
        if follows == 0:  # hop-by-hop options, of multicast listener reports (RFC 3810)
            follows, at = frame[54], 54 + 8 * (frame[55] + 1)
        kind = frame[at] if follows == 58 else None
        if kind in (131, 132, 133, 143) or (kind == 135 and source.is_unspecified):
            return None
        return f"IPv6 {source} to {to}, next header {follows}, {frame[at : at + 8].hex()}"
    if frame[12:14] == b"\x08\x00":
        ports = struct.unpack_from("!HH", frame, 34)
        return f"IPv4 {ip_address(frame[26:30])} to {ip_address(frame[30:34])}, protocol {frame[23]}, ports {ports}"
    return f"ethertype {frame[12:14].hex()}: {frame[14:].hex()}"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=30, capture_output=True)


def _make(name: str, world: str) -> None:
    for one in (name, world):
        ip("netns", "add", one)
    for one, setting in ((name, "accept_dad=0"), (name, "router_solicitations=0"), (world, "disable_ipv6=1")):
        for device in ("all", "default"):
            ip("netns", "exec", one, "sysctl", "-qw", f"net.ipv6.conf.{device}.{setting}")
    ip("-n", name, "link", "add", LINK, "type", "veth", "peer", "name", "hpv1", "netns", world)
    for words in (
        f"link set lo up|link set {LINK} up|addr add {OWN}/24 dev {LINK}|addr add {OWN6}/64 dev {LINK} nodad|"
        f"neigh add 192.0.2.254 lladdr 02:00:00:00:00:01 dev {LINK} nud permanent|route add default via 192.0.2.254|"
        f"neigh add 2001:db8::fe lladdr 02:00:00:00:00:01 dev {LINK} nud permanent|"
        "-6 route add default via 2001:db8::fe"
    ).split("|"):
        ip("-n", name, *words.split())
    ip("-n", world, "link", "set", "hpv1", "up")


def _started(command: list[str]) -> subprocess.Popen[str]:
    one = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert one.stdout is not None
    assert one.stdout.readline() == "ready\n"
    return one


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """See the head of this file."""
    folder = tmp_path_factory.mktemp("law4")
    name, world = f"hp-law4-{os.getpid()}", f"hp-law4-{os.getpid()}-world"
    settings = Path("/etc/netns") / name
    running: list[subprocess.Popen[str]] = []
    try:
        _make(name, world)
        settings.mkdir(parents=True)
        (settings / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        (settings / "hosts").write_text(f"127.0.0.1 localhost listed.test\n::1 localhost\n{FOREIGN} listed-away.test\n")
        (folder / "resolver.py").write_text(_RESOLVER)
        (folder / "redirector.py").write_text(_REDIRECTOR)
        (folder / "capture.py").write_text(_CAPTURE)
        for words in (["resolver.py", FOREIGN, FOREIGN6], ["redirector.py"]):
            script = [sys.executable, str(folder / words[0]), *words[1:]]
            running.append(_started(["ip", "netns", "exec", name, *script]))
        running.append(_started(["ip", "netns", "exec", world, sys.executable, str(folder / "capture.py")]))
        made = Machine(name, folder, running[-1])
        made.mark("begin")
        yield made
    finally:
        for one in running:
            one.kill()
            one.communicate()
        for one_name in (name, world):
            subprocess.run(["ip", "netns", "del", one_name], check=False, timeout=30, capture_output=True)
        for file in ("resolv.conf", "hosts"):
            (settings / file).unlink(missing_ok=True)
        if settings.exists():
            settings.rmdir()


@pytest.fixture(autouse=True)
def nothing_leaves(machine: Machine, request: pytest.FixtureRequest) -> Iterator[None]:
    """The law: between two marks there is nothing."""
    machine.mark(f"before {request.node.name}")
    yield
    left = [text for frame in machine.mark(f"after {request.node.name}") if (text := told(frame)) is not None]
    assert left == []


def notations(address: str) -> list[str]:
    """An IPv4 address in every way that inet_aton(3) reads, and some that nobody should."""
    number = int(IPv4Address(address))
    a, b, c, d = number.to_bytes(4, "big")
    return [
        address, str(number), hex(number), f"0{number:o}", f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"{a}.{b}.{c * 256 + d}", f"{a}.{number & 0xFFFFFF}", f"0X{number:X}",
        f"{a:03d}.{b:03d}.{c:03d}.{d:03d}", f"{address}.", f"[::ffff:{address}]", f"[::{address}]",
        f"[::ffff:{a:02x}{b:02x}:{c:02x}{d:02x}]", f"[64:ff9b::{address}]", f"[2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1]",
        f"[0:0:0:0:0:ffff:{address}]", f"[::ffff:0:{address}]", f"[::ffff:{address}%25lo]", f"{address}%00",
        f"%{ord(address[0]):x}{address[1:]}",
        "".join(chr(0xFF10 + int(one)) if one.isdigit() else "\u3002" for one in address),  # as IDNA reads digits
    ]  # fmt: skip


SHAPES = (
    "http://{}/", "http://{}:8000/", "https://{}/", "//{}/", "///{}/", "////{}", "http:\\\\{}\\", "/\\{}/", "\\\\{}/",
    "http:/{}/", "http:{}", "HTTP://{}/", "https:{}/x", "http://127.0.0.1@{}/", "http://127.0.0.1:8000@{}:80/x",
    "http://localhost:8000\\@{}/", "http://{}#@127.0.0.1/", "http://{}?@127.0.0.1:8000/", "http://{}\\@127.0.0.1/",
    "http://u:p@{}:8000/x", "\thttp://{}/", " http://{}/", "http://\t{}/", "http://{}:8000:80/", "http://{}:/", "http://{}:0/",
    "http://{}:65536/", "ftp://{}/", "ws://{}/", "gopher://{}:70/_x", "javascript:location='http://{}'", "data:,{}",
    "http://@{}/", "http://:@{}/", "http://[{}]/", "http://{}.nip.io/", "http://localhost.{}/",
)  # fmt: skip

NAMES = (
    "rebind.test", "a.rebind.test", "away.test", "mixed.test", "mapped.test", "localhost.away.test",
    "127.0.0.1.away.test", "here.test.away.test", "listed-away.test", "AWAY.TEST", "away.test.", "xn--away-.test",
    "äway.test", "nowhere.invalid",
)  # fmt: skip

FOREIGN_ADDRESSES = (
    FOREIGN, NEIGHBOUR, "192.0.2.254", "192.0.2.255", "192.0.2.0", "255.255.255.255", "224.0.0.251",
    "239.255.255.250", "240.0.0.1", "169.254.169.254", "10.0.0.1", "100.64.0.1", "0.0.0.1", "128.0.0.1",
    "126.255.255.255", "127.255.255.255", FOREIGN6, "2001:db8::99", "2001:db8::", f"::ffff:{FOREIGN}", f"::{FOREIGN}",
    "::2", f"64:ff9b::{FOREIGN}", "64:ff9b:1::1", "2002:c633:6407::1", "fe80::99", f"fe80::99%{LINK}", "fe80::1%lo",
    "ff02::1", f"ff02::1%{LINK}", "ff02::fb", "ff0e::1", "fec0::1", "fd00::1", f"::ffff:{NEIGHBOUR}",
    "::ffff:255.255.255.255", "::ffff:224.0.0.1", "2001:0:c633:6407::1", f"::ffff:0:{FOREIGN}",
)  # fmt: skip


def test_addresses_of_other_machines(machine: Machine) -> None:
    cases = [
        ("dial", (text, port, protocol))
        for text in FOREIGN_ADDRESSES
        for port in (9, 80, 8000)
        for protocol in ("tcp", "udp")
    ]
    answers = machine.answers(cases)
    assert set(answers) == {"not-this-machine"}, [
        pair for pair in zip(cases, answers, strict=True) if pair[1] != "not-this-machine"
    ]


def test_addresses_of_this_machine_are_dialled(machine: Machine) -> None:
    own = ["127.0.0.1", "127.83.19.7", "::1", "0.0.0.0", "::", OWN, OWN6]
    own += [f"::ffff:{one}" for one in (OWN, "127.0.0.1", "0.0.0.0")]
    assert machine.answers([("dial", (text, 8000, "tcp")) for text in own]) == ["connected"] * len(own)
    assert machine.answers([("dial", (text, 8001, "tcp")) for text in own]) == ["refused"] * len(own)


def test_redirects_to_other_machines(machine: Machine) -> None:
    hosts = [*notations(FOREIGN), *notations(NEIGHBOUR), *NAMES, f"[{FOREIGN6}]", "[fe80::99]", f"[fe80::99%25{LINK}]"]
    before = len(machine.queries())
    cases = [("redirect", shape.format(host)) for host in hosts for shape in SHAPES]
    cases += [("redirect", shape.format(text)) for text in FOREIGN_ADDRESSES for shape in SHAPES[:6]]
    answers = machine.answers(cases)
    assert len(cases) > 2000
    assert {kind for made, kind, _ in answers if made == 1} >= {"elsewhere", "unreadable"}
    assert machine.queries()[before:] == [], "a name in a redirect was asked for"


def test_redirects_to_this_machine_are_followed(machine: Machine) -> None:
    local = [one for one in notations("127.0.0.1") if one.isascii()][:10]
    hosts = [*local, "localhost", "LOCALHOST.", "shop.localhost", "listed.test", "here.test", OWN, "[::1]", f"[{OWN6}]"]
    answers = machine.answers([("redirect", f"http://{host}:8000/") for host in hosts])
    followed = [made for made, _, failure in answers if failure is None]
    assert followed == [2] * len(hosts), [*zip(hosts, answers, strict=True)]


def test_redirects_by_chance(machine: Machine) -> None:
    chance = random.Random(62893)
    pieces = [
        *notations(FOREIGN), *NAMES, "http:", "https:", "//", "/", "\\", "@", ":", "#", "?", "127.0.0.1", "localhost",
        "[", "]", "%2f", "%40", "\t", " ", ":80", ":8000", "user", "..", ".", "ä", "\udcff", "\x7f", "::ffff:", "%25",
    ]  # fmt: skip
    cases = [("redirect", "".join(chance.choices(pieces, k=chance.randint(1, 8)))) for _ in range(1500)]
    machine.answers(cases)


def test_what_is_typed(machine: Machine) -> None:
    typed = [f"{host}:8000" for host in notations(FOREIGN)] + [
        f"http://{name}:8000/" for name in NAMES for _ in range(2)
    ]
    typed += [f"https://{host}/" for host in (FOREIGN, f"[{FOREIGN6}]", "mixed.test", "rebind.test")]
    typed += [f"{scheme}://{name}:8000/" for scheme in ("ws", "wss", "grpc") for name in (FOREIGN, "rebind.test")]
    typed += [f"http://127.0.0.1:8000@{FOREIGN}/", f"{NEIGHBOUR}:80", f"[fe80::99%{LINK}]:80", "away.test:5353/udp"]
    answers = machine.answers([("check", one) for one in typed])
    assert "ok" in answers[len(notations(FOREIGN)) :], "a name that leads here, too, is tried here"
    assert "not-this-machine" in answers


def test_the_command(machine: Machine) -> None:
    """`homeport check`, as a user runs it, of a name that rebinds, and of a redirect away."""
    for text in (f"http://{FOREIGN}/", "http://rebind.test:8000/", f"http://127.0.0.1:8000/?to=http://{FOREIGN}/"):
        said = machine.run(sys.executable, "-m", "homeport", "check", text, "--timeout", "2", "--json")
        assert json.loads(said)["diagnosis"]["verdict"]


NAT = """
table ip hplaw4 {
  chain out {
    type nat hook output priority -100;
    tcp dport 8081 dnat to %(foreign)s:8000
    tcp dport 8082 dnat to 127.0.0.1:8000
    tcp dport 8083 meta skuid 0 dnat to %(foreign)s
    tcp dport 8084 meta skuid 4242 dnat to %(foreign)s
    tcp dport 8085 limit rate 1/hour dnat to %(neighbour)s:8000
    tcp dport 8086 jump further
    tcp dport { 8087, 8088 } dnat to tcp dport map { 8087 : %(foreign)s, 8088 : 127.0.0.1 }
    ip daddr 127.0.0.9 dnat to %(foreign)s
    tcp dport 8089 dnat to %(foreign)s-198.51.100.9
    udp dport 8081 dnat to %(foreign)s:8000
    tcp dport 8090 redirect to :8000
  }
  chain further { dnat to %(foreign)s; }
}
table ip6 hplaw4 {
  chain out { type nat hook output priority -100; tcp dport 8081 dnat to [%(foreign6)s]:8000; }
}
"""


@pytest.fixture
def translating(machine: Machine) -> Iterator[None]:
    """Rules that lead ports of this machine to another one."""
    file = machine.folder / "nat.nft"
    file.write_text(NAT % {"foreign": FOREIGN, "neighbour": NEIGHBOUR, "foreign6": FOREIGN6})
    subprocess.run(machine.command("nft", "-f", str(file)), check=True, timeout=30)
    yield
    for family in ("ip", "ip6"):
        subprocess.run(machine.command("nft", "delete", "table", family, "hplaw4"), check=True, timeout=30)


def test_ports_that_rules_lead_away(machine: Machine, translating: None) -> None:
    """An address of this machine that does not stay here; beside it, rules that lead to this machine itself."""
    away = [
        (host, port, "tcp")
        for host in (OWN, "127.0.0.1", f"::ffff:{OWN}")
        for port in (8081, 8083, 8084, 8085, 8086, 8089)
    ]
    away += [
        ("127.0.0.9", 8000, "tcp"),
        (OWN, 8087, "tcp"),
        (OWN6, 8081, "tcp"),
        ("::1", 8081, "tcp"),
        (OWN, 8081, "udp"),
    ]
    assert machine.answers([("dial", one) for one in away]) == ["not-this-machine"] * len(away)
    here = [("127.0.0.1", 8000, "tcp"), (OWN, 8082, "tcp"), ("127.0.0.1", 8090, "tcp"), (OWN6, 8000, "tcp")]
    assert machine.answers([("dial", one) for one in here]) == ["connected"] * len(here)
    machine.answers([("redirect", f"http://127.0.0.1:{port}/") for port in range(8081, 8090)])
    machine.answers([("check", f"http://{OWN}:8081/"), ("check", "localhost:8086")])


def plainly(machine: Machine, address: str, port: int) -> bool:
    """Whether a plain connection, without the guard, is seen on the wire."""
    machine.mark("plain")
    machine.run(sys.executable, "-c", _PLAIN, address, str(port))
    return any(FOREIGN in (told(frame) or "") for frame in machine.mark("plain again"))


def test_such_a_rule_does_lead_away(machine: Machine, translating: None) -> None:
    assert plainly(machine, OWN, 8081)


MARK = """
table ip hpmark {
  chain out { type route hook output priority -150; tcp dport 8096 meta mark set 7; }
}
"""


@pytest.fixture
def ruled(machine: Machine) -> Iterator[None]:
    """Routing rules that lead a port, and what a rule of the firewall marks, past the table of local addresses."""
    added = ["pref 10 table local", "pref 5 ipproto tcp dport 8095 table main", "pref 6 fwmark 7 table main"]
    file = machine.folder / "mark.nft"
    file.write_text(MARK)
    subprocess.run(machine.command("nft", "-f", str(file)), check=True, timeout=30)
    for words in (*(f"add {one}" for one in added), "del pref 0"):
        ip("-n", machine.name, "rule", *words.split())
    yield
    for words in ("add pref 0 table local", *(f"del {one}" for one in added)):
        ip("-n", machine.name, "rule", *words.split())
    subprocess.run(machine.command("nft", "delete", "table", "ip", "hpmark"), check=True, timeout=30)


def test_ports_that_have_a_route_of_their_own(machine: Machine, ruled: None) -> None:
    cases = [("dial", (OWN, port, "tcp")) for port in (8095, 8096, 8000)]
    assert machine.answers(cases) == ["not-this-machine", "not-this-machine", "connected"]


@pytest.fixture
def tunnel(machine: Machine) -> Iterator[None]:
    """socat at port 8600, which carries every connection to another machine."""
    listen, to = "TCP-LISTEN:8600,fork,reuseaddr,bind=127.0.0.1", f"TCP:{FOREIGN}:80,connect-timeout=1"
    process = subprocess.Popen(machine.command("socat", "-d", "-d", listen, to), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        while "listening on" not in (line := process.stderr.readline()):
            assert line, "socat ended"
        yield
    finally:
        process.kill()
        process.communicate()


def test_a_tunnel(machine: Machine, tunnel: None) -> None:
    """Its address is this machine's; what it takes is not: neither asked for, nor redirected to, nor proved."""
    hosts = ("127.0.0.1", "LOCALHOST", "127.1", "[::ffff:127.0.0.1]")
    asked = ["127.0.0.1:8600", "http://localhost:8600/"]
    asked += [f"http://127.0.0.1:8000/?to=http://{host}:8600/" for host in hosts]
    answers = machine.answers([("check", one) for one in asked])
    assert answers == ["not-this-machine"] * 2 + ["redirect-elsewhere"] * 4
    for words in (["ls", "--services"], ["8600"], ["reach", "8600", "--prove"]):
        assert "8600" in machine.run(sys.executable, "-m", "homeport", *words)
    assert "8000" in machine.run(sys.executable, "-m", "homeport", "ls", env={"DOCKER_HOST": "tcp://127.0.0.1:8600"})


def test_such_a_tunnel_does_lead_away(machine: Machine, tunnel: None) -> None:
    assert plainly(machine, "127.0.0.1", 8600)


NEXT_DOOR = """
table ip hplaw4 {
  chain in {
    type nat hook prerouting priority -100;
    tcp dport 8001 dnat to %(foreign)s:80
  }
  chain out { type nat hook postrouting priority 100; oifname hpn1 masquerade; }
}
"""
NEXT_DOOR_NAT = """
table ip hplaw4 {
  chain out {
    type nat hook output priority -100;
    ip daddr %(own)s tcp dport 9000-9001 dnat to 10.77.0.2 : tcp dport map { 9000 : 8000, 9001 : 8001 }
  }
}
"""


@pytest.fixture
def next_door(machine: Machine) -> Iterator[str]:
    """A namespace behind a veth pair, as a container's, whose own rules lead port 8001 to another machine."""
    name = f"{machine.name}-next"
    serve = "import socket\ns = socket.create_server(('10.77.0.2', 8000))\nprint('ready', flush=True)\n"
    serve += "while 1: s.accept()[0].sendall(b'x')"
    server = None
    try:
        ip("netns", "add", name)
        ip("-n", machine.name, "link", "add", "hpn0", "type", "veth", "peer", "name", "hpn1", "netns", name)
        for where, words in (
            (machine.name, "addr add 10.77.0.1/24 dev hpn0"), (machine.name, "link set hpn0 up"),
            (name, "addr add 10.77.0.2/24 dev hpn1"), (name, "link set hpn1 up"), (name, "link set lo up"),
            (name, "route add default via 10.77.0.1"),
        ):  # fmt: skip
            ip("-n", where, *words.split())
        ip("netns", "exec", name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        ip("netns", "exec", machine.name, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for where, rules in ((name, NEXT_DOOR), (machine.name, NEXT_DOOR_NAT)):
            file = machine.folder / "next.nft"
            file.write_text(rules % {"foreign": FOREIGN, "own": OWN})
            ip("netns", "exec", where, "nft", "-f", str(file))
        server = _started(["ip", "netns", "exec", name, sys.executable, "-c", serve])
        yield name
    finally:
        if server is not None:
            server.kill()
            server.communicate()
        for words in (
            f"netns exec {machine.name} nft delete table ip hplaw4", f"netns del {name}",
            f"-n {machine.name} link del hpn0",
        ):  # fmt: skip
            subprocess.run(["ip", *words.split()], check=False, timeout=30, capture_output=True)


def test_what_a_neighbour_leads_away(machine: Machine, next_door: str) -> None:
    """A packet is followed by the rules and routes of the other namespace too, and so is its answer."""
    cases = [("dial", (host, port, "tcp")) for host, port in (
        ("10.77.0.2", 8000), (OWN, 9000), ("10.77.0.2", 8001), (OWN, 9001), ("10.77.0.3", 8000))]  # fmt: skip
    assert machine.answers(cases) == ["connected"] * 2 + ["not-this-machine"] * 3
    ip("-n", next_door, "route", "del", "default")
    ip("-n", next_door, "route", "add", "default", "via", "169.254.1.1", "dev", "hpn1", "onlink")
    ip("-n", next_door, "neigh", "add", "169.254.1.1", "lladdr", machine.mac("hpn0"), "dev", "hpn1")
    assert machine.answers(cases[:2]) == ["connected"] * 2, "whatever the router is called: the wire leads back"
    for words in ("tuntap add dev hpd0 mode tap", "link set hpd0 up", "route replace default dev hpd0"):
        ip("-n", next_door, *words.split())
    assert machine.answers(cases[:2]) == ["connected", "not-this-machine"], "who answers by another way"


def test_such_a_neighbour_does_lead_away(machine: Machine, next_door: str) -> None:
    assert plainly(machine, OWN, 9001)


def test_marks_are_of_another_machine() -> None:
    """What is taken for the kernel's own chatter is nothing that a probe could cause."""
    assert told(bytes(12) + b"\x08\x06" + bytes(28)) is not None
    frame = bytes(12) + b"\x86\xdd" + bytes(6) + b"\x3a\xff" + socket.inet_pton(socket.AF_INET6, OWN6)
    assert told(frame + socket.inet_pton(socket.AF_INET6, "ff02::1:ff00:99") + b"\x87" + bytes(23)) is not None
