"""The speakers and real servers: recognised, and none harmed by a question that was meant for another.

Every server is started once for the module, on free ports of 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest

from homeport.model.addresses import Protocol
from homeport.model.dialling import Failure, Target
from homeport.services.kind import Match, Speaker
from homeport.services.speakers import SPEAKERS
from homeport.system.dialling import dial

HOST = ip_address("127.0.0.1")
PATIENCE = 20.0
SECONDS = 5.0
GREETED_WITHIN = 0.2
BRIEFLY = 1.0

Command = list[str | Path]


class Real(NamedTuple):
    """A server that is to be started: what is expected of it, and what starts it in a folder on a port."""

    name: str
    protocol: str
    product: str | None
    told: bool
    """Whether it tells its version."""
    command: Callable[[Path, int], Command]
    transport: Protocol = Protocol.TCP


def _sshd(folder: Path, port: int) -> Command:
    Path("/run/sshd").mkdir(exist_ok=True)
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    options = ["-o", f"ListenAddress={HOST}", "-o", "PidFile=none", "-o", "MaxStartups=200"]
    return ["/usr/sbin/sshd", "-D", "-f", "/dev/null", "-h", key, "-p", str(port), *options]


def _redis(*options: str) -> Callable[[Path, int], Command]:
    def command(folder: Path, port: int) -> Command:
        return ["redis-server", "--port", str(port), "--bind", str(HOST), "--save", "", "--dir", folder, *options]

    return command


def _sentinel(folder: Path, port: int) -> Command:
    configuration = folder / "sentinel.conf"
    configuration.write_text(f"port {port}\nbind {HOST}\nsentinel monitor main {HOST} 1 1\n")
    return ["redis-server", configuration, "--sentinel"]


def _postgresql(*options: str) -> Callable[[Path, int], Command]:
    def command(folder: Path, port: int) -> Command:
        (binaries,) = {path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")}
        shutil.chown(folder, "postgres")
        user: Command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        make: Command = [*user, binaries / "initdb", "-D", folder / "data", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True)
        files: Command = ["-keyout", folder / "data/server.key", "-out", folder / "data/server.crt"]
        sign: Command = [*user, "openssl", "req", "-x509", "-nodes", "-subj", "/CN=localhost", *files]
        subprocess.run(sign, check=True, capture_output=True)
        settings = ["-c", f"listen_addresses={HOST}", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        return [*user, binaries / "postgres", "-D", folder / "data", "-p", str(port), *settings, *options]

    return command


def _mariadb(folder: Path, port: int) -> Command:
    (folder / "mysql").mkdir()
    bare = ["--no-defaults", "--user=root", f"--datadir={folder}", f"--socket={folder}/socket", "--skip-grant-tables"]
    small = ["--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--skip-networking=0"]
    return ["mariadbd", *bare, *small, f"--port={port}", f"--bind-address={HOST}", f"--pid-file={folder}/pid"]


def _memcached(_: Path, port: int) -> Command:
    return ["memcached", "-u", "root", "-l", f"{HOST}:{port}"]


def _mosquitto(_: Path, port: int) -> Command:
    return ["mosquitto", "-p", str(port)]


def _beanstalkd(_: Path, port: int) -> Command:
    return ["beanstalkd", "-l", str(HOST), "-p", str(port)]


def _snmpd(_: Path, port: int) -> Command:
    return ["snmpd", "-f", "-C", "-r", f"udp:{HOST}:{port}"]


def _proftpd(*lines: str) -> Callable[[Path, int], Command]:
    def command(folder: Path, port: int) -> Command:
        configuration = folder / "proftpd.conf"
        where = ("ServerType standalone", f"Port {port}", f"DefaultAddress {HOST}", "SocketBindTight on")
        files = (
            f"ScoreboardFile {folder}/scores",
            f"PidFile {folder}/pid",
            "DelayTable none",
            f"SystemLog {folder}/log",
        )
        others = ("User nobody", "Group nogroup", "AuthPAM off", "UseReverseDNS off", "MaxInstances 100")
        configuration.write_text("\n".join((*where, *files, *others, *lines, "")))
        return ["proftpd", "--nodaemon", "--quiet", "--config", configuration]

    return command


def _dnsmasq(_: Path, port: int) -> Command:
    bare = ["--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--user=root", "--pid-file="]
    return ["dnsmasq", "--keep-in-foreground", f"--port={port}", f"--listen-address={HOST}", *bare]


def _slapd(folder: Path, port: int) -> Command:
    configuration = folder / "slapd.conf"
    module = "modulepath /usr/lib/ldap\nmoduleload back_mdb"
    database = f"database mdb\nsuffix dc=example,dc=org\ndirectory {folder}"
    configuration.write_text(f"include /etc/ldap/schema/core.schema\n{module}\n{database}\n")
    return ["slapd", "-d", "0", "-f", configuration, "-h", f"ldap://{HOST}:{port}"]


def _rsync(folder: Path, port: int) -> Command:
    configuration = folder / "rsyncd.conf"
    configuration.write_text(f"port = {port}\naddress = {HOST}\nuse chroot = no\n")
    return ["rsync", "--daemon", "--no-detach", f"--config={configuration}"]


def _git(folder: Path, port: int) -> Command:
    return ["git", "daemon", f"--listen={HOST}", f"--port={port}", f"--base-path={folder}", "--export-all"]


def _http2(_: Path, port: int) -> Command:
    program = f"require('http2').createServer((_, answer) => answer.end('here')).listen({port}, '{HOST}')"
    return ["node", "-e", program]


def _telnetd(_: Path, port: int) -> Command:
    return ["busybox", "telnetd", "-F", "-b", str(HOST), "-p", str(port), "-l", "/bin/cat"]


def _nginx(folder: Path, port: int) -> Command:
    configuration = folder / "nginx.conf"
    server = f"server {{ listen {HOST}:{port}; access_log off; location / {{ return 200; }} }}"
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration.write_text(f"daemon off; pid {folder}/pid; events {{}} http {{ {paths} {server} }}")
    return ["nginx", "-e", folder / "errors", "-c", configuration]


REALS = [
    Real("openssh", "ssh", "OpenSSH", True, _sshd),
    Real("redis", "redis", "Redis", True, _redis()),
    Real("redis-password", "redis", None, False, _redis("--requirepass", "secret")),
    Real("redis-sentinel", "redis", "Redis", True, _sentinel),
    Real("postgresql", "postgresql", None, False, _postgresql()),
    Real("postgresql-tls", "postgresql", None, False, _postgresql("-c", "ssl=on")),
    Real("mariadb", "mysql", "MariaDB", True, _mariadb),
    Real("memcached", "memcached", "memcached", True, _memcached),
    Real("mosquitto", "mqtt", None, False, _mosquitto),
    Real("beanstalkd", "beanstalkd", "beanstalkd", True, _beanstalkd),
    Real("proftpd", "ftp", "ProFTPD", False, _proftpd()),
    Real("proftpd-banner", "ftp", None, False, _proftpd('ServerIdent on "Welcome to the vault."')),
    Real("dnsmasq", "dns", "dnsmasq", True, _dnsmasq),
    Real("dnsmasq-udp", "dns", "dnsmasq", True, _dnsmasq, Protocol.UDP),
    Real("slapd", "ldap", "OpenLDAP", False, _slapd),
    Real("snmpd", "snmp", "Net-SNMP", False, _snmpd, Protocol.UDP),
    Real("rsync", "rsync", "rsync", False, _rsync),
    Real("git", "git", None, False, _git),
    Real("node-http2", "http/2", None, False, _http2),
    Real("telnetd", "telnet", None, False, _telnetd),
]  # fmt: skip


class Running(NamedTuple):
    """A server that runs, and what it wrote."""

    real: Real
    target: Target
    output: Path


def free_port(transport: Protocol) -> int:
    kind = socket.SOCK_STREAM if transport is Protocol.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as bound:
        bound.bind((str(HOST), 0))
        port: int = bound.getsockname()[1]
        return port


def ready(target: Target, process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until a TCP server accepts; a UDP one is waited for by its own question."""
    until = time.monotonic() + PATIENCE
    while target.protocol is Protocol.TCP and time.monotonic() < until:
        assert process.poll() is None, output.read_text(errors="replace")
        with contextlib.suppress(OSError):  # not yet
            socket.create_connection((str(HOST), target.port), 1).close()
            return
        time.sleep(0.02)
    assert target.protocol is Protocol.UDP, output.read_text(errors="replace")


@contextlib.contextmanager
def running(real: Real, folder: Path) -> Iterator[Running]:
    folder.mkdir()
    target = Target(HOST, free_port(real.transport), real.transport)
    output = folder.with_suffix(".output")
    with output.open("wb") as to:
        process = subprocess.Popen(real.command(folder, target.port), stdout=to, stderr=to, cwd=folder)
    try:
        ready(target, process, output)
        yield Running(real, target, output)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Running]]:
    with (
        tempfile.TemporaryDirectory(prefix="hp-speakers-", ignore_cleanup_errors=True) as folder,
        contextlib.ExitStack() as stack,
        ThreadPoolExecutor(4) as threads,
    ):
        base = Path(folder)
        base.chmod(0o755)  # PostgreSQL runs as a user of its own
        lock = threading.Lock()

        def start(real: Real) -> Running:
            server = running(real, base / real.name)
            found = server.__enter__()
            with lock:
                stack.push(server)
            return found

        yield {found.real.name: found for found in threads.map(start, REALS)}


def heard(speaker: Speaker, target: Target, seconds: float = SECONDS) -> Match | None:
    """As the engine does: a connection to listen, and to reply; and where nothing was said one to ask."""
    if speaker.greeting or speaker.reply:
        connection = dial(target, seconds)
        assert not isinstance(connection, Failure), (speaker.name, connection)
        with connection:
            said = connection.receive(seconds=GREETED_WITHIN if speaker.ask else None)
            match = speaker.greeting(said) if speaker.greeting else None
            if match is None and speaker.reply and said:
                match = speaker.reply(said, connection)
            if match or said:
                return match
    return asked(speaker, target, seconds)


def asked(speaker: Speaker, target: Target, seconds: float) -> Match | None:
    if speaker.ask is None:
        return None
    connection = dial(target, seconds)
    assert not isinstance(connection, Failure), (speaker.name, connection)
    with connection:
        return speaker.ask(connection)


def own(real: Real) -> Speaker:
    name = "mysql" if real.protocol == "mysql" else real.protocol
    return next(each for each in SPEAKERS if each.name == name and each.transport is real.transport)


def recognised(server: Running) -> Match:
    until = time.monotonic() + PATIENCE
    while True:
        match = heard(own(server.real), server.target)
        if match:
            return match
        assert time.monotonic() < until, server.output.read_text(errors="replace")


@pytest.mark.parametrize("real", REALS, ids=lambda real: real.name)
def test_real_servers_are_recognised(servers: dict[str, Running], real: Real) -> None:
    match = recognised(servers[real.name])
    assert (match.protocol, match.product) == (real.protocol, real.product)
    assert (match.version is not None) == real.told


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("postgresql", ("tls", "not offered")),
        ("postgresql-tls", ("tls", "offered")),
        ("redis", ("authentication", "not demanded")),
        ("redis-password", ("authentication", "demanded")),
        ("redis-sentinel", ("mode", "sentinel")),
        ("slapd", ("naming contexts", "dc=example,dc=org")),
        ("memcached", ("authentication", "not demanded")),
        ("mariadb", ("tls", "not offered")),
    ],
)
def test_real_servers_tell_facts(servers: dict[str, Running], name: str, fact: tuple[str, str]) -> None:
    assert fact in recognised(servers[name]).facts


def test_versions_are_those_that_the_programs_tell(servers: dict[str, Running]) -> None:
    for name, command in {
        "redis": ["redis-server", "--version"],
        "memcached": ["memcached", "--version"],
        "mariadb": ["mariadbd", "--version"],
        "dnsmasq": ["dnsmasq", "--version"],
        "beanstalkd": ["beanstalkd", "-v"],
        "openssh": ["ssh", "-V"],
    }.items():
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        version = recognised(servers[name]).version
        assert version and version in told.stdout + told.stderr, name


def test_postgresql_logs_no_error(servers: dict[str, Running]) -> None:
    for name in ("postgresql", "postgresql-tls"):
        recognised(servers[name])
        written = servers[name].output.read_text(errors="replace")
        assert "FATAL" not in written and "ERROR" not in written, written


def test_no_question_that_is_meant_for_another_harms_or_deceives(servers: dict[str, Running], tmp_path: Path) -> None:
    """Every unconditional question, put to every server that does not begin to speak by itself."""
    silent = [server for server in servers.values() if own(server.real).ask]
    asking = [speaker for speaker in SPEAKERS if speaker.ask and not speaker.only_with_clue]
    with (
        running(Real("nginx", "http", None, False, _nginx), tmp_path / "nginx") as nginx,
        ThreadPoolExecutor(32) as threads,
    ):
        pairs = [
            (speaker, server)
            for server in [*silent, nginx]
            for speaker in asking
            if speaker.transport is server.target.protocol
        ]
        found = threads.map(lambda pair: asked(pair[0], pair[1].target, BRIEFLY), pairs)
        for (speaker, server), match in zip(pairs, found, strict=True):
            assert match is None or match.protocol == server.real.protocol, (speaker.name, server.real.name, match)
    for server in silent:
        assert recognised(server).product == server.real.product, server.real.name


ECHO = """
import socketserver, sys

class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(4096):
            self.request.sendall(data if sys.argv[1] == "echo" else b"")

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.mark.parametrize("manner", ["echo", "silent"])
def test_a_program_that_says_nothing_or_echoes_is_no_service(manner: str) -> None:
    asking = [speaker for speaker in SPEAKERS if speaker.ask and speaker.transport is Protocol.TCP]
    process = subprocess.Popen([sys.executable, "-c", ECHO, manner], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        target = Target(HOST, int(process.stdout.readline()))
        with ThreadPoolExecutor(32) as threads:
            found = threads.map(lambda speaker: asked(speaker, target, BRIEFLY), asking)
            assert [match for match in found if match] == []
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)
