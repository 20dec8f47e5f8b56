"""Container engines of this machine: their Docker-compatible sockets, and the files they keep where none answers.

Nothing is contacted before it is needed. All sockets are asked at once, each for at most `PATIENCE` seconds and
`MOST` bytes; what did not answer is said in `limits`. An engine on another machine is never contacted (law 4).

A place where another engine has its socket: a line in `_PLACES`. Files of another engine: a line in `_FILES`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from typing import NamedTuple

from homeport.errors import WireError
from homeport.model.addresses import IPAddress
from homeport.model.owners import Container
from homeport.rules.cgroups import ContainerMark
from homeport.system.files import read_regular

PATIENCE = 0.7
"""Seconds for one question to one engine, connecting and reading together."""
MOST = 8 << 20
"""Bytes of an answer."""
_MOST_FILE = 4 << 20
_MOST_INSPECTED = 64
_LIST = "/containers/json"
_API = frozenset(("docker", "podman", "kubernetes", "unknown"))
"""Engines whose containers a Docker-compatible API may know; the others have files alone."""

_PLACES = ("/var/run/docker.sock", "/run/podman/podman.sock")
_RUNTIME_PLACES = ("podman/podman.sock", "docker.sock")
_HOME_PLACES = (
    ".docker/run/docker.sock",
    ".docker/desktop/docker.sock",
    ".colima/default/docker.sock",
    ".colima/docker.sock",
    ".rd/docker.sock",
    ".orbstack/run/docker.sock",
    ".lima/docker/sock/docker.sock",
    ".local/share/containers/podman/machine/podman.sock",
)


class Place(NamedTuple):
    """Where an engine listens: the path of a socket, or a port of this machine's loopback."""

    name: str
    path: str | None
    port: int | None = None


class Engines:
    """The engines of this machine, for one look. `places`: other sockets to ask than those of this machine."""

    def __init__(self, places: Iterable[Place] | None = None) -> None:
        self._given = None if places is None else tuple(places)
        self._limits: dict[str, None] = {}
        self._answering: dict[str, int] = {}
        self._listed: tuple[tuple[Place, Container, tuple[IPAddress, ...]], ...] | None = None
        self._by_pid: dict[int, Container] | None = None
        self._described: dict[tuple[str, str], Container] = {}

    @property
    def limits(self) -> tuple[str, ...]:
        """In a line each, what could not be asked or did not answer."""
        return tuple(self._limits)

    def describe(self, mark: ContainerMark) -> Container:
        """The container of a mark: by an engine's answer, else by its files, else with its id alone."""
        key = (mark.engine, mark.id)
        if key not in self._described:
            found = self._answered(mark) or _in_files(mark)
            if found is None:
                name = mark.id if mark.engine in ("lxc", "systemd-nspawn", "libvirt-lxc") else None
                found = Container(mark.engine, mark.id, name, None, None, (), ())
            engine = found.engine if mark.engine in ("unknown", "kubernetes") else mark.engine
            self._described[key] = found._replace(engine=engine, evidence=(mark.evidence, *found.evidence))
        return self._described[key]

    def containers(self) -> list[Container]:
        """The running containers of every engine that answers."""
        return [container for _, container, _ in self._list()]

    def answering(self) -> dict[str, int]:
        """The places where an engine answers, and how many containers run there."""
        self._list()
        return dict(self._answering)

    def place_of(self, identity: str) -> Place | None:
        """Where an engine answers that knows a container."""
        return next((place for place, container, _ in self._list() if container.id == identity), None)

    def at_address(self, address: IPAddress) -> Container | None:
        """The container that has an address in its engine's networks, if it is the only one that has it."""
        found = [container for _, container, addresses in self._list() if address in addresses]
        return found[0] if len(found) == 1 else None

    def of_pid(self, pids: Iterable[int]) -> Container | None:
        """The container whose first process is one of `pids` (a process and its ancestors, nearest first)."""
        if self._by_pid is None:
            self._by_pid = self._inspected()
        return next((self._by_pid[pid] for pid in pids if pid in self._by_pid), None)

    def _answered(self, mark: ContainerMark) -> Container | None:
        if mark.engine not in _API:
            return None
        return next((found for _, found, _ in self._list() if found.id.startswith(mark.id)), None)

    def _list(self) -> tuple[tuple[Place, Container, tuple[IPAddress, ...]], ...]:
        if self._listed is None:
            from homeport.wire import engine_api

            found = []
            for place, _, answer in self._ask([(place, (_LIST,)) for place in self._places()]):
                try:
                    rows = engine_api.container_list(answer.body, answer.engine, f"GET {_LIST} at {place.name}")
                except WireError:
                    self._limit(f"the engine at {place.name} sent something else than a list of containers")
                    continue
                self._answering[place.name] = len(rows)
                found += [(place, row.container, row.addresses) for row in rows]
            self._listed = tuple(found)
        return self._listed

    def _inspected(self) -> dict[int, Container]:
        from homeport.wire import engine_api

        wanted: dict[Place, list[str]] = {}
        for place, container, _ in self._list()[:_MOST_INSPECTED]:
            if container.id.isalnum():
                wanted.setdefault(place, []).append(f"/containers/{container.id}/json")
        if len(self._list()) > _MOST_INSPECTED:
            self._limit(f"only {_MOST_INSPECTED} of {len(self._list())} containers were asked for their first process")
        found = {}
        for place, path, answer in self._ask([(place, tuple(paths)) for place, paths in wanted.items()]):
            try:
                one = engine_api.container_inspection(
                    answer.body, answer.engine, f"GET {path} at {place.name}"
                ).container
            except WireError:
                self._limit(f"the engine at {place.name} sent something else than a container")
                continue
            if one.pid is not None:
                found[one.pid] = one
        return found

    def _limit(self, text: str) -> None:
        self._limits[text] = None

    def _places(self) -> list[Place]:
        found: dict[tuple[int, int] | int, Place] = {}
        candidates = self._known_places() if self._given is None else self._given
        for place in candidates:
            if place.path is None:
                found[place.port or 0] = place
                continue
            try:
                facts = os.stat(place.path)
            except PermissionError:
                self._limit(f"permission denied: {place.path}")
                continue
            except (OSError, ValueError):  # no engine there, which is nothing to say
                continue
            if stat.S_ISSOCK(facts.st_mode):
                found.setdefault((facts.st_dev, facts.st_ino), place)
        return self._here(list(found.values()))

    def _here(self, places: list[Place]) -> list[Place]:
        """Those of the places behind which no other machine is."""
        if not places:
            return []
        from ipaddress import ip_address

        from homeport.model.dialling import Target
        from homeport.system.dialling import refusal
        from homeport.system.tunnels import carried_away

        led = carried_away(
            [os.path.realpath(one.path) for one in places if one.path is not None],
            [one.port for one in places if one.port is not None],
        )
        for one in list(places):
            why = led.get(one.port or 0 if one.path is None else os.path.realpath(one.path))
            if why is None and one.port is not None:
                why = refusal(Target(ip_address("127.0.0.1"), one.port))
            if why is not None:
                self._limit(f"the engine at {one.name} was not asked: {why}")
                places.remove(one)
        return places

    def _known_places(self) -> list[Place]:
        paths = list(_PLACES)
        runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        runtimes = [runtime]
        if os.geteuid() == 0:
            runtimes += [f"/run/user/{name}" for name in _names("/run/user")]
        paths += [f"{folder}/{name}" for folder in runtimes for name in _RUNTIME_PLACES]
        paths += [f"{home}/{name}" for home in _homes() for name in _HOME_PLACES]
        places = [Place(path, path) for path in paths]
        asked = os.environ.get("DOCKER_HOST")
        if asked:
            first = self._docker_host(asked)
            places[:0] = [] if first is None else [first]
        return places

    def _docker_host(self, text: str) -> Place | None:
        """What DOCKER_HOST names, if it is on this machine."""
        kind, _, rest = text.partition("://")
        if kind == "unix" and rest.startswith("/"):
            return Place(rest, rest)
        host, _, port = rest.partition("/")[0].rpartition(":")
        if kind in ("tcp", "http") and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536:
            if os.environ.get("DOCKER_TLS_VERIFY"):
                self._limit(f"the engine at DOCKER_HOST={text} wants TLS and was not asked")
                return None
            if host in ("127.0.0.1", "localhost"):
                return Place(text, None, int(port))
        self._limit(f"the engine at DOCKER_HOST={text} is not on this machine and was not asked")
        return None

    def _ask(self, questions: list[tuple[Place, tuple[str, ...]]]) -> list[tuple[Place, str, Answer]]:
        """Ask every place its paths one after the other, all places at once; refusals become limits."""
        import threading
        import time

        answers: list[tuple[Place, str, Answer]] = []
        deadline = time.monotonic() + PATIENCE

        def ask(place: Place, paths: tuple[str, ...]) -> None:
            for path in paths:
                answer = _get(place, path, deadline)
                if answer is None:
                    return
                answers.append((place, path, answer))
                if answer.limit is not None:
                    return

        threads = [threading.Thread(target=ask, args=question, daemon=True) for question in questions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        good = []
        order = [place for place, _ in questions]
        for place, path, answer in sorted(answers, key=lambda one: order.index(one[0])):
            if answer.limit is not None:
                self._limit(answer.limit)
            else:
                good.append((place, path, answer))
        return good


class Answer(NamedTuple):
    """The content of a good answer and who gave it, or the line that says what went wrong."""

    body: bytes
    engine: str
    limit: str | None


def _get(place: Place, path: str, deadline: float) -> Answer | None:
    """One GET. HTTP/1.0 and "close": the end of the answer is the end of the connection. None: nobody listens there."""
    import socket
    import time

    from homeport.wire import engine_api

    def wrong(text: str) -> Answer:
        return Answer(b"", "", text)

    raw = bytearray()
    family = socket.AF_UNIX if place.path is not None else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            connection.connect(place.path if place.path is not None else ("127.0.0.1", place.port))
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            while len(raw) <= MOST:
                connection.settimeout(max(0.001, deadline - time.monotonic()))
                piece = connection.recv(1 << 16)
                raw += piece
                if not piece or engine_api.complete(raw):
                    break
                if time.monotonic() >= deadline:
                    raise TimeoutError
    except TimeoutError:
        return wrong(f"the engine at {place.name} did not answer within {PATIENCE} s")
    except PermissionError:
        return wrong(f"permission denied: {place.name}")
    except ConnectionRefusedError:  # a socket that an engine left behind: there is none to ask
        return None
    except OSError as error:
        return wrong(f"the engine at {place.name} could not be asked: {error.strerror or error}")
    if len(raw) > MOST:
        return wrong(f"the engine at {place.name} sent more than {MOST >> 20} MiB")
    try:
        answer = engine_api.response(bytes(raw))
    except WireError:
        return wrong(f"what listens at {place.name} does not answer as a container engine does")
    if answer.status == 404 and path != _LIST:  # the container ended between two questions
        return None
    if answer.status != 200:
        return wrong(f"the engine at {place.name} answered with status {answer.status}")
    return Answer(answer.body, answer.engine, None)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:64]
    except OSError:  # no such folder, or closed to the caller
        return []


def _homes() -> list[str]:
    """The caller's home, and for root those of the users too: containers of theirs have files there."""
    own = os.environ.get("HOME") or "/"
    others = [f"/home/{name}" for name in _names("/home")] if os.geteuid() == 0 else []
    return list(dict.fromkeys((own, *others)))


def _in_files(mark: ContainerMark) -> Container | None:
    """A container by what its engine wrote down; only whole ids, which are hexadecimal, become parts of a path."""
    if len(mark.id) != 64:
        return None
    for engine, read in _FILES:
        if mark.engine in (engine, "kubernetes", "unknown") and (found := read(mark.id)) is not None:
            return found
    return None


def _docker_files(identity: str) -> Container | None:
    from homeport.wire import engine_api

    roots = ["/var/lib/docker", *(f"{home}/.local/share/docker" for home in _homes())]
    return _first(
        (f"{root}/containers/{identity}/config.v2.json" for root in roots),
        lambda body, path: engine_api.container_inspection(body, "docker", path).container,
    )


def _podman_files(identity: str) -> Container | None:
    from homeport.wire import engine_api

    def read(body: bytes, path: str) -> Container | None:
        return next((one for one in engine_api.storage(body, "podman", path) if one.id == identity), None)

    names = ("containers.json", "volatile-containers.json")
    paths = (f"{folder}/{name}" for folder in _storages() for name in names)
    found = _first(paths, read)
    return None if found is None else found._replace(pid=_podman_pid(identity))


def _podman_pid(identity: str) -> int | None:
    for folder in _storages():
        text = read_regular(f"{folder}/{identity}/userdata/pidfile", 32)
        if text and text.strip().isdigit():
            return int(text)
    return None


def _storages() -> list[str]:
    """Folders of containers/storage (containers-storage.conf(5)), as `vfs-containers`: configured, root's, users'."""
    roots = []
    text = read_regular("/etc/containers/storage.conf", 1 << 16)
    if text is not None:
        import tomllib

        try:
            section = tomllib.loads(text.decode("utf-8", "replace")).get("storage", {})
            roots = [section[key] for key in ("graphroot", "runroot") if isinstance(section.get(key), str)]
        except (ValueError, AttributeError, RecursionError):  # a broken file: Podman itself would not start with it
            roots = []
    roots += ["/var/lib/containers/storage", "/run/containers/storage"]
    roots += [f"{home}/.local/share/containers/storage" for home in _homes()]
    runtimes = [f"/run/user/{name}" for name in _names("/run/user")] if os.geteuid() == 0 else []
    runtimes.append(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    roots += [f"{folder}/containers" for folder in runtimes]
    return [f"{root}/{name}" for root in dict.fromkeys(roots) for name in _names(root) if name.endswith("-containers")]


def _containerd_files(identity: str) -> Container | None:
    from homeport.wire import engine_api

    base = "/run/containerd/io.containerd.runtime.v2.task"
    return _first(
        (f"{base}/{namespace}/{identity}/config.json" for namespace in _names(base)),
        lambda body, path: engine_api.oci_config(body, "containerd", identity, path),
    )


def _crio_files(identity: str) -> Container | None:
    from homeport.wire import engine_api

    return _first(
        (f"{folder}/{identity}/userdata/config.json" for folder in _storages()),
        lambda body, path: engine_api.oci_config(body, "cri-o", identity, path),
    )


def _first(paths: Iterable[str], read: Callable[[bytes, str], Container | None]) -> Container | None:
    for path in paths:
        body = read_regular(path, _MOST_FILE)
        if body is None:
            continue
        try:
            found = read(body, path)
        except WireError:  # being written, or another version's: the id is still known
            continue
        if found is not None:
            return found
    return None


_FILES = (
    ("docker", _docker_files),
    ("podman", _podman_files),
    ("containerd", _containerd_files),
    ("cri-o", _crio_files),
)
