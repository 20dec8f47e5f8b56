"""What an entry of the rack of HTTP products is written with: signs, and `entry`, which makes a `Site` of them.

A sign looks at one answer and either finds what it is about, or None. It must be something that only the product itself
says: a header, a field of its own, the structure of its page; never a word in a text. Every pattern is bounded and
searched in bounded text, so that no page can make it slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from homeport.services.kind import Answer, Clues, Match, Site, suits

PAGE = 131_072  # characters of a body that are looked at
HEADER = 1_000  # characters of a header's value that are looked at
REDIRECTS = (301, 302, 303, 307, 308)
SESSIONS = ("set-cookie", "mcp-session-id", "x-transmission-session-id")  # headers whose values are not quoted
LOGIN = re.compile(r"log_?in|sign_?in", re.IGNORECASE)
QUOTE = 160  # characters of evidence
VERSION = re.compile(r"(?=[^\s\d]{0,20}\d)[\w.+~:()/ -]{1,60}", re.ASCII)


class Told(NamedTuple):
    """What a sign found: the words, and the version if they tell it."""

    quote: str
    version: str | None = None


Sign = Callable[[Answer], Told | None]


def header(name: str, pattern: str = "") -> Sign:
    """A header of that name (lower case) in which `pattern` is found; its group `version` is the version."""

    def sign(answer: Answer) -> Told | None:
        for key, value in answer.headers:
            if key == name and (found := _compiled(pattern, re.IGNORECASE).search(value[:HEADER])):
                return Told(f"{name.title()}: {(found.group() or '…') if name in SESSIONS else value}", _version(found))
        return None

    return sign


def server(name: str) -> Sign:
    """The product `name` (a pattern) in the header Server (RFC 9110, 10.2.4), its version after the slash."""
    return header("server", rf"(?:^|[ ,])(?:{name})(?:/v?(?P<version>[\w.+~-]{{1,60}}))?(?=$|[ ,;(])")


def body(*patterns: str, at: str | None = None, failed: bool = False) -> Sign:
    """A page in which every one of the patterns is found, ^ and $ at lines; the first group `version` is the version.

    `at`: only of that target; `failed`: only with a status code of 400 or above.
    """

    def sign(answer: Answer) -> Told | None:
        if (at is not None and answer.target != at) or (failed and answer.status < 400):
            return None
        text, found = _text(answer.body), []
        for pattern in patterns:
            match = _compiled(pattern, re.MULTILINE).search(text)
            if match is None:
                return None
            found.append(match)
        told = next((match for match in found if _version(match)), found[0])
        return Told(told.group(), _version(told))

    return sign


def fields(required: Mapping[str, str], version: str | None = None, at: str | None = None) -> Sign:
    """A JSON object that has every required field (`a.b` is b inside of a), the pattern matching all of its text.

    `version`: the field that tells it. The text of a value that is no string is its JSON, that of an
    object {} and that of an array [], whatever they hold.
    """

    def sign(answer: Answer) -> Told | None:
        if at is not None and answer.target != at:
            return None
        quotes = []
        for path, pattern in required.items():
            value = value_at(answer, path)
            if value is None or not _compiled(pattern, re.DOTALL).fullmatch(value):
                return None
            quotes.append(f'"{path.rpartition(".")[2]}": "{value}"')
        told = value_at(answer, version) if version else None
        if told is not None:
            quotes.append(f'"{str(version).rpartition(".")[2]}": "{told}"')
        return Told(", ".join(dict.fromkeys(quotes)), told)

    return sign


def both(*signs: Sign) -> Sign:
    """All of the signs in one answer."""

    def sign(answer: Answer) -> Told | None:
        found = [told for one in signs if (told := one(answer))]
        if len(found) < len(signs):
            return None
        return Told(
            "; ".join(told.quote for told in found), next((told.version for told in found if told.version), None)
        )

    return sign


def either(*signs: Sign) -> Sign:
    """The first of the signs that holds."""

    def sign(answer: Answer) -> Told | None:
        return next((told for one in signs if (told := one(answer))), None)

    return sign


def status(*codes: int) -> Sign:
    """One of these status codes."""
    return lambda answer: Told(str(answer.status)) if answer.status in codes else None


def entry(
    name: str,
    *signs: Sign,
    ports: tuple[int, ...] = (),
    programs: tuple[str, ...] = (),
    page: str | None = None,
    when: Sign | None = None,
    version: Sign | None = None,
    page_tells_version: bool = True,
    private: tuple[str, ...] = (),
    facts: tuple[tuple[str, str], ...] = (),
) -> Site:
    """The entry for the product `name`, proved by any one of the signs.

    `version` tells the version of a product that is proved, and proves nothing.
    `page` is asked for where the port or the program suggests the product, where `when` holds of the first answer, or
    where that one proves the product without its version and `page_tells_version`. `ports` are therefore ones that
    hardly anything else uses.
    `private`: targets that the product gives to nobody who is not logged in, unless it runs without authentication.
    """

    def recognise(answers: tuple[Answer, ...]) -> Match | None:
        found = [(answer, told) for answer in answers for one in signs if (told := one(answer))]
        if not found:
            return None
        if version:
            found += [(answer, told) for answer in answers if (told := version(answer))]
        answer, told = next((pair for pair in found if clean_version(pair[1].version)), found[0])
        quotes = dict.fromkeys(clean(f"GET {page.target}: {words.quote}") for page, words in (found[0], (answer, told)))
        known = (*facts, *authentication(answers, private))
        return Match("http", name, clean_version(told.version), "; ".join(quotes), known)

    def more(answer: Answer, clues: Clues) -> str | None:
        if page is None:
            return None
        proved = recognise((answer,))
        if proved:
            return page if proved.version is None and page_tells_version else None
        clue = clues.port in ports or suits(site, clues)
        return page if clue or (when is not None and when(answer)) else None

    site = Site(name, recognise, ports, programs, more if page else None)
    return site


def authentication(answers: tuple[Answer, ...], private: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The fact whether pages that are `private` were refused or given."""
    for answer in answers:
        if answer.target.partition("?")[0] not in private:
            continue
        to_login = answer.status in REDIRECTS and LOGIN.search((answer.header("location") or "")[:HEADER])
        if answer.status in (401, 403) or to_login:
            return (("authentication", "demanded"),)
        if answer.status == 200:
            return (("authentication", "not demanded"),)
    return ()


def value_at(answer: Answer, path: str) -> str | None:
    """The text of a field of the JSON object that is the body; None where there is none, or null."""
    value = _parsed(answer.body)
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dict():
            return "{}"
        case _:
            return "[]"


def clean(text: str) -> str:
    """Evidence: one line of bounded length."""
    line = " ".join(text[: 4 * QUOTE].split())
    return line if len(line) <= QUOTE else line[: QUOTE - 1] + "…"


def clean_version(version: str | None) -> str | None:
    """A version as it was told, if it looks like one: short, and with a digit."""
    version = version.strip() if version else ""
    return version if VERSION.fullmatch(version) else None


def _version(found: re.Match[str]) -> str | None:
    return found.groupdict().get("version")


@cache
def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII | flags)


@lru_cache(maxsize=4)
def _text(content: bytes) -> str:
    return content[:PAGE].decode("utf-8", "replace").replace("\r\n", "\n")


@lru_cache(maxsize=4)
def _parsed(content: bytes) -> object:
    if content.lstrip()[:1] != b"{":
        return None
    from json import loads

    try:
        return loads(content)
    except (ValueError, RecursionError):  # not JSON, cut off, or nested to break readers: it has no fields
        return None
