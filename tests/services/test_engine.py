"""Which questions are asked in which order."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Container, Owner, Process, Reason, Unattributed
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.rules.commands import Command, read
from homeport.services import engine
from homeport.services.engine import Question, Step
from homeport.services.kind import Clues, Match
from homeport.services.speakers import SPEAKERS

NOBODY = Clues(20000, ())


def process(*words: str, exe: str | None = None, name: str = "x", pid: int = 7) -> Process:
    return Process(pid, 1, None, name, words, exe, False, "/", 0, "root", 1, 1, None, "S", None)


def listener(port: int, *owners: Owner) -> Listener:
    socket = Socket(
        Protocol.TCP, State.LISTEN, ip_address("127.0.0.1"), port, None, None, 5, 6, 1, 0, 0, 5, None, None
    )  # fmt: skip
    nobody = None if owners else Unattributed(Reason.UNKNOWN, "built", 0)
    return Listener(socket, Scope.MACHINE, owners, nobody)


def owner(one: Process, image: str | None = None) -> Owner:
    container = Container("docker", "f00", "web", image, 1, (), ()) if image else None
    return Owner(one, (3,), container, None, None, Confidence.CERTAIN, ())


def order(clues: Clues, *, inside_tls: bool = False) -> list[str]:
    found = engine.questions(clues, inside_tls=inside_tls)
    return [one.speaker.name if one.speaker else one.step.value for one in found]


def test_clues_name_executable_script_and_image() -> None:
    one = process("/usr/bin/python3", "/usr/bin/Gunicorn", "app", exe="/usr/bin/python3.11", name="gunicorn")
    found = engine.clues(listener(80, owner(one, "docker.io/library/nginx:1.27@sha256:00")), ("-Dx",))
    assert found.programs == ("gunicorn", "python3.11", "nginx")
    assert found.commands == (("/usr/bin/python3", "/usr/bin/Gunicorn", "app", "-Dx"),)
    assert engine.clues(listener(80)) == Clues(80, (), ())
    perhaps = process("ssh", "-L", "80:shop:80", name="ssh")
    assert engine.clues(listener(80), (), (perhaps,)) == Clues(80, ("ssh",), (("ssh", "-L", "80:shop:80"),))


def test_the_program_comes_before_the_port_and_both_before_http() -> None:
    assert order(Clues(11211, ("postgres",)))[:4] == ["postgresql", "memcached", "http", "tls"]
    assert order(NOBODY)[:2] == ["http", "tls"]
    assert order(Clues(11211, ("nginx",)))[:3] == ["http", "tls", "memcached"]
    assert order(Clues(8443, ("java",)))[:2] == ["tls", "http"]


def test_each_question_is_asked_once_and_none_without_a_clue_that_wants_one() -> None:
    for clues in (NOBODY, Clues(6379, ("redis-server",)), Clues(443, ("nginx",))):
        found = order(clues)
        assert len(found) == len(set(found))
    only = {one.name for one in SPEAKERS if one.only_with_clue}
    assert only.isdisjoint(order(NOBODY))
    assert "tls" not in order(NOBODY, inside_tls=True)


def test_who_speaks_first_is_waited_for() -> None:
    assert engine.listening_time(Clues(20000, ("sshd",))) == engine.LISTEN_LONGER
    assert engine.listening_time(Clues(22, ())) == engine.LISTEN_LONGER
    assert engine.listening_time(Clues(22, ("systemd",))) == engine.LISTEN_LONGER
    assert engine.listening_time(Clues(22, ("nginx",))) == engine.LISTEN
    assert engine.listening_time(NOBODY) == engine.LISTEN


@pytest.mark.parametrize(
    ("port", "programs", "spared"),
    [
        (9100, (), True),
        (9100, ("python3",), True),
        (9100, ("prometheus-node-exporter",), False),
        (9107, ("redis-server",), False),
        (515, ("lpd",), True),
        (9108, (), False),
    ],
)
def test_printers_are_left_alone(port: int, programs: tuple[str, ...], spared: bool) -> None:
    assert engine.spared(Clues(port, programs)) is spared


def test_a_debugger_is_known_by_its_command_line_and_not_dialled() -> None:
    found = engine.known(Clues(1234, ("gdbserver",), (("gdbserver", "--once", ":1234", "./a"),)))
    assert found is not None
    assert found.protocol == "gdb-remote"
    assert engine.known(Clues(1234, ("gdbserver",), (("gdbserver", ":4321", "./a"),))) is None


@pytest.mark.parametrize(
    ("said", "first"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x46", "tls"),
        (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", "http/2"),
        (b"-ERR unknown command\r\n", "redis"),
        (b"ERROR\r\n", "memcached"),
    ],
)
def test_the_answer_to_a_wrong_question_suggests_the_right_one(said: bytes, first: str) -> None:
    rest = engine.questions(NOBODY)[1:]
    found = engine.hinted(said, rest)
    assert (found[0].speaker.name if found[0].speaker else found[0].step.value) == first
    assert found[0].seconds == engine.SUGGESTED
    assert sorted(map(_name, found)) == sorted(map(_name, rest))
    assert engine.hinted(b"hello", rest) == rest


def _name(one: Question) -> str:
    return one.speaker.name + one.step if one.speaker else one.step.value


@given(st.binary(max_size=300), st.integers(0, 65535))
def test_nothing_that_a_peer_says_raises(said: bytes, port: int) -> None:
    clues = Clues(port, ("x",))
    engine.hinted(said, engine.questions(clues))
    engine.greeted(said, clues)
    engine.asks_for_tls(400, said)


def test_who_is_silent_about_a_page_is_asked_for_tls_last() -> None:
    rest = engine.questions(NOBODY)[1:]
    later = engine.after_silence(rest)
    assert rest[0].step.value == later[-1].step.value == "tls"
    assert later[:-1] == rest[1:]
    assert engine.after_silence(engine.questions(Clues(8443, ()))[1:]) == engine.questions(Clues(8443, ()))[1:]


def test_a_refusal_in_plain_text_is_told_from_a_page() -> None:
    assert engine.asks_for_tls(400, b"<center>The plain HTTP request was sent to HTTPS port</center>")
    assert engine.asks_for_tls(400, b"Client sent an HTTP request to an HTTPS server.\n")
    assert not engine.asks_for_tls(200, b"visit https://example.org")
    assert not engine.asks_for_tls(400, b"Bad Request")


def command(program: str, confidence: Confidence = Confidence.CERTAIN) -> Command:
    return Command(program, f"/usr/bin/{program}", None, (), confidence, Evidence("/proc/7/exe", f"/usr/bin/{program}"))


def test_the_executable_adds_the_product_that_the_bytes_leave_open() -> None:
    match = Match("postgresql", None, None, "it answers N")
    found = engine.service(match, command("postgres"))
    assert (found.product, found.confidence, len(found.evidence)) == ("PostgreSQL", Confidence.LIKELY, 2)
    assert engine.service(match, command("postgres", Confidence.POSSIBLE)).product is None
    assert engine.service(match, command("java")).confidence is Confidence.CERTAIN
    told = engine.service(Match("redis", "Valkey", "8", "x"), command("redis-server"))
    assert (told.product, told.confidence) == ("Valkey", Confidence.CERTAIN)


@pytest.mark.parametrize(
    ("said", "before", "parrots"),
    [
        (b"S", b"S", True),
        (b"NN", b"N", True),
        (b"+PONG\r\n+PONG\r\n", b"+PONG\r\n", True),
        (b"+PONG\r\n", b"-ERR what\r\n", False),
        (b"\x05\xff", b"\x05\xff", False),  # SOCKS refuses a page, and a client without a password, in the same way
        (b"-NOAUTH Authentication required.\r\n", b"-NOAUTH Authentication required.\r\n", False),
        (b"S", b"", False),
    ],
)
def test_one_word_for_everything_proves_nothing(said: bytes, before: bytes, parrots: bool) -> None:
    assert engine.parrots(said, before) is parrots


def test_an_applet_is_not_the_program_whose_name_it_has() -> None:
    applet = read(process("/bin/httpd", "-f", exe="/bin/busybox"))
    said = Match("http", None, None, "GET /: HTTP/1.1 200")
    assert (applet.program, engine.service(said, applet).product) == ("httpd", "BusyBox")
    assert engine.by_name(Clues(80, ("httpd",)), applet, Protocol.TCP) is None
    real = read(process("/usr/sbin/httpd", exe="/usr/sbin/httpd"))
    assert engine.service(said, real).product == "Apache httpd"


def test_the_header_of_a_server_behind_is_not_the_one_that_listens() -> None:
    match = Match("http", "uvicorn", "0.54.0", "GET /: Server: uvicorn")
    found = engine.service(match, command("nginx"))
    assert (found.product, found.version, found.confidence) == ("nginx", None, Confidence.LIKELY)
    assert found.facts == (("server", "uvicorn 0.54.0"),)
    assert engine.service(match, command("python3")).product == "uvicorn"
    assert engine.service(match._replace(product="FastAPI"), command("nginx")).product == "FastAPI"
    assert engine.service(match._replace(product="OpenResty"), command("nginx")).product == "OpenResty"
    assert engine.service(match, command("nginx", Confidence.LIKELY)).product == "uvicorn"


def test_who_takes_nobody_without_a_certificate_is_named_by_its_program() -> None:
    match = Match("tls", None, None, "it speaks TLSv1.3")
    found = engine.service(match, command("redis-server"), tls=True)
    assert (found.protocol, found.product, found.confidence) == ("tls", "Redis", Confidence.LIKELY)
    assert engine.service(match, command("shop"), tls=True).product is None


def test_a_name_without_bytes_is_likely_and_only_on_the_usual_port() -> None:
    found = engine.by_name(Clues(6379, ()), command("redis-server"), Protocol.TCP)
    assert found is not None
    assert (found.protocol, found.product, found.confidence) == ("redis", "Redis", Confidence.LIKELY)
    assert found.evidence[0].source == "/proc/7/exe"
    assert engine.by_name(Clues(1, ()), command("redis-server"), Protocol.TCP) is None
    assert engine.by_name(Clues(6379, ()), None, Protocol.TCP) is None
    page = engine.by_name(Clues(3000, ()), command("next-server", Confidence.LIKELY), Protocol.TCP)
    assert page is not None
    assert (page.protocol, page.product, page.confidence) == ("http", "Next.js", Confidence.POSSIBLE)
    assert engine.by_name(Clues(3000, ()), command("next-server", Confidence.LIKELY), Protocol.UDP) is None
    assert engine.by_name(Clues(3000, ()), command("next-server", Confidence.POSSIBLE), Protocol.TCP) is None


def test_udp_asks_what_fits_and_what_anybody_may_be_asked() -> None:
    def asked(clues: Clues) -> Sequence[str]:
        return [one.speaker.name for one in engine.datagrams(clues) if one.speaker]

    assert asked(Clues(20000, ("snmpd",)))[0] == "snmp"
    assert asked(Clues(53, ()))[0] == "dns"
    assert "mdns" not in asked(Clues(20000, ()))
    assert all(one.step is Step.ASK for one in engine.datagrams(NOBODY))


def test_a_line_in_pieces_is_read_on() -> None:
    assert engine.unfinished(b"SSH-2.0-Open")
    assert engine.unfinished(b"220-a\r\n220")
    assert not engine.unfinished(b"220 a\r\n")
    assert not engine.unfinished(b"J\0\0\0\n5.5.5-10.11\xff")
    assert not engine.unfinished(b"")
