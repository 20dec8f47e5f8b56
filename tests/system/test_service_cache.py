"""What is remembered of services: by identity, for a while, and whatever the file holds."""

from __future__ import annotations

import json
import os
import stat
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeport.model.addresses import Protocol, Scope
from homeport.model.evidence import Confidence, Evidence
from homeport.model.owners import Owner, Process, Reason, Unattributed
from homeport.model.services import Service
from homeport.model.snapshot import Listener
from homeport.model.sockets import Socket, State
from homeport.system import procfs, service_cache
from homeport.system.service_cache import identity, load, store

WIRE = (Evidence("the wire", "it says so"),)
NGINX = Service("http", "nginx", "1.22.1", True, Confidence.CERTAIN, WIRE, (("server", "x"),))


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("HOMEPORT_NO_HISTORY", raising=False)
    return tmp_path / "state" / "homeport" / "services.json"


def listener(port: int, *, cookie: int = 5, pid: int | None = None, owned: bool = True) -> Listener:
    number = os.getpid() if pid is None else pid
    process = Process(
        number, procfs.start_ticks(number) or 1, None, "x", (), None, False, "/", 0, "root", 1, 1, None, "S", None
    )  # fmt: skip
    made = Socket(
        Protocol.TCP, State.LISTEN, ip_address("127.0.0.1"), port, None, None, 9, cookie, 1, 0, 0, 5, None, None
    )  # fmt: skip
    owner = Owner(process, (3,), None, None, None, Confidence.CERTAIN, ())
    nobody = Unattributed(Reason.UNKNOWN, "built", 0)
    return Listener(made, Scope.MACHINE, (owner,) if owned else (), None if owned else nobody)


def test_what_is_stored_comes_back(file: Path) -> None:
    one, two = listener(1), listener(2)
    store({one: NGINX, two: None})
    assert load() == {identity(one): NGINX, identity(two): None}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_another_socket_or_process_is_another_listener() -> None:
    one = listener(1)
    assert (
        len({identity(one), identity(listener(1, cookie=6)), identity(listener(1, pid=1)), identity(listener(2))}) == 4
    )
    assert identity(listener(1, owned=False)) not in (None, identity(listener(1)))
    nameless = listener(1, owned=False)
    assert identity(nameless._replace(socket=nameless.socket._replace(cookie=None))) is None


def test_without_a_file_a_process_remembers_by_itself(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(service_cache, "_seen", {})
    monkeypatch.setenv("HOMEPORT_NO_HISTORY", "1")
    store({listener(1): NGINX, listener(2, owned=False): None})
    assert load() == {identity(listener(1)): NGINX, identity(listener(2, owned=False)): None}
    assert not file.exists()


def test_unknown_and_merely_likely_ones_are_forgotten_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    named = NGINX._replace(evidence=(Evidence("/proc/1/exe", "x"),), confidence=Confidence.LIKELY)
    store({listener(1): NGINX, listener(2): None, listener(3): named})
    later = time.time() + service_cache.UNKNOWN + 5
    monkeypatch.setattr("homeport.system.service_cache.time.time", lambda: later)
    assert set(load()) == {identity(listener(1))}
    monkeypatch.setattr("homeport.system.service_cache.time.time", lambda: later + service_cache.KNOWN)
    assert load() == {}


def test_a_listener_that_nobody_is_named_for_stays_until_its_time_is_over(file: Path) -> None:
    store({listener(1, owned=False): NGINX})
    store({listener(2): NGINX})
    assert len(json.loads(file.read_text())["services"]) == 2


def test_listeners_of_processes_that_ended_are_dropped(file: Path) -> None:
    gone = listener(1, pid=2**22 + 5)  # above the highest pid that there can be
    store({gone: NGINX})
    store({listener(2): NGINX})
    assert set(json.loads(file.read_text())["services"]) == {identity(listener(2))}


def test_another_boot_and_another_version_begin_anew(file: Path) -> None:
    for field in ("boot", "version"):
        store({listener(1): NGINX})
        document = json.loads(file.read_text())
        file.write_text(json.dumps({**document, field: "other"}))
        assert load() == {}
        file.unlink()


def test_it_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_cache, "MOST_ENTRIES", 3)
    store({listener(port): NGINX for port in range(1, 10)})
    assert len(load()) == 3
    file.write_text(file.read_text() + " " * service_cache.MOST_BYTES)
    assert load() == {}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(JSON, st.sampled_from(["document", "services", "entry", "fields"]))
def test_rubbish_of_every_shape_is_nothing(file: Path, rubbish: object, place: str) -> None:
    store({listener(1): NGINX})
    document = json.loads(file.read_text())
    key = identity(listener(1))
    if place == "document":
        document = rubbish
    elif place == "services":
        document["services"] = rubbish
    elif place == "entry":
        document["services"][key] = rubbish
    else:
        document["services"][key][1] = rubbish
    file.write_text(json.dumps(document))
    for service in load().values():
        assert service is None or service.protocol


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"null"])
def test_rubbish_that_is_no_json_is_nothing(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert load() == {}
    store({listener(1): NGINX})
    assert len(load()) == 1


def test_a_pipe_in_its_place_does_not_stop_anything(file: Path) -> None:
    file.parent.mkdir(parents=True)
    os.mkfifo(file)
    assert load() == {}


def test_an_enum_or_text_of_another_shape_is_not_ours(file: Path) -> None:
    store({listener(1): NGINX})
    for field, value in (("confidence", "sure"), ("protocol", 5), ("evidence", [1]), ("facts", "x"), ("more", 1)):
        document = json.loads(file.read_text())
        document["services"][identity(listener(1))][1][field] = value
        file.write_text(json.dumps(document))
        assert load() == {}, field
        file.unlink()
        store({listener(1): NGINX})
