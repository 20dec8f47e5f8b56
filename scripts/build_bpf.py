"""Compiles the BPF program of the package, with Debian 12's clang and libbpf (scripts/test-packages.txt).

build_bpf.py            write sockets.bpf.o and sockets.light
build_bpf.py --check    write nothing; 1 when a file is not what the source compiles to

Needs no rights, and not the running kernel's types. The result depends on these versions alone: no path and no date is
in it.
"""

from __future__ import annotations

import ctypes
import filecmp
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE = os.path.join(ROOT, "src/homeport/system/bpf")
OBJECT, LIGHT = "sockets.bpf.o", "sockets.light"
CLANG = ("clang-14", "clang")


class Loader(ctypes.Structure):
    """struct gen_loader_opts of bpf/libbpf.h."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("insns", ctypes.c_void_p),
        ("data_sz", ctypes.c_uint32),
        ("insns_sz", ctypes.c_uint32),
    )


def compile_object(target: str) -> None:
    """C to an ELF object in which of all debugging information only BTF remains."""
    clang = next((name for name in CLANG if shutil.which(name)), None)
    if clang is None or shutil.which("llvm-strip") is None:
        sys.exit("clang and llvm are not installed: apt-get install clang llvm libbpf-dev linux-libc-dev")
    include = f"/usr/include/{platform.machine()}-linux-gnu"  # asm/types.h
    flags = ["-target", "bpf", "-mcpu=v3", "-O2", "-g", "-Wall", "-Wextra", "-Werror", f"-I{include}"]
    flags += ["-fdebug-compilation-dir=.", "-fdebug-prefix-map=" + SOURCE + "=."]
    subprocess.run([clang, *flags, "-c", "sockets.bpf.c", "-o", target], cwd=SOURCE, check=True)
    subprocess.run(["llvm-strip", "-g", target], check=True)


def generate_light(source: str, target: str) -> None:
    """The object to a loader program and its data, by libbpf: u32 size of data, u32 size of program, data, program."""
    library = ctypes.CDLL("libbpf.so.1")
    library.bpf_object__open_file.restype = ctypes.c_void_p
    opened = library.bpf_object__open_file(os.fsencode(source), None)
    thing = ctypes.c_void_p(opened)
    loader = Loader(sz=ctypes.sizeof(Loader))
    if not opened or library.bpf_object__gen_loader(thing, ctypes.byref(loader)) or library.bpf_object__load(thing):
        sys.exit("libbpf cannot make a loader program of the object")
    with open(target, "wb") as file:
        file.write(struct.pack("<II", loader.data_sz, loader.insns_sz))
        file.write(ctypes.string_at(loader.data, loader.data_sz) + ctypes.string_at(loader.insns, loader.insns_sz))
    library.bpf_object__close(thing)


def main() -> None:
    """Build, then copy into the package or compare with it."""
    words = sys.argv[1:]
    if words not in ([], ["--check"]):
        sys.exit("usage: scripts/build-bpf [--check]")
    with tempfile.TemporaryDirectory() as folder:
        built = [os.path.join(folder, name) for name in (OBJECT, LIGHT)]
        compile_object(built[0])
        generate_light(built[0], built[1])
        different = []
        for path in built:
            kept = os.path.join(SOURCE, os.path.basename(path))
            if not words:
                shutil.copyfile(path, kept)
            elif not os.path.exists(kept) or not filecmp.cmp(path, kept, shallow=False):
                different.append(os.path.relpath(kept, ROOT))
    if different:
        sys.exit(f"not what the source compiles to: {', '.join(different)}: run scripts/build-bpf and commit")


if __name__ == "__main__":
    main()
