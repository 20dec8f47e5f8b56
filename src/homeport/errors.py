"""Every error that homeport raises on purpose.

    HomeportError            what happened, why, and what to do
    ├── UsageError           the words of the command line do not fit            (exit 2)
    │   └── AddressError     a text that is no address of the kinds homeport reads
    ├── RightsError          the kernel asks for more rights than the caller has (exit 3)
    ├── SourceError          a source of facts does not work on this machine     (exit 1)
    └── WireError            bytes or text that are not what their format says   (never leaves `system`)

Nothing else is raised on purpose. OSErrors are translated where they happen, once per module of `system`.
"""

from __future__ import annotations


class HomeportError(Exception):
    """Something expected went wrong: `what` happened, `why`, and the `remedy`, each a phrase without a full stop."""

    exit_code = 1

    def __init__(self, what: str, *, why: str | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        text = self.what if self.why is None else f"{self.what}: {self.why}"
        return text if self.remedy is None else f"{text}\n{self.remedy}"


class UsageError(HomeportError):
    """The words of the command line do not fit together."""

    exit_code = 2


class AddressError(UsageError):
    """A text that names no address and port."""


class RightsError(HomeportError):
    """The kernel asks for more rights than the caller has."""

    exit_code = 3


class SourceError(HomeportError):
    """A source of facts does not work on this machine."""


class WireError(HomeportError):
    """Bytes or text that are not what their format says they are."""
