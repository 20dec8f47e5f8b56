"""What kind of machine this is: kernel, BTF, libbpf, and the caller's capabilities."""

from __future__ import annotations

import os

from homeport.system import procfs

BTF = "/sys/kernel/btf/vmlinux"


def has_btf() -> bool:
    """Whether the kernel carries the description of its types (CONFIG_DEBUG_INFO_BTF), which CO-RE programs need."""
    return os.access(BTF, os.R_OK)


def libbpf_version() -> str | None:
    """The version of libbpf, as `v1.1`; None where it is not installed, or too old to tell (before 0.6)."""
    import ctypes

    try:
        library = ctypes.CDLL("libbpf.so.1")
    except OSError:  # not installed
        return None
    if not hasattr(library, "libbpf_version_string"):
        return None
    library.libbpf_version_string.restype = ctypes.c_char_p
    version = library.libbpf_version_string()
    return version.decode("ascii", "replace") if isinstance(version, bytes) else None


def capabilities() -> frozenset[int] | None:
    """The numbers (linux/capability.h) of the caller's effective capabilities; None on systems without them."""
    status = procfs.read_text("/proc/self/status") or ""
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            mask = int(value, 16)
            return frozenset(number for number in range(mask.bit_length()) if mask >> number & 1)
    return None
