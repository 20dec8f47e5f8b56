"""Why nobody can be named as the owner of a socket (law 2)."""

from __future__ import annotations

from homeport.model.owners import Reason, Unattributed
from homeport.model.sockets import Socket, State

_ENDING = frozenset((State.FIN_WAIT1, State.FIN_WAIT2, State.LAST_ACK, State.CLOSING, State.CLOSE, State.TIME_WAIT))
# CLOSE_WAIT: its client has already given up waiting
_WAITING = frozenset((State.SYN_RECV, State.NEW_SYN_RECV, State.ESTABLISHED, State.CLOSE_WAIT))


def unattributed(
    socket: Socket,
    *,
    raced: bool,
    complete: bool,
    caller: int | None,
    user: str | None,
    own_netns: int | None,
    blind: tuple[Reason, str] | None = None,
) -> Unattributed:
    """The reason for one socket without a holder.

    `raced`: a holder was seen and was gone when its facts were read. `complete`: every process of the machine could be
    read. `caller` is the effective uid of homeport, `user` the name of the socket's uid. `blind` is the reason why more
    rights would not help, and what it means, as a phrase.
    """
    who = f"uid {socket.uid}" + (f" ({user})" if user else "") if socket.uid is not None else "an unknown user"
    if socket.state is State.TIME_WAIT:
        return Unattributed(Reason.TIME_WAIT, "remains of a closed connection: no process holds it", None)
    if raced:
        return Unattributed(Reason.RACED, "its process ended during the look", socket.uid)
    if socket.inode is None and socket.state in _ENDING:
        return Unattributed(Reason.ORPHAN, "closed by its process: the kernel finishes the connection", socket.uid)
    if socket.inode is None and socket.state in _WAITING:
        return Unattributed(Reason.UNACCEPTED, "its listener has not accepted it yet", socket.uid)
    if socket.inode is None and complete:
        return Unattributed(Reason.ORPHAN, "no process holds it", socket.uid)
    if complete:
        return Unattributed(
            Reason.KERNEL,
            "no process holds it: the kernel's own, or in the hands of io_uring or of a message between processes",
            socket.uid,
        )
    if blind is not None:
        return Unattributed(blind[0], f"made by {who}: {blind[1]}", socket.uid)
    more = "more capabilities than this shell has are needed" if caller == 0 else "run with sudo"
    if socket.uid is not None and caller is not None and socket.uid != caller:
        return Unattributed(Reason.OTHER_USER, f"held by {who}, whose descriptors may not be read: {more}", socket.uid)
    if socket.netns != own_netns:
        return Unattributed(Reason.OTHER_NAMESPACE, f"made by {who} in another network namespace: {more}", socket.uid)
    return Unattributed(
        Reason.UNKNOWN, f"made by {who}, held by a process whose descriptors may not be read: {more}", socket.uid
    )
