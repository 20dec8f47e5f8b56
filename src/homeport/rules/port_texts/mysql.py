"""MariaDB and MySQL: `port` in option files, `!include`, `!includedir`."""

from __future__ import annotations

from homeport.rules.port_texts.kind import NUMBER, Kind, lines_after

_files = lines_after(r"^\s*!include\s+(\S+)")
_folders = lines_after(r"^\s*!includedir\s+(\S+)")

KIND = Kind(
    name="mysql",
    files=("my.cnf", "*.cnf", ".my.cnf", "my.ini"),
    explicit=(rf"^(?:mysqlx[_-])?port\s*=\s*{NUMBER}",),
    comments=("#", ";"),
    zero=False,  # it means the default
    includes=lambda text: (*_files(text), *(f"{folder.rstrip('/')}/*.cnf" for folder in _folders(text))),
)
