"""The data files that homeport carries."""

from __future__ import annotations

import os

import homeport
from homeport.errors import SourceError

_FOLDER = os.path.join(os.path.dirname(homeport.__file__), "data")


def service_registry() -> str:
    """IANA's service names and ports, as `rules.ports` reads them. Raises SourceError where the file is not there."""
    path = os.path.join(_FOLDER, "services.txt")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(
            "the list of registered services cannot be read", why=f"{path}: {error}", remedy="install homeport again"
        ) from error
