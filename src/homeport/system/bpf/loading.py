"""Ways to bring the compiled program into the kernel, quickest first. To add one: a function and its place in `WAYS`.

- light: a loader program carried in the package runs in the kernel, which relocates by its own BTF (Linux 5.17).
- libbpf: the library relocates, after reading all of the kernel's BTF; several times as slow (Linux 5.12).
"""

from __future__ import annotations

import os
import struct

from homeport.lean import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes import CDLL

FOLDER = os.path.dirname(os.path.abspath(__file__))
LIGHT_FROM = (5, 17)
LIBRARIES = ("libbpf.so.1", "libbpf.so.0")


class Loaded(NamedTuple):
    """Descriptors of the program and of the map of filters."""

    program: int
    filters: int

    def close(self) -> None:
        """The kernel drops both, unless something else holds them."""
        os.close(self.program)
        os.close(self.filters)


def load() -> Loaded:
    """By the first way that works. Raises OSError whose message says why each of them did not."""
    reasons = []
    for way in WAYS:
        try:
            return way()
        except OSError as error:  # the next way may do; else the reasons are told together
            reasons.append(f"{way.__name__}: {error.strerror or error}")
    raise OSError(None, "; ".join(reasons))


def light() -> Loaded:
    """By the loader program. Raises OSError."""
    from homeport.system.bpf import syscall

    with open(f"{FOLDER}/sockets.light", "rb") as file:
        blob = file.read()
    data_size, code_size = struct.unpack_from("=II", blob)
    data, code = blob[8 : 8 + data_size], blob[8 + data_size : 8 + data_size + code_size]
    # struct bpf_loader_ctx (its size, then logging), a bpf_map_desc, a bpf_prog_desc of libbpf's skel_internal.h
    context = syscall.run_loader(data, code, struct.pack("=I20xIIQI4x", 48, 0, 0, 0, 0))
    filters, program = struct.unpack("=24xI12xI4x", context)
    return Loaded(program, filters)


def libbpf() -> Loaded:
    """By the library. Raises OSError."""
    import ctypes

    library = _library()
    pointer = ctypes.c_void_p
    library.bpf_object__open_file.restype = pointer
    library.bpf_object__find_program_by_name.restype = pointer
    library.libbpf_set_print(None)  # it would write to standard error
    opened = library.bpf_object__open_file(os.fsencode(f"{FOLDER}/sockets.bpf.o"), None)
    if not opened or opened > 2**64 - 4096:  # before 1.0 an error number comes as a pointer
        raise OSError(None, "libbpf cannot read the compiled program")
    thing = pointer(opened)
    try:
        result = library.bpf_object__load(thing)
        if result < 0:
            raise OSError(-result, os.strerror(-result))
        found = pointer(library.bpf_object__find_program_by_name(thing, b"sockets"))
        program = os.dup(library.bpf_program__fd(found))
        return Loaded(program, os.dup(library.bpf_object__find_map_fd_by_name(thing, b"filters")))
    finally:
        library.bpf_object__close(thing)


WAYS = (light, libbpf)


def has_library() -> bool:
    """Whether libbpf can be loaded."""
    try:
        _library()
    except OSError:  # that is the answer
        return False
    return True


def _library() -> CDLL:
    import ctypes

    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name, use_errno=True)
        except OSError:  # the other name may be there
            continue
    raise OSError(None, f"neither {' nor '.join(LIBRARIES)} is installed")
