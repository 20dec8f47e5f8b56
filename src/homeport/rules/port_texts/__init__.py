"""The rack of files that hold port numbers: how each kind writes them, which there are, and where servers keep them.

To add a kind: one file with a `KIND`, and its place in `KINDS`; the first that handles a path is taken.
"""

from __future__ import annotations

from homeport.rules.port_texts import (
    apache,
    compose,
    env,
    mysql,
    nginx,
    package_json,
    postgresql,
    redis,
    script,
    settings,
    source,
    sshd,
    systemd,
)
from homeport.rules.port_texts.kind import Kind, Mention, Strength
from homeport.rules.port_texts.places import PROJECT_FILES, configuration, kind_name

__all__ = [
    "KINDS",
    "PROJECT_FILES",
    "Kind",
    "Mention",
    "Strength",
    "configuration",
    "includes",
    "kind_name",
    "kind_of",
    "mentions",
]

KINDS: tuple[Kind, ...] = (
    env.KIND,
    package_json.KIND,
    compose.KIND,
    postgresql.KIND,
    redis.KIND,
    nginx.KIND,
    apache.KIND,
    sshd.KIND,
    mysql.KIND,
    systemd.KIND,
    settings.KIND,
    source.KIND,
    script.KIND,
)


def kind_of(path: str, of: str | None = None) -> Kind:
    """The kind of a file by its path, or the one named `of`: a server's own files may be called anything."""
    return next(kind for kind in KINDS if (kind.name == of if of is not None else kind.handles(path)))


def mentions(path: str, text: str, port: int, of: str | None = None) -> tuple[Mention, ...]:
    """The lines of a text that hold a port, strongest first; with port 0, those that ask for the kernel's choice."""
    return kind_of(path, of).mentions(text, port)


def includes(path: str, text: str, of: str | None = None) -> tuple[str, ...]:
    """Paths, as written and possibly with globs, of further files that a configuration pulls in."""
    return kind_of(path, of).includes(text)
