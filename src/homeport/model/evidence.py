"""What a statement rests on."""

from __future__ import annotations

from enum import StrEnum

from homeport.lean import NamedTuple


class Confidence(StrEnum):
    """How sure an inference is. `CERTAIN` is for what the kernel or the owner states, never for a guess."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Evidence(NamedTuple):
    """One thing that was seen: `source` says where (`/proc/12/cgroup`, `package.json:7`, `sock_diag`), `text` what."""

    source: str
    text: str
