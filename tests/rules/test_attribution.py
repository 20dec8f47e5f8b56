from __future__ import annotations

from ipaddress import ip_address

import pytest

from homeport.model.addresses import Protocol
from homeport.model.owners import Reason
from homeport.model.sockets import Socket, State
from homeport.rules.attribution import unattributed


def socket(
    *, state: State = State.LISTEN, inode: int | None = 7, uid: int | None = 33, netns: int | None = 1
) -> Socket:
    return Socket(
        Protocol.TCP, state, ip_address("127.0.0.1"), 80, None, None, inode, None, netns, uid, 0, 0, None, None
    )


def reason(
    one: Socket, *, raced: bool = False, complete: bool = True, caller: int | None = 0, user: str | None = None
) -> Reason:
    return unattributed(one, raced=raced, complete=complete, caller=caller, user=user, own_netns=1).reason


def test_remains_are_not_somebody_elses() -> None:
    assert reason(socket(state=State.TIME_WAIT, inode=None, uid=0), complete=False, caller=1000) is Reason.TIME_WAIT
    assert reason(socket(state=State.FIN_WAIT2, inode=None, uid=0), complete=False, caller=1000) is Reason.ORPHAN


def test_a_holder_that_went_away() -> None:
    assert reason(socket(), raced=True) is Reason.RACED


def test_nobody_is_the_kernel_only_when_everybody_was_asked() -> None:
    assert reason(socket(uid=0)) is Reason.KERNEL
    assert reason(socket(uid=0), complete=False) is Reason.UNKNOWN


def test_another_user_is_named_with_the_remedy() -> None:
    one = unattributed(socket(), raced=False, complete=False, caller=1000, user="www-data", own_netns=1)
    assert (one.reason, one.uid) == (Reason.OTHER_USER, 33)
    assert "33 (www-data)" in one.detail
    assert "sudo" in one.detail


def test_the_callers_own_uid_elsewhere() -> None:
    assert reason(socket(uid=1000, netns=2), complete=False, caller=1000) is Reason.OTHER_NAMESPACE
    assert reason(socket(uid=1000), complete=False, caller=1000) is Reason.UNKNOWN


def test_root_is_not_sent_to_sudo() -> None:
    assert (
        "sudo"
        not in unattributed(socket(uid=0), raced=False, complete=False, caller=0, user="root", own_netns=1).detail
    )


def test_a_source_without_uids() -> None:
    assert reason(socket(uid=None, inode=None), complete=False, caller=None) is Reason.UNKNOWN


@pytest.mark.parametrize("state", [State.SYN_RECV, State.NEW_SYN_RECV, State.ESTABLISHED, State.CLOSE_WAIT])
def test_a_connection_that_its_listener_has_not_taken(state: State) -> None:
    assert reason(socket(state=state, inode=None)) is Reason.UNACCEPTED
    assert reason(socket(state=state, inode=None), complete=False) is Reason.UNACCEPTED
