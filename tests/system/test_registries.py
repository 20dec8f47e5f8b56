from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from homeport.errors import SourceError
from homeport.rules.ports import registry_date, services
from homeport.system import registries


def test_the_registry_is_complete_ordered_and_dated() -> None:
    registry = registries.service_registry()
    rows = [line.split("\t") for line in registry.splitlines() if not line.startswith("#")]
    assert len(rows) > 6000
    assert all(len(row) == 4 and row[1] and row[2] for row in rows)
    assert {protocol for row in rows for protocol in row[1].split(",")} == {"tcp", "udp", "sctp", "dccp"}
    numbers = [int(row[0]) for row in rows]
    assert numbers == sorted(numbers)
    assert numbers[0] > 0
    assert numbers[-1] <= 49151  # RFC 6335 §6: no dynamic port is ever assigned
    assert all(line.replace("\t", "").isprintable() for line in registry.splitlines())
    assert date(2026, 1, 1) < registry_date(registry)
    assert "CC0" in registry[:1000]


@pytest.mark.parametrize(
    ("port", "names"),
    [
        (22, {"ssh"}),
        (80, {"http", "www", "www-http"}),
        (443, {"https"}),
        (3000, {"hbci", "remoteware-cl"}),
        (3306, {"mysql"}),
        (4242, {"vrml-multi-use"}),
        (5432, {"postgresql"}),
        (6010, {"x11"}),
        (6379, {"redis"}),
        (8080, {"http-alt"}),
        (11434, {"ollama"}),
        (65000, set()),
    ],
)
def test_services_that_everybody_knows(port: int, names: set[str]) -> None:
    assert {one.name for one in services(registries.service_registry(), port)} == names


def test_a_broken_installation_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(registries, "_FOLDER", str(tmp_path))
    with pytest.raises(SourceError, match="install homeport again"):
        registries.service_registry()
    (tmp_path / "services.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError):
        registries.service_registry()
