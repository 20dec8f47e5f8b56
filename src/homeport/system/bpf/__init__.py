"""Sockets and who holds them, from an eBPF iterator over all descriptor tables: see docs/bpf.md.

    sockets.bpf.c, kernel.h    the program; scripts/build-bpf compiles it
    sockets.light, .bpf.o      what is compiled, for the two ways of `loading`
    loading.py                 brings the program into the kernel
    pins.py                    keeps it there
    syscall.py                 bpf(2)

Importing this module costs nothing; ctypes is loaded by the first look.
"""

from __future__ import annotations

import os
import sys

from homeport.errors import SourceError, WireError
from homeport.model.snapshot import Query
from homeport.model.sockets import Holder, Socket

_FIRST = (5, 12)
_SYS_ADMIN, _PERFMON, _BPF = 21, 38, 39
_INITIAL_USER_NAMESPACE = 0xEFFFFFFD  # PROC_USER_INIT_INO, include/linux/proc_ns.h
_CHUNK = 1 << 15  # the kernel's buffer: eight pages
_MOST_PAUSES = 1000  # the iterator pauses (EAGAIN) after a million descriptors that were left out


def missing() -> str | None:
    """Why it cannot work here, as far as can be told cheaply; None: it should."""
    if sys.platform != "linux":
        return "this is not Linux"
    from homeport.system import machine

    held = machine.capabilities() or frozenset()
    if _SYS_ADMIN not in held and not held >= {_PERFMON, _BPF}:
        return "it takes CAP_BPF and CAP_PERFMON (run with sudo)"
    try:
        if os.stat("/proc/self/ns/user").st_ino != _INITIAL_USER_NAMESPACE:
            return "the rights of a user namespace are not enough for BPF"
    except OSError:  # no user namespaces in this kernel: the rights are real
        pass
    kernel = _release()
    if kernel < _FIRST:
        return f"the kernel is too old: {kernel[0]}.{kernel[1]}, and {_FIRST[0]}.{_FIRST[1]} is the first that can"
    if not machine.has_btf():
        return f"the kernel does not carry its types ({machine.BTF})"
    return _unloadable(kernel)


def look(query: Query) -> tuple[list[Socket], dict[int, tuple[Holder, ...]]]:
    """The sockets that processes hold, each once, and by their inode number the holders.

    Raises SourceError when the kernel refuses.
    """
    from homeport.wire import bpf_records

    hertz = os.sysconf("SC_CLK_TCK")
    try:
        kept = _read_pinned(query)
        if kept is not None:
            try:
                records = bpf_records.decode(kept, query, hertz)
            except WireError:  # not what this version pins: take our own
                kept = None
        if kept is None:
            records = bpf_records.decode(_read_loaded(query), query, hertz)
    except (OSError, WireError) as error:
        raise SourceError(
            "the BPF source does not work here",
            why=getattr(error, "strerror", None) or str(error),
            remedy="homeport --source netlink works without it",
        ) from None
    if records.zoned:
        _add_zones(records.sockets, records.zoned, records.holders)
    return records.sockets, records.holders


def pin() -> None:
    """Keep the iterator in the kernel until `unpin` or a restart: quicker looks. Raises RightsError, SourceError."""
    from homeport.system.bpf import loading, pins, syscall

    pins.unpin()
    try:
        loaded = loading.load()
        try:
            link = syscall.link_iterator(loaded.program)
            try:
                pins.pin(link, loaded.filters)
            finally:
                os.close(link)
        finally:
            loaded.close()
    except OSError as error:
        raise SourceError("the BPF iterators cannot be kept", why=error.strerror or str(error)) from None


def unpin() -> None:
    """Take the kept iterator away; nothing happens where there is none. Raises RightsError, SourceError."""
    from homeport.system.bpf import pins

    try:
        pins.unpin()
    except OSError as error:
        raise SourceError("the BPF iterators cannot be taken away", why=error.strerror) from None


def pinned() -> bool | None:
    """Whether an iterator is kept in the kernel that a look would use; None when this user may not know."""
    from homeport.system.bpf import pins

    return pins.there()


def pinned_problem() -> str | None:
    """Why a kept iterator is ignored, as a phrase; None when it is used, or when there is none."""
    from homeport.system.bpf import pins

    return pins.problem()


def _release() -> tuple[int, int]:
    """Major and minor number of the running kernel."""
    numbers = [int(word) for word in os.uname().release.replace("-", ".").split(".")[:2] if word.isdigit()]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)


def _unloadable(kernel: tuple[int, int]) -> str | None:
    """Whether any of the ways to load is there."""
    if os.uname().machine not in ("x86_64", "aarch64", "riscv64", "loongarch64", "ppc64le"):
        return f"the compiled program is not for {os.uname().machine}"
    from homeport.system.bpf import loading

    if kernel >= loading.LIGHT_FROM and loading.light in loading.WAYS:
        return None
    return None if loading.has_library() else "libbpf is not installed, and this kernel needs it"


def _read_pinned(query: Query) -> bytes | None:
    """The records of the kept iterator; None where there is none that works."""
    from homeport.system.bpf import pins

    kept = pins.opened()
    if kept is None:
        return None
    try:
        _ask(kept.filters, query)
        return _drain(kept.iterator)
    except OSError:  # broken: the program is loaded instead
        return None
    finally:
        os.close(kept.iterator)
        os.close(kept.filters)


def _read_loaded(query: Query) -> bytes:
    from homeport.system.bpf import loading, syscall

    loaded = loading.load()
    try:
        link = syscall.link_iterator(loaded.program)
        try:
            iterator = syscall.open_iterator(link)
        finally:
            os.close(link)
        try:
            _ask(loaded.filters, query)
            return _drain(iterator)
        finally:
            os.close(iterator)
    finally:
        loaded.close()


def _ask(filters: int, query: Query) -> None:
    """Set the filter of the calling thread."""
    from homeport.system.bpf import syscall
    from homeport.wire import bpf_records

    try:
        thread = syscall.pidfd_of_thread()
    except OSError:  # a second thread on a kernel before 6.9: everything is told, and filtered here
        return
    try:
        syscall.update(filters, thread, bpf_records.filter_of(query))
    finally:
        os.close(thread)


def _drain(iterator: int) -> bytes:
    chunks: list[bytes] = []
    pauses = 0
    while True:
        try:
            chunk = os.read(iterator, _CHUNK)
        except BlockingIOError:  # it only pauses; see _MOST_PAUSES
            pauses += 1
            if pauses > _MOST_PAUSES:
                raise
            continue
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _add_zones(sockets: list[Socket], zoned: list[int], holders: dict[int, tuple[Holder, ...]]) -> None:
    """Link-local addresses with their zone (RFC 4007 §11), as their own namespace names the interface."""
    from ipaddress import IPv6Address

    from homeport.model.snapshot import Netns
    from homeport.system import namespaces

    by_netns: dict[int | None, list[int]] = {}
    for index in zoned:
        by_netns.setdefault(sockets[index].netns, []).append(index)
    mine = namespaces.own()
    names = {(mine, index): name for index, name in _interfaces()} if mine in by_netns else {}
    others = []
    for inode, indexes in by_netns.items():
        if inode != mine:
            held = holders[sockets[indexes[0]].inode or 0][0]
            others.append(Netns(inode, None, held.pid, False))
    for one, found in (namespaces.inside(others, lambda _: _interfaces()) if others else {}).items():
        if not isinstance(found, OSError):  # cannot be entered: the number is a zone too
            names.update({(one.inode, index): name for index, name in found})
    for index in zoned:
        socket = sockets[index]
        zone = names.get((socket.netns, socket.interface or 0)) or str(socket.interface)
        sockets[index] = socket._replace(address=IPv6Address(f"{socket.address}%{zone}"))


def _interfaces() -> list[tuple[int, str]]:
    import socket

    return socket.if_nameindex()
