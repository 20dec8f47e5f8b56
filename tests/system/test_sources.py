from __future__ import annotations

import pytest

from homeport.errors import SourceError, UsageError
from homeport.model.addresses import Protocol
from homeport.model.snapshot import Look, Query
from homeport.system import sources

QUERY = Query(frozenset(Protocol))


def refuse(_: Query) -> Look:
    raise SourceError("no", why="the kernel said so")


def test_the_best_comes_first() -> None:
    assert [source.name for source in sources.SOURCES] == ["bpf", "netlink", "psutil"]
    assert sources.choose() is sources.SOURCES[0]


def test_a_forced_source() -> None:
    assert sources.choose("psutil").name == "psutil"
    assert sources.look(QUERY, "netlink")[0].name == "netlink"
    with pytest.raises(UsageError, match="there is no source"):
        sources.choose("lsof")


def test_a_refused_source_is_followed_by_the_next_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.SOURCES[0], "look", refuse)
    source, seen = sources.look(QUERY)
    assert source.name == "netlink"
    assert seen.limits[0] == "bpf was refused: the kernel said so"
    with pytest.raises(SourceError, match="no"):
        sources.look(QUERY, "bpf")


def test_a_source_that_is_missing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources.SOURCES[0], "missing", lambda: "no rights")
    assert sources.look(QUERY)[0].name == "netlink"
    with pytest.raises(SourceError, match="no rights"):
        sources.choose("bpf")


def test_none_works(monkeypatch: pytest.MonkeyPatch) -> None:
    for source in sources.SOURCES:
        monkeypatch.setattr(source, "look", refuse)
    with pytest.raises(SourceError, match="bpf was refused"):
        sources.look(QUERY)
    for source in sources.SOURCES:
        monkeypatch.setattr(source, "missing", lambda: "not here")
    with pytest.raises(SourceError, match="psutil: not here"):
        sources.choose()
