"""Lines, arguments and variables as they may be shown: what could be a secret becomes `…`, the port stays.

Masking rather hides too much than too little: a value is hidden for its key's name, or for looking like a key itself.
"""

from __future__ import annotations

import re

MOST = 400
"""Characters of a text that are shown at the most."""
HIDDEN = "…"

_KEY = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credentials?"
    r"|auth(?:orization)?|cookie|session|signature|salt|dsn"
)
# what follows a scheme up to the last @ before the path: user names may be e-mail addresses
_USERINFO = re.compile(r"(\w[\w+.\-]{0,20}://)([^\s/?#'\"]{1,200})@")
_PARAMETER = re.compile(rf"([?&;][^=&\s]{{0,60}}?(?:{_KEY})[^=&\s]{{0,60}}=)([^&\s'\"]+)", re.IGNORECASE)
_NAMED = re.compile(
    rf"(\b[\w.\-]{{0,60}}?(?:{_KEY})[\w.\-]{{0,60}}[\"']?\s*(?:=>|[:=])\s*)(\"[^\"]*\"?|'[^']*'?|(?:bearer|basic|digest)\s+\S+|\S+)",
    re.IGNORECASE,
)
_FLAG = re.compile(rf"(--?[\w\-]{{0,40}}(?:{_KEY})[\w\-]{{0,40}}[\"',]*\s+[\"']?)([^\s\"'\-][^\s\"']*)", re.IGNORECASE)
_BEARER = re.compile(r"(\b(?:bearer|basic|digest)\s+)(\S{4,})", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z0-9_+=~.\-]{20,}")
_PORT_KEY = re.compile(r"port", re.IGNORECASE)


def mask(text: str, port: int | None = None) -> str:
    """A text with passwords, tokens and keys replaced by `…`, at most 400 characters of it.

    A hidden value leaves `:port` readable where it ends in it, as connection strings do.
    """
    cut = len(text) > MOST
    text = text[:MOST]
    text = _USERINFO.sub(_userinfo, text)
    text = _PARAMETER.sub(rf"\1{HIDDEN}", text)
    text = _NAMED.sub(lambda found: _value(found, port), text)
    text = _FLAG.sub(rf"\1{HIDDEN}", text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    text = _WORD.sub(lambda found: HIDDEN if _looks_like_a_key(found[0]) else found[0], text)
    return text + HIDDEN if cut else text


def mask_environment(name: str, value: str, port: int) -> str:
    """`PORT=3000` where the value is the port, else everything but the port hidden: `DATABASE_URL=…:5432…`."""
    number = str(port)
    if value.strip() == number:
        return f"{name}={number}"
    found = re.search(rf"(?<!\d):?{number}(?!\d)", value[:4096])
    if found is None:
        return f"{name}={HIDDEN}"
    scheme = re.match(r"[a-z][a-z0-9+.\-]{0,15}://", value, re.IGNORECASE)
    before = (scheme[0] if scheme else "") + (HIDDEN if found.start() > (scheme.end() if scheme else 0) else "")
    return f"{name}={before}{found[0]}{HIDDEN if found.end() < len(value) else ''}"


def _userinfo(found: re.Match[str]) -> str:
    user, colon, _ = found[2].partition(":")
    return f"{found[1]}{user if colon else HIDDEN}{':' + HIDDEN if colon else ''}@"


def _value(found: re.Match[str], port: int | None) -> str:
    if port is not None and found[2].strip("\"',;") == str(port) and _PORT_KEY.search(found[1]):
        return found[0]  # TOKEN_PORT=3000 holds a port
    tail = "," if found[2].endswith(",") else ""
    return f"{found[1]}{HIDDEN}{tail}"


def _looks_like_a_key(word: str) -> bool:
    """Long runs of mixed characters; paths, names and sentences with dashes are none."""
    classes = sum((
        any(character.isdigit() for character in word),
        any(character.islower() for character in word),
        any(character.isupper() for character in word),
    ))  # fmt: skip
    parts = re.split(r"[-_.=+~]", word)
    longest = max(map(len, parts))
    if classes == 3:
        return longest >= 12
    if classes == 2 and any(character.isdigit() for character in word):
        return longest >= 20
    return False
