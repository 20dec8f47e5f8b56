"""PostgreSQL: `port` in postgresql.conf and its kin, the words of postmaster.opts."""

from __future__ import annotations

import re

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

_files = lines_after(r"^\s*include(?:_if_exists)?\s*=?\s*'([^'\n]+)'")
_folders = lines_after(r"^\s*include_dir\s*=?\s*'([^'\n]+)'")


def _includes(text: str) -> tuple[str, ...]:
    text = re.sub(r"(?m)^\s*#.*$", "", text)
    return (*_files(text), *(f"{folder.rstrip('/')}/*.conf" for folder in _folders(text)))


KIND = Kind(
    name="postgresql",
    files=("postgresql*.conf", "postmaster.opts", "pgbouncer.ini"),
    explicit=(rf"^(?:listen_)?port\s*=?\s*'?{NUMBER}", rf"\"-p\"\s+\"{NUMBER}\""),
    zero=False,
    includes=_includes,
)
