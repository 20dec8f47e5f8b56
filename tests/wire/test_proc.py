from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.addresses import Protocol
from homeport.model.sockets import State
from homeport.wire import proc

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LISTEN = (
    "   0: 0100007F:F5AD 00000000:0000 0A 00000000:00000002 00:00000000 00000000  1000        0 92464 1 0000 100 0\n"
)
CONNECTED = "   1: 0100007F:F5AD 0100007F:C350 01 00000003:00000004 00:00000000 00000000     0        0 7 1 0000 20 4\n"
V6 = (
    "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000"
    " 00:00000000 00000000     0        0 5 1 0 100 0\n"
)


def stat_line(comm: str) -> str:
    return (
        f"4242 ({comm}) S 1 4242 4000 34816 4242 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 20 18446744073709551615\n"
    )


@given(st.text())
def test_a_name_may_hold_anything(comm: str) -> None:
    fields = proc.stat(stat_line(comm))
    assert fields == proc.Stat(comm, "S", 1, 4000, 34816, 987654)


@pytest.mark.parametrize("comm", ["a) R 1 (b", "new\nline", "", ")", "((", "x\udcff"])
def test_odd_names(comm: str) -> None:
    assert proc.stat(stat_line(comm)).comm == comm


@given(st.text(max_size=300))
def test_other_text_is_refused(text: str) -> None:
    try:
        proc.stat(text)
    except WireError:
        pass


def test_the_real_one() -> None:
    fields = proc.stat(Path("/proc/self/stat").read_text())
    assert fields.ppid == os.getppid()
    assert fields.session == os.getsid(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("node\0server.js\0", ("node", "server.js")),
        ("python\0-c\0\0", ("python", "-c", "")),
        ("nginx: master process /usr/sbin/nginx", ("nginx: master process /usr/sbin/nginx",)),
        ("npm run dev\0\0\0\0\0", ("npm run dev",)),
        ("\udcff\0", ("\udcff",)),
    ],
)
def test_command_lines(text: str, expected: tuple[str, ...]) -> None:
    assert proc.cmdline(text) == expected


def test_net_tables() -> None:
    (one,) = proc.net_table(HEAD + LISTEN + CONNECTED, Protocol.TCP, 1, connections=False)
    assert (one.address, one.port, one.state, one.uid, one.inode) == (
        ip_address("127.0.0.1"),
        62893,
        State.LISTEN,
        1000,
        92464,
    )
    assert (one.receive_queue, one.send_queue, one.peer_port) == (2, None, None)
    both = proc.net_table(HEAD + LISTEN + CONNECTED, Protocol.TCP, 1, connections=True)
    assert (both[1].peer_address, both[1].peer_port) == (ip_address("127.0.0.1"), 50000)
    assert (both[1].receive_queue, both[1].send_queue) == (4, 3)
    (six,) = proc.net_table(HEAD + V6, Protocol.TCP, None, connections=False)
    assert (six.address, six.port) == (ip_address("::1"), 8080)


@given(st.text(alphabet="0123456789ABCDEF: \nxg-", max_size=400))
def test_odd_tables_raise_nothing_but_the_declared_error(text: str) -> None:
    try:
        proc.net_table(HEAD + text, Protocol.UDP, None, connections=True)
    except WireError:
        pass


def test_mounted_namespaces() -> None:
    text = (
        "22 21 0:4 net:[4026532177] /run/netns/web rw shared:5 - nsfs nsfs rw\n"
        "23 21 0:4 net:[4026532178] /run/netns/two\\040words rw - nsfs nsfs rw\n"
        "24 21 0:4 mnt:[4026532179] /run/mnt rw - nsfs nsfs rw\n"
        "25 21 0:4 net:[x] /run/netns/odd rw - nsfs nsfs rw\n"
        "26 21 8:1 / / rw - ext4 /dev/vda rw\n"
    )
    assert proc.nsfs_mounts(text) == {4026532177: "/run/netns/web", 4026532178: "/run/netns/two words"}


@given(st.text(max_size=300))
def test_odd_mounts(text: str) -> None:
    proc.nsfs_mounts(text)


UNIX = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 27351 /run/postgresql/.s.PGSQL.5432
0000000000000000: 00000003 00000000 00000000 0001 03 27352 /run/postgresql/.s.PGSQL.5432
0000000000000000: 00000002 00000000 00010000 0005 01 13001 @/tmp/with a blank
0000000000000000: 00000002 00000000 00010000 0001 01 13002
0000000000000000: 00000002 00000000 00000000 0002 01 13003 /run/log
"""


def test_unix_sockets_that_listen() -> None:
    assert proc.unix_listeners(UNIX) == (("/run/postgresql/.s.PGSQL.5432", 27351), ("@/tmp/with a blank", 13001))
    assert proc.unix_listeners("") == ()


def test_a_path_with_a_line_break_forges_no_line_that_raises() -> None:
    assert proc.unix_listeners(f"{UNIX}a b c zz e f 1 /run/docker.sock\na b c 10000 e f x /run/docker.sock\n") == (
        proc.unix_listeners(UNIX)
    )


@given(st.text())
def test_no_table_of_unix_sockets_raises(text: str) -> None:
    proc.unix_listeners(f"Num\n{text}")
