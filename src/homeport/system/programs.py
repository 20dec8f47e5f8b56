"""Other programs, started to be read: for a bounded time, and up to a bounded length."""

from __future__ import annotations

import os

PATIENCE = 2.0
MOST = 16 << 20
_ALSO = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def output_of(program: str, *arguments: str, patience: float = PATIENCE, most: int = MOST) -> tuple[bytes | None, str]:
    """A program's standard output, or None and why: not installed, refused, too slow, too long.

    It gets no input, the untranslated locale, and is searched for where administrators' programs are too.
    """
    import selectors
    import subprocess
    import time

    environment = {**os.environ, "LC_ALL": "C"}
    environment["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), *_ALSO))
    deadline = time.monotonic() + patience
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(
            [program, *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment
        )
    except OSError:
        return None, f"{program} is not installed"
    with child, selectors.DefaultSelector() as ready:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101
        texts = {child.stdout: bytearray(), child.stderr: bytearray()}
        for stream in texts:
            ready.register(stream, selectors.EVENT_READ)
        while ready.get_map():
            left = deadline - time.monotonic()
            for key, _ in ready.select(max(left, 0)):
                piece = os.read(key.fd, 65_536)
                stream = child.stdout if key.fileobj is child.stdout else child.stderr
                texts[stream] += piece
                if not piece:
                    ready.unregister(stream)
            if left <= 0 or any(len(text) > most for text in texts.values()):
                child.kill()
                return (
                    None,
                    f"{program} did not finish within {patience:g} s" if left <= 0 else f"{program} wrote too much",
                )
        try:
            code = child.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            return None, f"{program} did not finish within {patience:g} s"
    if code != 0:
        said = bytes(texts[child.stderr]).decode("utf-8", "replace").strip().split("\n")[0]
        return None, f"{program}: {said[:200]}" if said else f"{program} ended with code {code}"
    return bytes(texts[child.stdout]), ""


def refused(why: str) -> bool:
    """Whether a program failed for want of rights, by what `output_of` says."""
    return any(words in why for words in ("Operation not permitted", "Permission denied", "you must be root"))
