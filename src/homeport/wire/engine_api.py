"""What container engines say of their containers: the Docker-compatible HTTP API, and the files they keep.

Shapes: the Docker Engine API (https://docs.docker.com/reference/api/engine/, `ContainerList`, `ContainerInspect`),
which Podman speaks too; containers/storage's `containers.json`; Docker's `config.v2.json`; the OCI runtime's
`config.json` with the annotations of containerd and CRI-O. Every function raises WireError, and nothing else, for
bytes that are none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple, TypeVar

from homeport.errors import WireError
from homeport.model.addresses import IPAddress
from homeport.model.evidence import Evidence
from homeport.model.owners import Container, PublishedPort

T = TypeVar("T")
_COMPOSE = "com.docker.compose.project.working_dir"
_LONGEST_HEAD = 65_536


class Described(NamedTuple):
    """A container with its addresses in its engine's networks."""

    container: Container
    addresses: tuple[IPAddress, ...]


class Response(NamedTuple):
    """An HTTP response: status code, header fields by lower-case name, content."""

    status: int
    fields: Mapping[str, str]
    body: bytes

    @property
    def engine(self) -> str:
        """Which engine answered: Podman adds `Libpod-API-Version` to every response."""
        return "podman" if "libpod-api-version" in self.fields else "docker"


def response(raw: bytes) -> Response:
    """One whole HTTP/1 response (RFC 9112), as read until the connection was closed."""
    head, found, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not found or len(head) > _LONGEST_HEAD or not version.startswith("HTTP/1.") or not _digits(rest[:3]):
        raise WireError("no HTTP response")
    fields = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    if fields.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    elif (length := fields.get("content-length")) is not None:
        if not _digits(length) or len(length) > 12 or int(length) > len(body):
            raise WireError("an HTTP response that is cut off")
        body = body[: int(length)]
    return Response(int(rest[:3]), fields, body)


def complete(raw: bytes | bytearray) -> bool:
    """Whether these first bytes of a response already hold all of the length that it announces."""
    end = raw.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
    if end < 0:
        return False
    for line in bytes(raw[:end]).lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            text = value.strip().decode("latin-1")
            return _digits(text) and len(text) <= 12 and len(raw) - end - 4 >= int(text)
    return False


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _unchunked(body: bytes) -> bytes:
    pieces: list[bytes] = []
    at = 0
    while True:
        end = body.find(b"\r\n", at, at + 32)
        size_text = body[at : max(end, at)].partition(b";")[0].strip()
        try:
            size = int(size_text, 16)
        except ValueError:
            raise WireError("a chunk without a size") from None
        if size < 0 or end + 2 + size > len(body):
            raise WireError("an HTTP response that is cut off")
        if size == 0:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        at = end + 2 + size + 2


def container_list(body: bytes, engine: str, source: str) -> list[Described]:
    """The answer to `GET /containers/json`: the running containers, without their pids."""

    def read(top: Any) -> list[Described]:
        if not isinstance(top, list):
            raise WireError("no list of containers")
        return [_listed(one, engine, source) for one in top if isinstance(one, dict) and _text(one.get("Id"))]

    return _decode(body, read)


def _listed(one: dict[str, Any], engine: str, source: str) -> Described:
    names = [name for name in _list(one.get("Names")) if _text(name)]
    ports = [
        PublishedPort(_text(port.get("Type")) or "tcp", _text(port.get("IP")), port["PublicPort"], port["PrivatePort"])
        for port in map(_dict, _list(one.get("Ports")))
        if _is_port(port.get("PublicPort")) and _is_port(port.get("PrivatePort"))
    ]
    found = _container(engine, one["Id"], next(iter(names), None), one.get("Image"), None, ports, source)
    return Described(_with_labels(found, one.get("Labels")), _addresses(one))


def container_inspection(body: bytes, engine: str, source: str) -> Described:
    """The answer to `GET /containers/ID/json`, or Docker's own `config.v2.json`, which has the same fields."""

    def read(top: Any) -> Described:
        identity = _text(_dict(top).get("Id")) or _text(_dict(top).get("ID"))
        if identity is None:
            raise WireError("no container")
        config, state = _dict(top.get("Config")), _dict(top.get("State"))
        pid = state.get("Pid")
        found = _container(
            engine,
            identity,
            top.get("Name"),
            config.get("Image"),
            pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None,
            _bindings(_dict(top.get("NetworkSettings")).get("Ports")),
            source,
        )
        return Described(_with_labels(found, config.get("Labels")), _addresses(top))

    return _decode(body, read)


def _bindings(ports: object) -> list[PublishedPort]:
    """`{"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}]}`."""
    found = []
    for key, bindings in _dict(ports).items():
        inner, _, protocol = key.partition("/")
        for binding in map(_dict, _list(bindings)):
            outer = str(binding.get("HostPort"))
            if len(inner) < 6 and len(outer) < 6 and _digits(inner) and _digits(outer) and int(outer):
                found.append(PublishedPort(protocol or "tcp", _text(binding.get("HostIp")), int(outer), int(inner)))
    return found


def _addresses(one: dict[str, Any]) -> tuple[IPAddress, ...]:
    found = []
    for network in map(_dict, _dict(_dict(one.get("NetworkSettings")).get("Networks")).values()):
        for field in ("IPAddress", "GlobalIPv6Address"):
            try:
                found.append(ip_address(str(network.get(field))))
            except ValueError:  # empty, as in a container without this family
                continue
    return tuple(found)


def storage(body: bytes, engine: str, source: str) -> list[Container]:
    """containers/storage's `containers.json` or `volatile-containers.json`: names and images, also without Podman."""

    def read(top: Any) -> list[Container]:
        import json

        found = []
        for one in map(_dict, _list(top)):
            if (identity := _text(one.get("id"))) is None:
                continue
            try:
                more = _dict(json.loads(one.get("metadata") or "{}"))
            except (ValueError, TypeError):  # another user of this library: it keeps its own text there
                more = {}
            name = more.get("name") or next(iter(_list(one.get("names"))), None)
            found.append(_container(engine, identity, name, more.get("image-name"), None, (), source))
        return found

    return _decode(body, read)


_NAMES = (
    ("io.kubernetes.cri.container-name", "io.kubernetes.cri.sandbox-name"),
    ("io.kubernetes.container.name", "io.kubernetes.pod.name"),
    ("nerdctl/name", ""),
)
_IMAGES = (
    "io.kubernetes.cri.image-name",
    "io.kubernetes.cri-o.ImageName",
    "io.kubernetes.cri-o.Image",
    "nerdctl/image",
)


def oci_config(body: bytes, engine: str, identity: str, source: str) -> Container:
    """The OCI runtime's `config.json`: name and image from the annotations of containerd, nerdctl and CRI-O."""

    def read(top: Any) -> Container:
        if not isinstance(top, dict):
            raise WireError("no configuration of a container")
        notes = _dict(top.get("annotations"))
        name = None
        for key, pod in _NAMES:
            if name is None and (own := _text(notes.get(key))) is not None:
                around = _text(notes.get(pod))
                name = f"{around}/{own}" if around else own
        image = next((found for key in _IMAGES if (found := _text(notes.get(key)))), None)
        return _container(engine, identity, name, image, None, (), source)

    return _decode(body, read)


def _container(
    engine: str,
    identity: str,
    name: object,
    image: object,
    pid: int | None,
    ports: Iterable[PublishedPort],
    source: str,
) -> Container:
    shown = _text(name)
    shown = shown.lstrip("/") or None if shown else None
    text = f"container {identity[:12]} is named {shown}" if shown else f"container {identity[:12]}"
    evidence = Evidence(source, text)
    return Container(engine, identity, shown, _text(image), pid, tuple(dict.fromkeys(ports)), (evidence,))


def _with_labels(container: Container, labels: object) -> Container:
    folder = _text(_dict(labels).get(_COMPOSE))
    if folder is None:
        return container
    return container._replace(evidence=(*container.evidence, Evidence(f"label {_COMPOSE}", folder)))


def _decode(body: bytes, read: Callable[[Any], T]) -> T:
    import json

    try:
        return read(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise WireError("no JSON of a container engine") from error


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """A text that can be written out: JSON may spell half of a surrogate pair, which is no character."""
    return value[:4096].encode("utf-8", "replace").decode() if isinstance(value, str) and value else None


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65_536
