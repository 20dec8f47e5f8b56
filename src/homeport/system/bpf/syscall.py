"""bpf(2) by its number, through ctypes: the C library has no function for it. Attributes are those of linux/bpf.h.

Every function raises OSError as the kernel says it. All descriptors are close-on-exec (the kernel makes them so).
"""

from __future__ import annotations

import ctypes
import os
import struct
from _thread import get_native_id  # threading takes a millisecond to import

NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "ppc64le": 361}
"""__NR_bpf by uname(2)'s machine: the 64-bit little-endian ones, which the compiled program is for."""

_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _OBJ_PIN, _OBJ_GET = 0, 2, 5, 6, 7
_PROG_RUN, _MAP_FREEZE, _LINK_CREATE, _ITER_CREATE = 10, 22, 28, 33
_MAP_TYPE_ARRAY = 2
_PROG_TYPE_SYSCALL = 31
_TRACE_ITER = 28
_SLEEPABLE = 1 << 4
_ATTRIBUTE = 128  # bytes: up to fd_array of BPF_PROG_LOAD (Linux 5.14); older kernels want the rest to be zero

_libc = ctypes.CDLL(None, use_errno=True)
_number = ctypes.c_long(NUMBERS.get(os.uname().machine, -1))


def _bpf(command: int, layout: str, *values: object) -> int:
    return _call(command, layout, *values)[0]


def _call(command: int, layout: str, *values: object) -> tuple[int, bytes]:
    """The result, and the attribute as the kernel leaves it."""
    attribute = ctypes.create_string_buffer(struct.pack("=" + layout, *values), _ATTRIBUTE)
    result: int = _libc.syscall(_number, ctypes.c_int(command), attribute, ctypes.c_uint(_ATTRIBUTE))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result, attribute.raw


def run_loader(data: bytes, instructions: bytes, context: bytes) -> bytes:
    """Run a loader program (libbpf's gen_loader) in the kernel and return its context, with the descriptors it made."""
    blob, code = ctypes.create_string_buffer(data, len(data)), ctypes.create_string_buffer(instructions)
    key, licence = ctypes.c_uint32(0), ctypes.create_string_buffer(b"Dual BSD/GPL")
    state = ctypes.create_string_buffer(context, len(context))
    table = _bpf(_MAP_CREATE, "IIIII", _MAP_TYPE_ARRAY, 4, len(data), 1, 0)
    try:
        _bpf(_MAP_UPDATE, "I4xQQQ", table, ctypes.addressof(key), ctypes.addressof(blob), 0)
        _bpf(_MAP_FREEZE, "I", table)
        array = ctypes.c_int(table)
        program = _bpf(
            _PROG_LOAD,
            "IIQQ20xI16s56xQ",  # type, count, instructions, licence … flags, name … array of descriptors
            _PROG_TYPE_SYSCALL,
            len(instructions) // 8,
            ctypes.addressof(code),
            ctypes.addressof(licence),
            _SLEEPABLE,
            b"__loader.prog",
            ctypes.addressof(array),
        )
        try:
            _, left = _call(_PROG_RUN, "I36xI4xQ", program, len(context), ctypes.addressof(state))
            (answer,) = struct.unpack_from("=i", left, 4)
            if answer < 0:
                raise OSError(-answer, os.strerror(-answer))
        finally:
            os.close(program)
    finally:
        os.close(table)
    return state.raw


def link_iterator(program: int) -> int:
    """Attach an iterator program: the descriptor of the link."""
    return _bpf(_LINK_CREATE, "III", program, 0, _TRACE_ITER)


def open_iterator(link: int) -> int:
    """A descriptor to read one pass of the iterator from."""
    return _bpf(_ITER_CREATE, "II", link, 0)


def update(table: int, key: int, value: bytes) -> None:
    """Set the value of a 32-bit key of a map."""
    number, buffer = ctypes.c_uint32(key), ctypes.create_string_buffer(value, len(value))
    _bpf(_MAP_UPDATE, "I4xQQQ", table, ctypes.addressof(number), ctypes.addressof(buffer), 0)


def pin(descriptor: int, path: str) -> None:
    """Give a map or a link a name in a BPF file system."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    _bpf(_OBJ_PIN, "QI", ctypes.addressof(name), descriptor)


def pinned(path: str) -> int:
    """The map or link of that name."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    return _bpf(_OBJ_GET, "Q", ctypes.addressof(name))


def pidfd_of_thread() -> int:
    """A pidfd of the calling thread. Raises OSError on kernels before 6.9 for any thread but the first."""
    thread = get_native_id()
    return os.pidfd_open(thread, 0 if thread == os.getpid() else os.O_EXCL)  # PIDFD_THREAD is O_EXCL
