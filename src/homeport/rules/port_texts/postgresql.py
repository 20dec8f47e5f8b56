"""PostgreSQL: `port` in postgresql.conf and its kin, the words of postmaster.opts."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

_files = lines_after(r"^\s*include(?:_if_exists)?\s*=?\s*'([^'\n]+)'")
_folders = lines_after(r"^\s*include_dir\s*=?\s*'([^'\n]+)'")


def _includes(text: str) -> tuple[str, ...]:
    text = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    return (*_files(text), *(f"{folder.rstrip('/')}/*.conf" for folder in _folders(text)))


KIND = Kind(
    name="postgresql",
    files=("postgresql*.conf", "postmaster.opts", "pgbouncer.ini"),
    explicit=(rf"^(?:listen_)?port\s*=?\s*'?{NUMBER}", rf"\"-p\"\s+\"{NUMBER}\""),
    zero=False,
    includes=_includes,
)
