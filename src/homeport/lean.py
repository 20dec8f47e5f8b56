"""Stand-ins for what `typing` gives at run time: importing it (and `re` with it) takes as long as starting Python.

Type checkers see the real things. Only what `homeport ls` needs is here; elsewhere `typing` is as good.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
    from typing import Protocol as Protocol
else:
    Protocol = object

    class _Maker(type):
        """Turns a class body with annotations into a collections.namedtuple, as typing.NamedTuple does."""

        def __new__(mcs, name, bases, body):
            if not bases:
                return super().__new__(mcs, name, bases, body)
            fields = body.get("__annotations__", {})
            defaults = [body.pop(field) for field in tuple(fields) if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in ("__module__", "__qualname__"):
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """The base of an immutable record; see typing.NamedTuple."""
