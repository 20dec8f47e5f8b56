"""Regular expressions that somebody typed, within a bounded time a line."""

from __future__ import annotations

import re
import signal
import threading
from types import FrameType

from homeport.errors import UsageError

LONGEST = 4096
"""Characters of a line that are searched."""
PATIENCE = 0.5
"""Seconds for one line."""


class Pattern:
    """A regular expression of Python's `re`. Raises UsageError where it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._compiled = re.compile(text)
        except (re.error, RecursionError, OverflowError) as error:
            raise UsageError(f"--grep {text!r} is no regular expression", why=str(error)) from error

    def found_in(self, line: str) -> bool:
        """Whether it is found in the first `LONGEST` characters. Raises UsageError where the search takes too long.

        Python's engine looks for signals while it searches, so that a timer ends what would go on for ever; only the
        main thread gets signals, elsewhere the search is not timed.
        """
        if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
            return self._compiled.search(line[:LONGEST]) is not None
        before = signal.signal(signal.SIGALRM, self._too_long)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        try:
            return self._compiled.search(line[:LONGEST]) is not None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _too_long(self, _number: int, _frame: FrameType | None) -> None:
        why = f"it took more than {PATIENCE} s on one line"
        raise UsageError(
            f"--grep {self.text!r} cannot be searched for", why=why, remedy="write it without nested repeats"
        )
