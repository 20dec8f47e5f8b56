"""Which further pages are asked for after `GET /`, and in which order."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from homeport.services.kind import Answer, Clues
from homeport.services.sites import AT_MOST, wanted

Recorded = Callable[[str], tuple[Answer, ...]]

NOBODY = Clues(1, ())


def page(status: int = 200, body: bytes = b"", **headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer("/", "1.1", status, named, body)


@pytest.mark.parametrize(
    ("clues", "targets"),
    [
        (NOBODY, ()),
        (Clues(2379, ()), ("/version",)),
        (Clues(8500, ()), ("/v1/agent/self",)),
        (Clues(9229, ()), ("/json/version",)),
        (Clues(9999, ("etcd",)), ("/version",)),
        (Clues(9999, ("python3.11", "mcp-server-time")), ("/mcp", "/sse")),
        (Clues(9999, ("node_exporter",)), ("/metrics",)),
        (Clues(8500, ("vault",)), ("/v1/sys/health", "/v1/agent/self")),  # the program before the port
        (Clues(10250, ("mcp-server", "consul")), ("/v1/agent/self", "/mcp")),  # never more than two
    ],
)
def test_an_answer_that_says_nothing_leaves_it_to_the_clues(clues: Clues, targets: tuple[str, ...]) -> None:
    assert wanted(page(404, b"404 page not found\n"), clues) == targets


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("grafana", ("/api/health", "/login")),
        ("jupyter-lab", ("/api", "/lab?")),
        ("prometheus", ("/api/v1/status/buildinfo", "/classic/graph")),
        ("docker", ("/version",)),
        ("etcd", ("/version",)),
        ("fastapi", ("/docs",)),
        ("mcp-streamable", ("/mcp", "/sse")),
        ("mcp-typescript", ("/mcp",)),
        ("node-exporter", ("/metrics",)),
        ("webpack-dev-server", ("/mcp", "/webpack-dev-server")),
        ("create-react-app", ("/webpack-dev-server",)),
        ("code-server-open", ("/?folder=/home/ann/project",)),
        ("ollama", ("/api/version",)),
        ("clickhouse", ("/play",)),
        ("jellyfin", ("/System/Info/Public", "/web/")),
        ("gitlab", ("/users/sign_in",)),
        ("code-server", ("/login",)),
        ("traefik", ("/api/version",)),
        ("chrome-devtools", ("/json/version",)),
    ],
)
def test_the_form_of_the_answer_suggests_a_page(name: str, targets: tuple[str, ...], recorded: Recorded) -> None:
    assert wanted(recorded(name)[0], NOBODY) == targets


@pytest.mark.parametrize("name", ["nginx", "vite", "elasticsearch", "netdata", "node-plain"])
def test_nothing_more_is_asked_where_nothing_more_can_be_learnt(name: str, recorded: Recorded) -> None:
    assert wanted(recorded(name)[0], NOBODY) == ()


def test_a_proved_application_is_not_asked_for_the_pages_of_others(recorded: Recorded) -> None:
    assert wanted(recorded("ollama")[0], Clues(8500, ("consul",))) == ("/api/version",)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/login", "/login"),
        ("/a/b?next=%2F#top", "/a/b?next=%2F"),
        ("./login", "/login"),
        ("pages/", "/pages/"),
        ("http://localhost:8080/here", "/here"),
        ("https://localhost:8080/here", "/here"),
        ("http://localhost/users/sign_in", "/users/sign_in"),
        ("http://localhost:8081/here", None),
        ("http://example.com/", None),
        ("//example.com/", None),
        ("/\\example.com", None),
        ("https:example.com", None),
        ("javascript:alert(1)", None),
        ("/a b", None),
        ("/a\r\nX: y", None),
        ("/ä", None),
        ("", None),
        ("/", None),
        ("#top", None),
    ],
)
def test_only_a_redirect_to_the_same_server_is_followed(location: str, target: str | None) -> None:
    expected = (target,) if target else ()

    assert wanted(page(302, location=location), Clues(8080, ())) == expected


def test_a_location_without_a_redirect_is_not_followed() -> None:
    assert wanted(page(201, location="/new"), NOBODY) == ()


def test_there_are_never_more_than_two(recorded: Recorded) -> None:
    everybody = ("etcd", "consul", "vault", "nomad", "kubelet", "mcp", "vllm", "ray")

    assert len(wanted(page(302, location="/login"), Clues(9229, everybody))) == AT_MOST == 2
