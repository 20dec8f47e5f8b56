from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from homeport.errors import RightsError, SourceError
from homeport.model.addresses import Protocol
from homeport.model.snapshot import Query
from homeport.model.sockets import Holder, Socket, State
from homeport.system import bpf, procfs, sources
from homeport.system.bpf import loading, pins, syscall

ROOT = Path(__file__).resolve().parents[2]
LISTENERS = Query(frozenset(Protocol))
EVERYTHING = Query(frozenset(Protocol), connections=True)
IPPROTO_MPTCP = 262


def ask(*ports: int, connections: bool = False) -> Query:
    return Query(frozenset(Protocol), ports=frozenset(ports), connections=connections)


def only(mine: socket.socket, *, connections: bool = False) -> tuple[Socket, tuple[Holder, ...]]:
    """What a look for its port tells of a socket of this process; others may have the port at other addresses."""
    found, holders = bpf.look(ask(port_of(mine), connections=connections))
    assert {one.port for one in found} == {port_of(mine)}
    (one,) = [one for one in found if one.inode == inode_of(mine)]
    return one, holders[inode_of(mine)]


def held_by(pid: int, *ports: int) -> list[tuple[Socket, tuple[Holder, ...]]]:
    """What a look for the ports tells of the sockets of another process."""
    found, holders = bpf.look(ask(*ports))
    return [(one, held) for one in found if _held_by(held := holders[one.inode or 0], pid)]


def inode_of(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def port_of(one: socket.socket) -> int:
    return int(one.getsockname()[1])


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.fixture(params=loading.WAYS, ids=lambda way: way.__name__)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[], loading.Loaded]:
    """Each way into the kernel in turn, alone."""
    monkeypatch.setattr(loading, "WAYS", (request.param,))
    chosen: Callable[[], loading.Loaded] = request.param
    return chosen


@pytest.fixture
def bpffs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A BPF file system of this test's own, as if it were the machine's."""
    subprocess.run(["mount", "-t", "bpf", "bpf", tmp_path], check=True)
    monkeypatch.setattr(pins, "FILE_SYSTEM", str(tmp_path))
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.fixture
def netns() -> Iterator[str]:
    name = f"hp-bpf-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


class Child:
    """A Python process that runs some lines, says a line when it is ready, and lives until it is told to end."""

    def __init__(self, lines: str, *before: str) -> None:
        code = "import os, socket, sys\n" + textwrap.dedent(lines) + "\nsys.stdin.read()\n"
        self.process = subprocess.Popen(
            [*before, sys.executable, "-I", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=20)


def test_it_works_here() -> None:
    assert bpf.missing() is None


def test_a_listener_with_its_holder(way: Callable[[], loading.Loaded]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=17) as server:
        one, held = only(server)
        assert (one.protocol, one.state, one.address) == (Protocol.TCP, State.LISTEN, IPv4Address("127.0.0.1"))
        assert one.inode == inode_of(server)
        assert one.netns == os.stat("/proc/self/ns/net").st_ino
        assert one.uid == os.geteuid()
        assert (one.receive_queue, one.send_queue) == (0, 17)
        assert one.cookie == int.from_bytes(server.getsockopt(socket.SOL_SOCKET, 57, 8), sys.byteorder)  # SO_COOKIE
        assert (one.peer_address, one.peer_port, one.interface, one.v6only) == (None, None, None, None)
        assert held == (Holder(os.getpid(), procfs.start_ticks(os.getpid()), server.fileno()),)


def test_both_ways_tell_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("::1", 0), family=socket.AF_INET6):
        for one in (loading.light, loading.libbpf):
            monkeypatch.setattr(loading, "WAYS", (one,))
            found, holders = bpf.look(EVERYTHING)
            mine = [(row, holders[row.inode or 0]) for row in found if _held_by(holders[row.inode or 0], os.getpid())]
            answers.append(mine)
            assert inode_of(server) in holders
    assert answers[0] == answers[1]
    assert answers[0]


def _held_by(held: tuple[Holder, ...], pid: int) -> bool:
    return any(one.pid == pid for one in held)


def test_listeners_as_ss_tells_them() -> None:
    servers = [socket.create_server(("127.0.0.1", 0), backlog=number) for number in range(1, 6)]
    servers.append(socket.create_server(("::1", 0), family=socket.AF_INET6))
    waiting = socket.create_connection(servers[2].getsockname())
    lines = subprocess.run(["ss", "-Htlnpe"], capture_output=True, text=True, check=True).stdout.splitlines()
    told = {}
    for line in lines:
        words = line.split()
        found = re.search(r"ino:(\d+) sk:(\w+)", line)
        if found:
            pids = {int(pid) for pid in re.findall(r"pid=(\d+)", line)}
            told[int(found[1])] = (int(words[1]), int(words[2]), words[3].rpartition(":")[2], int(found[2], 16), pids)
    rows, holders = bpf.look(Query(frozenset([Protocol.TCP])))
    by_inode = {one.inode: one for one in rows}
    for server in servers:
        one = by_inode[inode_of(server)]
        seen = {holder.pid for holder in holders[inode_of(server)]}
        assert (one.receive_queue, one.send_queue, str(one.port), one.cookie, seen) == told[inode_of(server)]
    assert by_inode[inode_of(servers[2])].receive_queue == 1
    for each in (*servers, waiting):
        each.close()


def test_udp_bound_and_connected() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connected,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nothing,
    ):
        bound.bind(("127.0.0.1", 0))
        connected.connect(bound.getsockname())
        connected.send(b"x" * 100)
        one, _ = only(bound)
        assert (one.protocol, one.state, one.peer_port) == (Protocol.UDP, State.BOUND, None)
        assert one.receive_queue is not None
        assert one.receive_queue >= 100
        assert inode_of(connected) not in bpf.look(ask(port_of(connected)))[1]
        two, _ = only(connected, connections=True)
        assert two.state is State.ESTABLISHED
        assert (two.peer_address, two.peer_port) == (IPv4Address("127.0.0.1"), port_of(bound))
        assert inode_of(nothing) not in bpf.look(EVERYTHING)[1]


def test_ipv6_listeners_and_mapped_connections() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as both:
        client = socket.create_connection(("127.0.0.1", port_of(both)))
        accepted, _ = both.accept()
        with client, accepted:
            listener, _ = only(both, connections=True)
            connection, _ = only(accepted, connections=True)
            assert (listener.address, listener.v6only) == (IPv6Address("::"), False)
            assert connection.address == IPv6Address("::ffff:127.0.0.1") == connection.peer_address
            assert connection.peer_port == port_of(client)
            assert connection.state is State.ESTABLISHED
    with socket.create_server(("::", 0), family=socket.AF_INET6) as alone:
        assert only(alone)[0].v6only is True


def test_bytes_that_wait_in_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        accepted, _ = server.accept()
        with accepted:
            client.send(b"x" * 1234)
            client.shutdown(socket.SHUT_WR)
            rows, _ = bpf.look(ask(port_of(server), connections=True))
            (one,) = [row for row in rows if row.inode == inode_of(accepted)]
            assert one.receive_queue in (1234, 1235)  # ss counts a FIN too
            assert one.state is State.CLOSE_WAIT


def test_a_port_that_is_bound_and_no_more() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert inode_of(bound) not in bpf.look(ask(port_of(bound)))[1]
        assert only(bound, connections=True)[0].state is State.BOUND_INACTIVE


def test_a_multipath_listener_counts_as_tcp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as server:
        server.bind(("127.0.0.1", 0))
        server.listen(9)
        one, held = only(server)
        assert (one.protocol, one.state, one.inode) == (Protocol.TCP, State.LISTEN, inode_of(server))
        assert one.send_queue == 9
        assert held[0].descriptor == server.fileno()


def test_other_sockets_and_files_are_left_out() -> None:
    left, right = socket.socketpair()
    with left, right, socket.socket(socket.AF_INET, socket.SOCK_RAW, 1) as raw:
        holders = bpf.look(EVERYTHING)[1]
        assert not {inode_of(left), inode_of(right), inode_of(raw)} & holders.keys()


def test_sockets_of_another_namespace(netns: str) -> None:
    lines = """
        one = socket.create_server(("127.0.0.1", 40001))
        two = socket.create_server(("::1", 40002), family=socket.AF_INET6)
        print(os.stat("/proc/self/ns/net").st_ino, flush=True)
    """
    with Child(lines, "ip", "netns", "exec", netns) as child:
        rows, holders = bpf.look(ask(40001, 40002))
        rows = [one for one in rows if one.netns == int(child.said)]
        assert {(str(one.address), one.port) for one in rows} == {("127.0.0.1", 40001), ("::1", 40002)}
        assert int(child.said) != os.stat("/proc/self/ns/net").st_ino
        assert all(_held_by(holders[one.inode or 0], child.process.pid) for one in rows)


def test_zones_are_named_by_the_socket_s_own_namespace(netns: str) -> None:
    subprocess.run(["ip", "-n", netns, "link", "add", "hpzone0", "type", "bridge"], check=True)
    subprocess.run(["ip", "-n", netns, "link", "set", "hpzone0", "up"], check=True)
    subprocess.run(["ip", "-n", netns, "addr", "add", "fe80::1/64", "dev", "hpzone0", "nodad"], check=True)
    lines = """
        index = socket.if_nametoindex("hpzone0")
        one = socket.socket(socket.AF_INET6)
        one.bind(("fe80::1", 40003, 0, index))
        one.listen()
        print(index, flush=True)
    """
    with Child(lines, "ip", "netns", "exec", netns) as child:
        ((one, _),) = held_by(child.process.pid, 40003)
        assert one.interface == int(child.said)
        assert str(one.address) == "fe80::1%hpzone0"


def test_a_socket_that_processes_share() -> None:
    lines = """
        one = socket.create_server(("127.0.0.1", 0))
        other = os.fork()
        if other:
            print(one.getsockname()[1], os.getpid(), other, flush=True)
    """
    with Child(lines) as child:
        port, parent, other = map(int, child.said.split())
        ((_, held),) = held_by(parent, port)
        assert {one.pid for one in held} == {parent, other}
        assert all(one.start_ticks == procfs.start_ticks(one.pid) for one in held)


def test_a_reuseport_group_is_several_sockets() -> None:
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(("127.0.0.1", 0) if each is one else one.getsockname())
            each.listen()
        rows = held_by(os.getpid(), port_of(one))
        assert {row.inode for row, _ in rows} == {inode_of(one), inode_of(two)}


def test_threads_that_outlive_their_leader_are_one_holder() -> None:
    lines = """
        import ctypes, threading
        one = socket.create_server(("127.0.0.1", 0))
        def wait():
            sys.stdin.read()
            os._exit(0)
        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        print(one.getsockname()[1], os.getpid(), flush=True)
        ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit(2): this thread alone
    """
    with Child(lines) as child:
        port, pid = map(int, child.said.split())
        while f"{procfs.read_text(f'/proc/{pid}/stat')}".rpartition(")")[2].split()[0] != "Z":
            assert child.process.poll() is None
        ((_, held),) = held_by(pid, port)
        assert [one.pid for one in held] == [pid]
        assert held[0].start_ticks == procfs.start_ticks(pid)


def test_a_thread_with_a_table_of_its_own() -> None:
    ready, end = threading.Event(), threading.Event()
    ports: list[int] = []

    def work() -> None:
        assert ctypes.CDLL(None).unshare(0x400) == 0  # CLONE_FILES
        with socket.create_server(("127.0.0.1", 0)) as server:
            ports.append(port_of(server))
            ready.set()
            end.wait(30)

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(30)
    ((_, held),) = held_by(os.getpid(), ports[0])
    end.set()
    thread.join()
    assert [one.pid for one in held] == [os.getpid()]


def test_numbers_in_a_pid_namespace_and_a_time_namespace() -> None:
    """As /proc tells them to a process in there."""
    code = """
        import os, socket, sys
        from homeport.model.addresses import Protocol
        from homeport.model.snapshot import Query
        from homeport.system import bpf, procfs
        server = socket.create_server(("127.0.0.1", 0))
        rows, holders = bpf.look(Query(frozenset(Protocol), ports=frozenset([server.getsockname()[1]])))
        (one,) = rows
        print([tuple(held) for held in holders[one.inode]], procfs.start_ticks(os.getpid()), os.getpid())
    """
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--time", "--boottime", "1000000"]
    done = subprocess.run(
        [*command, sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    held, ticks, pid = re.fullmatch(r"\[\((.*), \d+\)\] (\d+) (\d+)\n", done.stdout).groups()  # type: ignore[union-attr]
    assert int(pid) < 10
    assert int(ticks) > 100_000_000
    assert held == f"{pid}, {ticks}"


def test_one_port_among_those_that_share_its_low_bits() -> None:
    def server(port: int) -> socket.socket | None:
        try:
            return socket.create_server(("127.0.0.9", port))
        except OSError:  # somebody has that port: the next base is tried
            return None

    for base in range(20000, 24096):
        pair = [server(base), server(base + 4096)]
        rows = bpf.look(ask(base))[0] if all(pair) else []
        for one in pair:
            if one is not None:
                one.close()
        if rows:
            assert [one.port for one in rows if one.address == IPv4Address("127.0.0.9")] == [base]
            return
    raise AssertionError("no two free ports")


def test_thousands_of_sockets() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    servers = []
    try:
        for _ in range(4000):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind(("127.0.0.1", 0))
            servers.append(one)
        rows, holders = bpf.look(Query(frozenset([Protocol.UDP])))
        told = {one.inode: one.port for one in rows}
        assert {inode_of(one): port_of(one) for one in servers}.items() <= told.items()
        for one in servers:
            assert Holder(os.getpid(), procfs.start_ticks(os.getpid()), one.fileno()) in holders[inode_of(one)]
    finally:
        for one in servers:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_nothing_stays_open(way: Callable[[], loading.Loaded]) -> None:
    bpf.look(LISTENERS)
    before = open_descriptors()
    bpf.look(LISTENERS)
    assert open_descriptors() == before


def test_threads_look_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        _look_from_threads([one, two])


def _look_from_threads(servers: list[socket.socket]) -> None:
    wrong: list[object] = []

    def work(server: socket.socket) -> None:
        for _ in range(10):
            found = {row.inode: row.port for row in bpf.look(ask(port_of(server)))[0]}
            if inode_of(server) not in found or set(found.values()) != {port_of(server)}:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(server,)) for server in servers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class TestPinned:
    def test_it_is_read_instead_of_loading(self, bpffs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert bpf.pinned() is False
        bpf.pin()
        assert bpf.pinned() is True
        assert bpf.pinned_problem() is None
        folder = (bpffs / "homeport").stat()
        assert (folder.st_uid, folder.st_mode & 0o777) == (0, 0o700)
        monkeypatch.setattr(loading, "WAYS", ())
        before = open_descriptors()
        with socket.create_server(("127.0.0.1", 0)) as server:
            one, held = only(server)
            assert one.inode == inode_of(server)
            assert held[0].pid == os.getpid()
        assert open_descriptors() == before
        bpf.unpin()
        assert bpf.pinned() is False
        assert not (bpffs / "homeport").exists()
        with pytest.raises(SourceError):
            bpf.look(LISTENERS)

    def test_twice_is_once(self, bpffs: Path) -> None:
        bpf.pin()
        bpf.pin()
        assert bpf.pinned() is True
        bpf.unpin()
        bpf.unpin()
        assert bpf.pinned() is False

    def test_readers_do_not_mix(self, bpffs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        bpf.pin()
        monkeypatch.setattr(loading, "WAYS", ())
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            _look_from_threads([one, two])
        bpf.unpin()

    def test_a_reader_that_asks_nothing_is_told_everything(self, bpffs: Path) -> None:
        bpf.pin()
        bpf.look(ask(1))
        with socket.create_server(("127.0.0.1", 0)) as server:
            done = subprocess.run(["cat", bpffs / "homeport" / "sockets-1"], capture_output=True, check=True)
            inodes = {int.from_bytes(done.stdout[at + 16 : at + 24], "little") for at in range(0, len(done.stdout), 96)}
            assert inode_of(server) in inodes
        bpf.unpin()

    def test_a_folder_that_others_may_enter_is_ignored_and_said_so(
        self, bpffs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bpf.pin()
        monkeypatch.setattr(loading, "WAYS", ())
        for change, back in ((("chmod", "755"), ("chmod", "700")), (("chown", "1000"), ("chown", "0"))):
            subprocess.run([*change, bpffs / "homeport"], check=True)
            assert bpf.pinned() is False
            assert "root's alone" in (bpf.pinned_problem() or "")
            with pytest.raises(SourceError):
                bpf.look(LISTENERS)
            with pytest.raises(SourceError, match="root's alone"):
                bpf.pin()
            subprocess.run([*back, bpffs / "homeport"], check=True)
            assert bpf.pinned_problem() is None

    def test_the_answer_says_that_it_was_ignored(self, bpffs: Path) -> None:
        (bpffs / "homeport").mkdir(mode=0o755)
        assert bpf.pinned_problem() in sources.Bpf().look(LISTENERS).limits

    def test_something_else_under_its_name_is_not_believed(self, bpffs: Path) -> None:
        """Another version's records are refused; so is what is no iterator."""
        (bpffs / "homeport").mkdir(mode=0o700)
        loaded = loading.load()
        syscall.pin(loaded.filters, f"{bpffs}/homeport/sockets-1")
        syscall.pin(loaded.filters, f"{bpffs}/homeport/filters-1")
        loaded.close()
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert only(server)[0].inode == inode_of(server)

    def test_no_bpf_file_system(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pins, "FILE_SYSTEM", str(tmp_path))
        with pytest.raises(SourceError, match=f"mount -t bpf bpf {tmp_path}"):
            bpf.pin()
        with pytest.raises(SourceError, match="not mounted"):
            bpf.unpin()
        assert list(tmp_path.iterdir()) == []

    def test_only_root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        with pytest.raises(RightsError):
            bpf.pin()
        with pytest.raises(RightsError):
            bpf.unpin()


class TestWithout:
    """What is said where it cannot work."""

    def python(self, code: str, *before: str) -> str:
        lines = "from homeport.system import bpf\n" + textwrap.dedent(code)
        done = subprocess.run(
            [*before, sys.executable, "-c", lines], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_rights(self) -> None:
        kept = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
        assert "CAP_BPF" in self.python("print(bpf.missing())", *kept)
        some = ("setpriv", "--bounding-set", "-all,+bpf,+perfmon", "--inh-caps", "-all")
        assert self.python("print(bpf.missing())", *some) == "None\n"

    def test_cap_bpf_and_cap_perfmon_are_enough(self) -> None:
        code = """
            import os
            from homeport.model.addresses import Protocol
            from homeport.model.snapshot import Query
            import socket
            with socket.create_server(("127.0.0.1", 0)) as one:
                assert os.fstat(one.fileno()).st_ino in bpf.look(Query(frozenset(Protocol)))[1]
        """
        self.python(code, "setpriv", "--bounding-set", "-all,+bpf,+perfmon", "--inh-caps", "-all")

    def test_the_rights_of_a_user_namespace(self) -> None:
        assert "user namespace" in self.python("print(bpf.missing())", "unshare", "--user", "--map-root-user")

    def test_a_kernel_that_refuses(self) -> None:
        code = """
            from homeport.errors import SourceError
            from homeport.model.addresses import Protocol
            from homeport.model.snapshot import Query
            try:
                bpf.look(Query(frozenset(Protocol)))
            except SourceError as error:
                print(error)
        """
        said = self.python(code, "setpriv", "--bounding-set", "-all", "--inh-caps", "-all")
        assert "light: Operation not permitted" in said
        assert "libbpf: Operation not permitted" in said

    def test_no_libbpf(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loading, "LIBRARIES", ("libbpf-that-is-not-here.so",))
        assert bpf.missing() is None  # this kernel does not need it
        monkeypatch.setattr(bpf, "_release", lambda: (5, 15))
        assert bpf.missing() == "libbpf is not installed, and this kernel needs it"
        monkeypatch.setattr(loading, "WAYS", (loading.libbpf,))
        with pytest.raises(SourceError, match=r"libbpf-that-is-not-here\.so"):
            bpf.look(LISTENERS)

    def test_an_old_kernel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bpf, "_release", lambda: (5, 10))
        assert bpf.missing() == "the kernel is too old: 5.10, and 5.12 is the first that can"

    def test_no_types(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homeport.system.machine.BTF", "/nowhere")
        assert "/nowhere" in (bpf.missing() or "")

    def test_another_system_and_another_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parts = list(os.uname())
        monkeypatch.setattr(os, "uname", lambda: os.uname_result([*parts[:4], "s390x"]))
        assert bpf.missing() == "the compiled program is not for s390x"
        monkeypatch.setattr(sys, "platform", "darwin")
        assert bpf.missing() == "this is not Linux"

    def test_asking_loads_nothing(self) -> None:
        code = "import sys\nbpf.missing()\nprint('ctypes' in sys.modules)"
        assert self.python(code) == "False\n"


def test_every_release_name_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = list(os.uname())
    for name, numbers in {"6.1.0-18-amd64": (6, 1), "5.15-rc1": (5, 15), "6.18.44-fc": (6, 18), "odd": (0, 0)}.items():
        release = name
        monkeypatch.setattr(os, "uname", lambda: os.uname_result([*parts[:2], release, *parts[3:]]))  # noqa: B023
        assert bpf._release() == numbers


def test_a_reader_that_is_killed_leaves_nothing() -> None:
    """Its program and its map go with it: nothing in the kernel but what was there."""
    code = """
        from homeport.system.bpf import loading, syscall
        loaded = loading.load()
        link = syscall.link_iterator(loaded.program)
        iterator = syscall.open_iterator(link)
        os.read(iterator, 96)
        lines = open(f"/proc/self/fdinfo/{loaded.program}").read() + open(f"/proc/self/fdinfo/{loaded.filters}").read()
        print(*[line.split()[1] for line in lines.splitlines() if line.startswith(("prog_id", "map_id"))], flush=True)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", "import os, sys\n" + textwrap.dedent(code) + "\nsys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    program, table = process.stdout.readline().split()
    assert subprocess.run(["bpftool", "prog", "show", "id", program], capture_output=True, check=False).returncode == 0
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    for kind, number in (("prog", program), ("map", table)):
        for _ in range(1000):  # the kernel frees them a moment later
            if subprocess.run(["bpftool", kind, "show", "id", number], capture_output=True, check=False).returncode:
                break
        else:
            raise AssertionError(f"{kind} {number} is still there")


def test_the_compiled_program_is_that_of_the_source() -> None:
    done = subprocess.run([ROOT / "scripts" / "build-bpf", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_compiled_program_names_no_place() -> None:
    for name in ("sockets.bpf.o", "sockets.light"):
        data = (ROOT / "src" / "homeport" / "system" / "bpf" / name).read_bytes()
        assert str(ROOT).encode() not in data
        assert b"/tmp" not in data
