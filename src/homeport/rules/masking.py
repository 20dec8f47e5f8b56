"""Lines of configuration, arguments and variables with their secrets hidden, and the port left to be read.

Too much is hidden rather than too little. At most `MOST` characters come back.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from itertools import pairwise

MOST = 400
"""Characters of a text that are shown at the most; the rest is cut off with `…`."""
_LOOKED_AT = 2 * MOST  # so that a secret that lies across the cut is still known as one
HIDDEN = "\N{HORIZONTAL ELLIPSIS}"

_KEY = re.compile(
    r"""(?ix) (?:
      (?: pass(?:word|wort|wd|phrase|code)?(?!enger|port|ive|ed(?![a-z])|ing) | pwd | secret | token
        | (?:api|access|private|secret|encryption|signing|app|master|account|shared|storage|license|ssh|auth)[_-]?key
        | credential | session[_-]?id | signature ) [\w.-]{0,64}
    | (?: auth | authorization | (?:set-)?cookies? | sessions? | salt | dsn ) (?![\w.-]) )
    ["'`]?\]? (?P<separator> \s{0,8}(?:=>|:=|=|:)\s{0,8} | \s{0,8}(?:\|\||\?\?)=?\s{0,8}(?=["'`])
      | (?<=["'`])\s?,\s{0,8}(?=["'`]) | \s{1,8} )
    """
)
"""What makes a name that of a secret, and what stands between it and its value. Weak words must end the name."""
_NAME = string.ascii_letters + string.digits + "_.-"
_NO_SECRETS = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")
"""Directives of nginx: where a request is passed to."""
_NEXT = re.compile(
    r"""(?x) \s{1,8}(?=-{1,2}[A-Za-z]) | \s{1,8}(?:&&|\|\|?)(?=\s)
    | (?:[,;&]\s{0,8}|\s{1,8})(?=["']?[A-Za-z_][\w.-]{0,64}["']?\s?(?:=|:\s)) | (?=[,;)\]}]{1,8}\s*$) """
)
"""Where an unquoted value ends: the next option, command, or name with a value; what closes the line."""

_URL_PASSWORD = re.compile(r"(://[^\s:@/\"'<>]{0,128}:)[^\s\"'<>]{0,512}@")
_URL_TOKEN = re.compile(r"(://)[^\s:@/\"'<>]{17,512}@")
_PLAIN_PASSWORD = re.compile(r"((?<![\w./-])[\w.-]{1,64}:)(?![/\s])[^\s@/\"']{1,256}@(?=[\w\[(])")
_SCHEME = re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s{1,4})(?=\S{6})[^\s\"',;]{1,512}")
_IDENTIFIED = re.compile(r"(?i)\b(identified\s{1,4}by\s{1,4})(?:'[^']{0,256}'?|\"[^\"]{0,256}\"?|\S{1,256})")
_MYSQL = re.compile(r"((?:mysql|mariadb|sshpass|redis-cli)[^|;&]{0,400}?\s-[pa]\s?)(?![\s-])[^\s|;&]{1,256}")
_CURL = re.compile(
    r"((?:curl|wget|http)\b[^|;&]{0,400}?\s(?:-u|-U|--user|--proxy-user)[= ]?[^\s:]{1,128}:)[^\s]{1,256}"
)
_PRIVATE_KEY = re.compile(r"(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----).{1,800}")
_ACL = re.compile(r"((?:^|\s)user\s.{0,200}?\s)[>#<!]\S{1,256}")
_ELEMENT = re.compile(
    r"(?i)(<[\w:.-]{0,64}?(?:pass(?:word|wd|phrase)|pwd|secret|token|credential)[\w:.-]{0,64}>)[^<]{1,512}"
)
_PARAMETER = re.compile(r"(?i)([?&](?:sig|key|auth|code|hmac|otp|x-amz-[a-z-]{1,32})=)[^\s&\"'<>]{1,512}")
_TOKENS = re.compile(
    r"""(?x) \b(?: eyJ[\w-]{8,}(?:\.[\w-]{0,512}){0,4} | A[KS]IA[0-9A-Z]{8,} | gh[pousr]_\w{8,} | github_pat_\w{8,}
    | sk-[\w-]{8,} | [spr]k_(?:live|test)_\w{8,} | whsec_\w{8,} | xox[a-z]-[\w-]{8,} | glpat-[\w-]{8,} | npm_\w{16,}
    | AIza[\w-]{16,} | hf_\w{16,} | SG\.[\w-]{8,}\.[\w-]{8,} | dop_v1_\w{8,} | pypi-[\w-]{16,} | ya29\.[\w-]{8,} ) """
)
_RUN = re.compile(r"(?<![\w+./-])[\w+/-]{20,}={0,3}(?!\.\w)|(?<![\w+-])[A-Za-z0-9+_-]{20,}={0,3}")


def mask(text: str, port: int | None = None) -> str:
    """A line, an argument or `NAME=value` with secrets replaced by `…`; the port is left where it is written as one.

    Hidden: passwords in URLs, values of names that speak of secrets, known kinds of tokens, long random runs.
    """
    cut = len(text) > _LOOKED_AT
    text = text[:_LOOKED_AT]
    text = _PRIVATE_KEY.sub(rf"\1{HIDDEN}", text)
    text = _URL_PASSWORD.sub(_url_password(port), text)
    for pattern in (_URL_TOKEN, _PLAIN_PASSWORD):
        text = pattern.sub(rf"\1{HIDDEN}@", text)
    for pattern in (_IDENTIFIED, _CURL, _ACL, _ELEMENT, _PARAMETER):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = _MYSQL.sub(rf"\1{HIDDEN}", text)
    text = _SCHEME.sub(rf"\1\2{HIDDEN}", text)
    text = _values(text, port)
    text = _TOKENS.sub(HIDDEN, text)
    text = _RUN.sub(_run, text)
    if cut:
        text = text[:-64] + HIDDEN  # the beginning of a secret would not be known as one
    return text if len(text) <= MOST else text[: MOST - 1] + HIDDEN


def mask_environment(name: str, value: str, port: int) -> str:
    """`NAME=3000` where the value is the port alone; else everything but the port is hidden.

    Of a URL without a user the scheme and host are left: `NAME=http://localhost:3000…`.
    """
    name = name[:100]
    if value.strip() == str(port):
        return f"{name}={port}"
    value = value[:8192]
    url = re.match(
        rf"\s{{0,8}}([a-zA-Z][\w+.-]{{0,16}}://(?:[\w.-]{{1,64}}|\[[\da-fA-F:.]{{2,45}}\]):{port})(?!\d)", value
    )
    if url is not None and "@" not in re.split(r"[\s,]", value[url.end() :], maxsplit=1)[0]:
        return f"{name}={url.group(1)}{HIDDEN if value[url.end() :].strip() else ''}"
    return f"{name}={_all_but(value, port)}"


def _all_but(value: str, port: int | None) -> str:
    """`…3000…`, or `…` where the port is not in it."""
    if port is None:
        return HIDDEN
    found = re.search(rf":{port}(?![\w.])", value) or re.search(rf"(?<![\w.]){port}(?![\w.])", value)
    if found is None:
        return HIDDEN
    scheme = re.match(r"[a-zA-Z][\w+.-]{0,16}://", value)
    kept = scheme.group() if scheme is not None and scheme.end() <= found.start() else ""
    before = kept + (HIDDEN if value[len(kept) : found.start()].strip() else "")
    return f"{before}{found.group()}{HIDDEN if value[found.end() :].strip() else ''}"


def _url_password(port: int | None) -> Callable[[re.Match[str]], str]:
    def hide(match: re.Match[str]) -> str:
        start = match.group(1)
        inside = match.group()[len(start) : -1]
        if port is not None and re.match(rf"{port}[/?#]", inside):
            return f"{start}{port}/{HIDDEN}@"  # no password: the path has an @
        return f"{start}{HIDDEN}@"

    return hide


def _values(text: str, port: int | None) -> str:
    """Hides what follows the names of secrets."""
    out = []
    position = 0
    while (found := _KEY.search(text, position)) is not None:
        start = found.end()
        end = _value_end(text, start, found)
        out += [text[position:start], _hidden(text[start:end], port, not found["separator"].strip())]
        position = end
    out.append(text[position:])
    return "".join(out)


def _hidden(value: str, port: int | None, blank: bool) -> str:
    """A value without what it says; its quotes stay, and the port where more than the port is there to see."""
    quote = value[0] if value and value[0] in "\"'`" else ""
    closing = quote if quote and len(value) > 1 and value.endswith(quote) else ""
    inner = value[len(quote) : len(value) - len(closing)]
    shown = HIDDEN if inner else ""
    if inner == str(port):
        shown = inner if blank else HIDDEN  # `secret_santa.py 3000`, but not `SECRET=3000`
    elif ":" in inner or " " in inner:
        shown = _all_but(inner, port)
    return quote + shown + closing


def _value_end(text: str, start: int, found: re.Match[str]) -> int:
    """Where the value of a secret's name ends; `start` where it has none (`--auth --port 3000`, `AUTH_PORT=3000`)."""
    before = text[max(0, found.start() - 64) : found.start()]
    name = before[len(before.rstrip(_NAME)) :] + text[found.start() : found.start("separator")].rstrip("\"'`]")
    if start >= len(text) or "port" in name.lower().replace("passport", ""):
        return start
    first = text[start]
    if first in "\"'`":
        position = start + 1
        while position < len(text) and text[position] != first:
            position += 2 if text[position] == "\\" else 1
        return min(position + 1, len(text))
    if not found["separator"].strip():
        option = name.startswith("-")
        no_value = text.startswith("--", start) or (first == "-" and not option) or first in "=:&|<>)]}{,;"
        if no_value or name.lower() in _NO_SECRETS:
            return start
        word = re.match(r"\S+", text[start:])
        return start + (word.end() if word is not None else 0)
    if first in "{[(":
        return start
    end = _NEXT.search(text, start)
    return end.start() if end is not None else len(text)


def _run(match: re.Match[str]) -> str:
    run = match.group()
    if run.startswith("/"):  # a path: its parts are looked at, one by one
        return "/".join(HIDDEN if len(part) >= 20 and _random(part) else part for part in run.split("/"))
    return HIDDEN if _random(run) else run


def _random(run: str) -> bool:
    """Whether a run of characters looks made by chance: a path and a name change their kind of character seldom."""
    run = run.rstrip("=")
    digits = sum(one.isdigit() for one in run)
    if not digits or digits == len(run):
        return False
    if all(one in "0123456789abcdefABCDEF-" for one in run):
        return run.count("-") <= 4 and len(run.replace("-", "")) >= 20
    kinds = [_kind(one) for one in run]
    pairs = [(one, two) for one, two in pairwise(kinds) if "-" not in (one, two)]
    changes = sum(one != two for one, two in pairs)
    return len(pairs) >= 16 and changes / len(pairs) >= (0.35 if "/" in run else 0.28)


def _kind(one: str) -> str:
    if one.isdigit():
        return "0"
    if one.isalpha():
        return "A" if one.isupper() else "a"
    return "-"
