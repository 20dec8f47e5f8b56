"""Rules out of the JSON of nft (libnftables-json(5)) in the words of nft(8)."""

from __future__ import annotations

from typing import Any

_LONGEST = 1000
_MARKS = frozenset(("mark",))
_PLAIN_META = frozenset(("iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup"))
_BARE = frozenset(("accept", "drop", "continue", "return", "notrack"))


def rule_text(rule: dict[str, Any]) -> str:
    """A whole rule, its comment too."""
    words = [statement_text(one) for one in rule.get("expr", ()) if isinstance(one, dict)]
    comment = rule.get("comment")
    if isinstance(comment, str):
        words.append(f'comment "{comment}"')
    return " ".join(word for word in words if word)[:_LONGEST]


def statement_text(statement: dict[str, Any]) -> str:
    """One statement; what nft 1.0 does not know is told by its name."""
    kind, value = next(iter(statement.items()), ("", None))
    if kind in _BARE:
        return kind
    if not isinstance(value, dict):
        return "masquerade" if kind == "masquerade" else kind if value is None else f"{kind} {value_text(value)}"
    writer = _WRITERS.get(kind)
    return writer(kind, value) if writer is not None else kind


def expression_text(expression: object) -> str:
    """The left side of a match."""
    if not isinstance(expression, dict):
        return value_text(expression)
    kind, value = next(iter(expression.items()), ("", None))
    if kind == "payload" and isinstance(value, dict) and "field" in value:
        return f"{value.get('protocol')} {value.get('field')}"
    if kind == "meta" and isinstance(value, dict):
        key = str(value.get("key"))
        return key if key in _PLAIN_META else f"meta {key}"
    if kind == "ct" and isinstance(value, dict):
        direction = f"{value['dir']} " if "dir" in value else ""
        return f"ct {direction}{value.get('key')}"
    if kind == "fib" and isinstance(value, dict):
        flags = value.get("flags")
        return f"fib {' . '.join(map(str, flags if isinstance(flags, list) else [flags]))} {value.get('result')}"
    if kind == "concat" and isinstance(value, list):
        return " . ".join(expression_text(one) for one in value)
    if kind == "&" and isinstance(value, list) and len(value) == 2:
        return f"{expression_text(value[0])} & {value_text(value[1])}"
    if kind == "numgen" and isinstance(value, dict):
        return f"numgen {value.get('mode')} mod {value.get('mod')}"
    if isinstance(value, dict) and "key" in value:
        family = f"{value['family']} " if "family" in value else ""
        return f"{kind} {family}{value['key']}"
    return kind


def value_text(value: object, *, quoted: bool = False) -> str:
    """The right side of a match, or an element of a set."""
    if isinstance(value, str):
        return f'"{value}"' if quoted and not value.startswith("@") else value
    if isinstance(value, list):
        return ",".join(value_text(one) for one in value)
    if not isinstance(value, dict):
        return str(value)
    kind, inner = next(iter(value.items()), ("", None))
    if kind == "prefix" and isinstance(inner, dict):
        return f"{inner.get('addr')}/{inner.get('len')}"
    if kind == "range" and isinstance(inner, list):
        return "-".join(value_text(one) for one in inner)
    if kind == "set" and isinstance(inner, list):
        return f"{{ {', '.join(_element(one, quoted) for one in inner[:64])}{', …' if len(inner) > 64 else ''} }}"
    if kind == "concat" and isinstance(inner, list):
        return " . ".join(value_text(one) for one in inner)
    if kind == "elem" and isinstance(inner, dict):
        return value_text(inner.get("val"), quoted=quoted)
    if kind in ("|", "&", "^") and isinstance(inner, list):
        return f" {kind} ".join(expression_text(one) for one in inner)
    return statement_text(value)


def _element(one: object, quoted: bool) -> str:
    if isinstance(one, list) and len(one) == 2:
        return f"{value_text(one[0])} : {value_text(one[1])}"
    return value_text(one, quoted=quoted)


def _match(_: str, match: dict[str, Any]) -> str:
    left, right, sign = match.get("left"), match.get("right"), match.get("op")
    said = expression_text(left)
    if isinstance(left, dict) and isinstance(left.get("fib"), dict) and isinstance(right, bool):
        return f"{said} {'exists' if right else 'missing'}"
    if isinstance(left, dict) and "&" in left and isinstance(left["&"], list) and len(left["&"]) == 2:
        inner, mask = left["&"]
        if isinstance(mask, list | str):  # flags
            negation = "!= " if sign == "!=" else ""
            return f"{expression_text(inner)} {negation}{value_text(right)} / {value_text(mask)}"
        numbers = [_number(one, said) for one in (mask, right)]
        return f"{expression_text(inner)} & {numbers[0]} {sign} {numbers[1]}"
    shown = _number(right, said) if said == "meta mark" else value_text(right, quoted=_names_interface(said))
    return f"{said} {'' if sign in ('==', 'in') else f'{sign} '}{shown}"


def _names_interface(said: str) -> bool:
    return said in ("iif", "oif", "iifname", "oifname")


def _number(value: object, field: str) -> str:
    plain = isinstance(value, int) and not isinstance(value, bool) and "mark" in field
    return f"0x{value:08x}" if plain else value_text(value)


def _jump(kind: str, value: dict[str, Any]) -> str:
    return f"{kind} {value.get('target')}"


def _counter(_: str, value: dict[str, Any]) -> str:
    return f"counter packets {value.get('packets')} bytes {value.get('bytes')}"


def _reject(_: str, value: dict[str, Any]) -> str:
    return f"reject with {answer_text(value)}"


def answer_text(value: object) -> str:
    """What a reject statement answers with."""
    if not isinstance(value, dict) or "type" not in value:
        return "icmp port-unreachable"
    return " ".join(str(value[key]) for key in ("type", "expr") if key in value)


def _nat(kind: str, value: dict[str, Any]) -> str:
    family = f" {value['family']}" if "family" in value else ""
    address, port = value.get("addr"), value.get("port")
    text = "" if address is None else _mapped(address)
    if port is not None:
        text = f"[{text}]" if ":" in text and port is not None else text
        text += f":{_mapped(port)}"
    return f"{kind}{family} to {text}" if text else kind


def _mapped(value: object) -> str:
    found = value.get("map") if isinstance(value, dict) else None
    if isinstance(found, dict):
        return f"{expression_text(found.get('key'))} map {value_text(found.get('data'))}"
    return value_text(value)


def _vmap(_: str, value: dict[str, Any]) -> str:
    return f"{expression_text(value.get('key'))} vmap {value_text(value.get('data'))}"


def _limit(_: str, value: dict[str, Any]) -> str:
    over = "over " if value.get("inv") else ""
    unit = f" {value['rate_unit']}" if value.get("rate_unit", "packets") != "packets" else ""
    return f"limit rate {over}{value.get('rate')}{unit}/{value.get('per')}"


def _over(kind: str, value: dict[str, Any]) -> str:
    unit = f" {value['val_unit']}" if "val_unit" in value else ""
    return f"{kind} {'over ' if value.get('inv') else ''}{value.get('val')}{unit}"


def _mangle(_: str, value: dict[str, Any]) -> str:
    return f"{expression_text(value.get('key'))} set {expression_or_value(value.get('value'))}"


def expression_or_value(value: object) -> str:
    """Either side of an assignment."""
    plain = isinstance(value, dict) and next(iter(value), "") in ("payload", "meta", "ct", "fib", "numgen")
    return expression_text(value) if plain else value_text(value)


def _set(_: str, value: dict[str, Any]) -> str:
    inner = [one for one in value.get("stmt") or () if isinstance(one, dict)]
    also = "".join(f" {statement_text(one)}" for one in inner)
    return f"{value.get('op')} {value.get('set')} {{ {expression_or_value(value.get('elem'))}{also} }}"


def _log(_: str, value: dict[str, Any]) -> str:
    words = [f'{key} "{one}"' if key == "prefix" else f"{key} {value_text(one)}" for key, one in value.items()]
    return " ".join(("log", *words))


def _xt(_: str, value: dict[str, Any]) -> str:
    return f"xt {value.get('type')} {value.get('name')}"


_WRITERS = {
    "match": _match,
    "jump": _jump,
    "goto": _jump,
    "counter": _counter,
    "reject": _reject,
    "dnat": _nat,
    "snat": _nat,
    "redirect": _nat,
    "masquerade": _nat,
    "vmap": _vmap,
    "limit": _limit,
    "quota": _over,
    "ct count": _over,
    "mangle": _mangle,
    "set": _set,
    "log": _log,
    "xt": _xt,
}
