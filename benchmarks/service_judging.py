"""Whether a tool was right about a service. The truth is the package manager's; neither tool has a say in it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """Of one statement: a product, or a version."""

    RIGHT = "right"
    UNTOLD = "not told"
    """Nothing said, or something true that names neither a product nor a version: a language, a protocol, a range."""
    WRONG = "wrong"


class Truth(NamedTuple):
    """One true answer: a pattern for the product's name (in any case), and its version as the package manager has it.

    Several may be true of one listener: a framework, and the server that carries it.
    """

    product: str
    version: str | None


class Said(NamedTuple):
    """What a tool said of a listener; None where it said nothing. `sure`: it is certain of the product."""

    product: str | None
    version: str | None
    sure: bool = True


class Judgement(NamedTuple):
    """Of both statements."""

    product: Verdict
    version: Verdict


NOTHING = Said(None, None)
GENERIC = (
    r"^golang net/http", r"^node\.js", r"^http", r"^python", r"^java", r"^rmi", r"^jdwp", r"^unix", r"^dns",
    r"^websocket", r"^go-ipfs", r"^vnc$", r"^x\.?org", r"^x11", r"^socks", r"^ntp", r"^ldap", r"^ssl", r"^tls",
)  # fmt: skip
"""Names of languages, protocols and libraries: true or false, they are no product."""
_EPOCH = re.compile(r"^\d+:")
_REPACKED = re.compile(r"[+~](?:dfsg|ds|rc|really|git|deb|repack)[\w.+~]*$")


def upstream(version: str) -> str:
    """The version as its authors call it, of a Debian version (deb-version(7)): `1:9.2p1-2+deb12u10` is `9.2p1`."""
    plain = _EPOCH.sub("", version)
    plain = plain.rsplit("-", 1)[0] if "-" in plain else plain
    while (cut := _REPACKED.sub("", plain)) != plain:
        plain = cut
    return plain


def judge(said: Said, truths: tuple[Truth, ...]) -> Judgement:
    """Right, wrong, or not told. A version counts where the product is right, and is the version of that one."""
    if not said.product:
        return Judgement(Verdict.UNTOLD, Verdict.UNTOLD)
    for truth in truths:  # nmap says that MariaDB is MySQL, and in the version that it is not
        if re.search(truth.product, f"{said.product} {said.version or ''}", re.IGNORECASE):
            return Judgement(Verdict.RIGHT, _version(said.version, truth.version))
    generic = any(re.search(pattern, said.product, re.IGNORECASE) for pattern in GENERIC)
    return Judgement(Verdict.UNTOLD if generic else Verdict.WRONG, Verdict.UNTOLD)


def _version(said: str | None, true: str | None) -> Verdict:
    """Right is the true one, or as much of it as was told: two numbers at least (`2.4` of `2.4.71`)."""
    if not said or true is None:
        return Verdict.UNTOLD
    if " or later" in said or " - " in said or re.search(r"(?i)\bx\b|\.x$", said):
        return Verdict.UNTOLD if _within(said, true) else Verdict.WRONG
    told = _parts(re.split(r"[\s(]", said.strip())[0].removeprefix("5.5.5-"))  # what MariaDB puts before its own
    exact = _parts(true)
    if told == exact or (len(told) >= 2 and exact[: len(told)] == told):
        return Verdict.RIGHT
    return Verdict.RIGHT if len(exact) >= 2 and told[: len(exact)] == exact else Verdict.WRONG


def _within(said: str, true: str) -> bool:
    """Whether a range (`9.6.0 or later`, `2.2.X - 2.3.X`) holds the version."""
    bounds = [tuple(int(number) for number in re.findall(r"\d+", part)) for part in said.split(" - ")]
    exact = tuple(int(number) for number in re.findall(r"\d+", true))
    if not bounds[0]:
        return True
    above = exact >= bounds[0]
    return above and (len(bounds) < 2 or not bounds[1] or exact[: len(bounds[1])] <= bounds[1])


def _parts(version: str) -> list[str]:
    return re.findall(r"\d+|[a-z]+", version.lower().removeprefix("v"))
