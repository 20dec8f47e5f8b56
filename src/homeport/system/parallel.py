"""Work for a second processor: a forked child, since nearly all of a look's time is spent in the kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

FEW = 300
"""Processes up to which a fork(2) costs more than it saves."""


class Pending:
    """Work that a child does meanwhile. What it returns must be of the types that `marshal` knows."""

    def __init__(self, work: Callable[[], Any]) -> None:
        """Start it. Raises OSError where no process may be made."""
        self._reader, writer = os.pipe()
        try:
            self._child = os.fork()
        except OSError:
            os.close(self._reader)
            os.close(writer)
            raise
        if self._child == 0:
            _serve(self._reader, writer, work)
        os.close(writer)

    def result(self) -> Any | None:
        """What it returned; None when the child failed or was killed. To be asked once."""
        import marshal

        try:
            chunks = []
            while chunk := os.read(self._reader, 1 << 20):
                chunks.append(chunk)
        finally:
            os.close(self._reader)
            os.waitpid(self._child, 0)
        try:
            return marshal.loads(b"".join(chunks))  # noqa: S302  # written by this very program
        except (EOFError, ValueError, TypeError):  # the child did not come to its end
            return None


def begin(work: Callable[[], Any], size: int) -> Pending | None:
    """`work` on a second processor; None where there is none, or `size` (processes to read) is not worth it."""
    if size < FEW or (os.cpu_count() or 1) < 2 or not hasattr(os, "fork"):
        return None
    try:
        return Pending(work)
    except OSError:  # no more processes or descriptors allowed: the caller does it itself
        return None


def halves(work: Callable[[Sequence[T]], Any], items: Sequence[T]) -> list[Any]:
    """`work` over `items`, in one piece, or in two of which a child does the second."""
    middle = len(items) // 2
    others = begin(lambda: work(items[middle:]), len(items))
    if others is None:
        return [work(items)]
    try:
        first = work(items[:middle])
    finally:
        second = others.result()
    return [first, work(items[middle:]) if second is None else second]


def _serve(reader: int, writer: int, work: Callable[[], Any]) -> None:
    """In the child: write and end, whatever happens, without running any of the parent's clean-up."""
    import marshal

    try:
        os.close(reader)
        data = memoryview(marshal.dumps(work()))
        while data:
            data = data[os.write(writer, data) :]
    finally:
        os._exit(0)
