"""Answers and files of container engines, as they are and as nobody should send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import WireError
from homeport.model.owners import PublishedPort
from homeport.wire import engine_api
from homeport.wire.engine_api import complete, container_inspection, container_list, oci_config, response, storage

ID = "cb" * 32
LISTED = {
    "Id": ID,
    "Names": ["/web"],
    "Image": "localhost/web:1",
    "Ports": [
        {"IP": "127.0.0.1", "PrivatePort": 80, "PublicPort": 8081, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8082, "Type": "tcp"},
        {"PrivatePort": 443, "Type": "tcp"},
    ],
    "Labels": {"com.docker.compose.project.working_dir": "/home/ada/shop"},
    "NetworkSettings": {"Networks": {"podman": {"IPAddress": "10.88.0.2", "GlobalIPv6Address": ""}}},
}
INSPECTED = {
    "Id": ID,
    "Name": "/web",
    "State": {"Pid": 9420},
    "Config": {"Image": "localhost/web:1", "Labels": {}},
    "NetworkSettings": {
        "Ports": {
            "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
            "90/udp": None,
            "x/tcp": [{"HostPort": "1"}],
        },
        "Networks": {"a": {"IPAddress": "10.88.0.2", "GlobalIPv6Address": "fd00::5"}},
    },
}


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


def test_a_list_gives_names_images_ports_addresses_and_the_compose_folder() -> None:
    (found,) = container_list(as_bytes([LISTED, {"Names": []}, 3]), "podman", "GET /containers/json")
    assert (found.container.engine, found.container.id, found.container.name) == ("podman", ID, "web")
    assert found.container.image == "localhost/web:1"
    assert found.container.ports == (
        PublishedPort("tcp", "127.0.0.1", 8081, 80),
        PublishedPort("tcp", "::", 8082, 80),
    )
    assert found.addresses == (ip_address("10.88.0.2"),)
    assert [one.text for one in found.container.evidence] == [f"container {ID[:12]} is named web", "/home/ada/shop"]


def test_an_inspection_gives_the_pid_too() -> None:
    found = container_inspection(as_bytes(INSPECTED), "docker", "x")
    assert (found.container.pid, found.container.name) == (9420, "web")
    assert found.container.ports == (PublishedPort("tcp", "127.0.0.1", 8081, 80),)
    assert found.addresses == (ip_address("10.88.0.2"), ip_address("fd00::5"))


def test_storage_names_containers_without_an_engine() -> None:
    rows = [
        {"id": ID, "names": ["web"], "metadata": json.dumps({"image-name": "localhost/web:1", "name": "web"})},
        {"id": "ab" * 32, "names": ["build"], "metadata": "not JSON"},
        {"names": ["nothing"]},
    ]
    first, second = storage(as_bytes(rows), "podman", "containers.json")
    assert (first.name, first.image) == ("web", "localhost/web:1")
    assert (second.name, second.image) == ("build", None)


def test_annotations_of_kubernetes_name_a_container_and_its_pod() -> None:
    notes = {"io.kubernetes.cri.container-name": "api", "io.kubernetes.cri.sandbox-name": "shop-1"}
    notes["io.kubernetes.cri.image-name"] = "example.org/api:2"
    found = oci_config(as_bytes({"annotations": notes}), "containerd", ID, "config.json")
    assert (found.name, found.image, found.id) == ("shop-1/api", "example.org/api:2", ID)
    assert oci_config(b"{}", "cri-o", ID, "x").name is None


def test_responses_of_every_framing() -> None:
    plain = response(b"HTTP/1.0 200 OK\r\nLibpod-Api-Version: 4.3.1\r\n\r\n[]")
    assert (plain.status, plain.body, plain.engine) == (200, b"[]", "podman")
    sized = response(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nServer: Docker/27\r\n\r\n{}rest")
    assert (sized.status, sized.body, sized.engine) == (404, b"{}", "docker")
    chunked = response(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")
    assert chunked.body == b"[1,2]"
    assert complete(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    assert not complete(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}")
    assert not complete(b"HTTP/1.1 200 OK\r\n\r\n{}")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 xyz\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    ],
)
def test_no_response(raw: bytes) -> None:
    with pytest.raises(WireError):
        response(raw)


@given(st.binary(max_size=200), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]))
def test_only_a_wire_error_escapes_from_a_response(raw: bytes, head: bytes) -> None:
    complete(head + raw)
    try:
        assert response(head + raw).status >= 0
    except WireError:
        pass


DECODERS: list[Callable[[bytes], object]] = [
    lambda raw: container_list(raw, "docker", "x"),
    lambda raw: container_inspection(raw, "docker", "x"),
    lambda raw: storage(raw, "podman", "x"),
    lambda raw: oci_config(raw, "cri-o", ID, "x"),
]
KEYS = sorted({*LISTED, *INSPECTED, "id", "names", "metadata", "annotations", "PublicPort", "PrivatePort", "HostPort",
               "Networks", "80/tcp", "Pid", "ID"})  # fmt: skip
shapes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([ID, "80", 80]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@pytest.mark.parametrize("decode", DECODERS)
@given(value=shapes)
def test_json_of_any_shape_is_read_or_refused(decode: Callable[[bytes], object], value: object) -> None:
    for raw in (as_bytes(value), as_bytes([value])):
        try:
            decode(raw)
        except WireError:
            pass


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe\x00", b"[" * 200_000, b"9" * 9999, b'"\xed\xa0\x80"', b"NaN"])
def test_what_is_no_json_is_refused(decode: Callable[[bytes], object], raw: bytes) -> None:
    try:
        assert decode(raw) == [] or raw == b"NaN"
    except WireError:
        pass


def test_half_a_surrogate_pair_is_no_character() -> None:
    (found,) = container_list(b'[{"Id": "%s", "Names": ["a\\ud800"]}]' % ID.encode(), "docker", "x")
    assert found.container.name == "a?"


def test_an_endless_name_is_cut() -> None:
    (found,) = container_list(as_bytes([{"Id": ID, "Names": ["x" * 100_000]}]), "docker", "x")
    assert found.container.name is not None
    assert len(found.container.name) == 4096
    assert engine_api.Described(found.container, ()).addresses == ()
