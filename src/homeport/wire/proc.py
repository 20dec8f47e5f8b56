"""Text of proc(5): /proc/PID/stat, /proc/net/{tcp,tcp6,udp,udp6}, /proc/PID/cmdline and the like."""

from __future__ import annotations

import struct
import sys
from ipaddress import IPv4Address, IPv6Address

from homeport.errors import WireError
from homeport.lean import NamedTuple
from homeport.model.addresses import IPAddress, Protocol
from homeport.model.sockets import Socket, State
from homeport.wire.sock_diag import STATES, UDP_STATES

_HIDDEN = frozenset(("hidepid=2", "hidepid=invisible", "hidepid=4", "hidepid=ptraceable"))
_WORD = "<I" if sys.byteorder == "little" else ">I"


class Stat(NamedTuple):
    """Fields of /proc/PID/stat by their names in proc(5)."""

    comm: str
    state: str
    ppid: int
    session: int
    tty_nr: int
    starttime: int


def stat(text: str) -> Stat:
    """/proc/PID/stat. comm stands in parentheses and may hold parentheses, blanks and newlines itself."""
    start, end = text.find("("), text.rfind(")")
    fields = text[end + 1 :].split(None, 20)
    if start < 0 or end < start or len(fields) < 20:
        raise WireError("not the text of /proc/PID/stat")
    try:
        return Stat(text[start + 1 : end], fields[0], int(fields[1]), int(fields[3]), int(fields[4]), int(fields[19]))
    except ValueError as error:
        raise WireError("a field of /proc/PID/stat is no number") from error


def cmdline(text: str) -> tuple[str, ...]:
    """/proc/PID/cmdline: arguments that end with NUL, or one title that a process has written over them."""
    if not text:
        return ()
    if text.endswith("\0"):
        text = text[:-1]
    arguments = tuple(text.split("\0"))
    if len(arguments) > 1 and not any(arguments[1:]):
        # setproctitle(3) leaves the rest of the area filled with NULs
        return (arguments[0],)
    return arguments


def net_table(text: str, protocol: Protocol, netns: int | None, *, connections: bool) -> list[Socket]:
    """/proc/net/tcp and its kin: addresses are 32-bit words in host byte order, ports plain hexadecimal."""
    states = STATES if protocol is Protocol.TCP else UDP_STATES
    sockets = []
    addresses: dict[str, IPAddress] = {}
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            if fields:
                raise WireError("a short line in a table of /proc/net")
            continue
        try:
            number = int(fields[3], 16)
            state = states[number] if 0 <= number < len(states) else None
            if state is None or not (connections or state is State.LISTEN or state is State.BOUND):
                continue
            local, _, port = fields[1].partition(":")
            remote, _, peer_port = fields[2].partition(":")
            sent, _, received = fields[4].partition(":")
            peer = int(peer_port, 16)
            sockets.append(
                Socket(
                    protocol,
                    state,
                    addresses.get(local) or addresses.setdefault(local, _address(local)),
                    _port(port),
                    (addresses.get(remote) or addresses.setdefault(remote, _address(remote))) if peer else None,
                    _port(peer_port) if peer else None,
                    int(fields[9]) or None,
                    None,
                    netns,
                    int(fields[7]),
                    int(received, 16),
                    # tcp_diag(7) tells the backlog here, this table does not
                    None if state is State.LISTEN else int(sent, 16),
                    None,
                    None,
                )
            )
        except ValueError as error:
            raise WireError("a field in a table of /proc/net is no number") from error
    return sockets


_LISTENING = 0x10000  # __SO_ACCEPTCON of net/unix/af_unix.c


class UnixListener(NamedTuple):
    """A Unix socket that listens; `path` as it was bound: relative to a folder of then, perhaps, or abstract (`@`)."""

    path: str
    inode: int


def unix_listeners(text: str) -> tuple[UnixListener, ...]:
    """/proc/net/unix: the Unix sockets that listen on a path (proc_pid_net(5)).

    A path is printed as it is: with a line break in it anybody can write lines here, of any content.
    """
    found = []
    for line in text.split("\n")[1:]:
        fields = line.split(maxsplit=7)
        try:
            if len(fields) == 8 and int(fields[3], 16) & _LISTENING:
                found.append(UnixListener(fields[7], int(fields[6])))
        except ValueError:  # no line of the kernel's, see above
            continue
    return tuple(found)


def nsfs_mounts(text: str) -> dict[int, str]:
    """/proc/self/mountinfo: the network namespaces that are mounted somewhere, inode number to mount point."""
    found = {}
    for line in text.splitlines():
        if " nsfs " not in line:
            continue
        fields = line.split(" ")
        if len(fields) > 4 and fields[3].startswith("net:[") and fields[3].endswith("]"):
            number = fields[3][5:-1]
            if number.isascii() and number.isdigit():
                found[int(number)] = _unescape(fields[4])
    return found


def hides_processes(text: str, place: str) -> bool:
    """/proc/self/mountinfo: whether what is mounted at `place` (last) is a proc file system with hidepid (proc(5))."""
    hides = False
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) > 4 and fields[4] == place and kind[0] == "proc":
            hides = any(option in _HIDDEN for option in kind[-1].split(","))
    return hides


def _unescape(text: str) -> str:
    """Octal escapes of mountinfo: blank, tab, newline and backslash (proc_pid_mountinfo(5))."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text


def _port(text: str) -> int:
    number = int(text, 16)
    if not 0 <= number <= 0xFFFF:
        raise ValueError(text)
    return number


def _address(text: str) -> IPAddress:
    raw = b"".join(struct.pack(_WORD, int(text[i : i + 8], 16)) for i in range(0, len(text), 8))
    # the words are printed as host integers: packing them in host order gives back the network's bytes
    if len(raw) == 4:
        return IPv4Address(raw)
    if len(raw) == 16:
        return IPv6Address(raw)
    raise ValueError(text)
