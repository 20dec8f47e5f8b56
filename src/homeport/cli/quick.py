"""The plain listing without click: importing click alone takes as long as listing an idle machine does.

Understands `homeport` and `homeport ls` with options of `listing.OPTIONS`; anything else (a help text, a wrong word,
another command) is left to click, which says it better.
"""

from __future__ import annotations

from homeport.cli.listing import OPTIONS, Request
from homeport.operations.asking import Wish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BY_NAME = {name: option for option in OPTIONS for name in option.names}


def parse(words: list[str]) -> Request | None:
    """The request that the words make, or None where they are click's to read."""
    if words and words[0] != "ls" and not words[0].startswith("-"):
        return None
    found: dict[str, Any] = {}
    what: list[str] = []
    rest = iter(words[1:] if words and words[0] == "ls" else words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        option = _BY_NAME.get(name)
        if option is None:
            if word.startswith("-"):
                return None
            what.append(word)
        elif not option.takes:
            if equals:
                return None
            found[option.field] = True
        else:
            text = value if equals else next(rest, None)
            if text is None:
                return None
            found[option.field] = (*found.get(option.field, ()), text) if option.takes == "many" else text
    return request(tuple(what), found)


def request(what: tuple[str, ...], fields: dict[str, Any]) -> Request:
    """A request from values by the names of the options' fields."""
    wish = {name: fields[name] for name in Wish._fields if name in fields}
    return Request(Wish(what=what, **wish), **{name: fields[name] for name in Request._fields if name in fields})
