"""What is nearly a product's answer, and is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from homeport.services.kind import Answer, Clues, Site
from homeport.services.sites import APPLICATIONS, FRAMEWORKS, SERVERS, site

Recorded = Callable[[str], tuple[Answer, ...]]

EVERYBODY = (*APPLICATIONS, *FRAMEWORKS, *SERVERS)
PAGES = sorted(
    {
        target
        for entry in EVERYBODY
        for name in (pattern.replace("*", "x") for pattern in entry.programs)
        if entry.more and (target := entry.more(Answer("/", "1.1", 404, (), b""), Clues(1, (name,))))
    }
    | {"/api/version", "/json/version", "/api/status", "/play", "/props"}
)
NOTHING = Answer("/", "1.1", 404, (), b"")


def answer(body: bytes, status: int = 200, target: str = "/", **headers: str) -> Answer:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(target, "1.1", status, named, body)


def about(name: str) -> bytes:
    return (
        f"<!DOCTYPE html><html><head><title>{name}</title></head><body><h1>{name}</h1><p>How to install {name} 1.2.3: "
        f"Powered by {name}, {name}/1.2.3, {name} version 1.2.3. Server: {name}</p><hr>{name}</body></html>"
    ).encode()


def those_who_claim(*answers: Answer) -> list[str]:
    return [entry.name for entry in EVERYBODY if entry.recognise(answers)]


@pytest.mark.parametrize("entry", EVERYBODY, ids=lambda entry: str(entry.name))
def test_a_page_about_a_product_is_not_the_product(entry: Site) -> None:
    for status in (200, 404, 502):
        assert entry.recognise((answer(about(entry.name), status, content_type="text/html"),)) is None


@pytest.mark.parametrize("status", [200, 404, 502])
def test_a_page_about_all_of_them_is_none_of_them(status: int) -> None:
    assert those_who_claim(answer(b"".join(about(entry.name) for entry in EVERYBODY), status)) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"OK\n",
        b"Not Found",
        b"{}",
        b"[]",
        b"null",
        b'{"status":"ok"}',
        b'{"version":"1.2.3"}',
        b'{"name":"mine","version":"1.2.3","status":"UP"}',
        b'{"detail":"Not Found"}',
        b'{"error":"not found","message":"no such page"}',
        b"<!doctype html><html><head><title>Mine</title></head><body><div id=root></div></body></html>",
        b'# HELP up\n# TYPE up gauge\nup 1\nmine_build_info{version="1.2.3"} 1\n',
        b"data: hello\n\n",
    ],
)
@pytest.mark.parametrize("status", [200, 401])
def test_an_answer_that_anybody_may_give_at_a_known_page_proves_nothing(status: int, body: bytes) -> None:
    assert those_who_claim(NOTHING, *(answer(body, status, target) for target in PAGES)) == []


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("a server with nginx in its name", {"server": "not-nginx/1.0"}),
        ("a server that begins like another", {"server": "Apache-like/2.4"}),
        ("a server that begins like another", {"server": "uvicorn-fork"}),
        ("a server that mentions another", {"server": "mine/1.0 (like-Apache/2.4)"}),
        ("an empty name", {"server": ""}),
        ("a strange framework", {"x_powered_by": "Expression Engine"}),
        ("PHP by another server", {"x_powered_by": "PHP/8.2.1"}),
        ("headers that proxies set too", {"x_request_id": "1", "x_runtime": "fast"}),
        ("headers that proxies set too", {"x_request_id": "0a7b4c1e-1111-4222-8333-444455556666"}),
        ("a common cookie", {"set_cookie": "session=abc; Path=/; HttpOnly"}),
        ("a cookie of another spelling", {"set_cookie": "my_csrftoken=abcdefghijklmnopqrstuvwxyz0123456789; Path=/"}),
        ("a default of many frameworks", {"x_frame_options": "SAMEORIGIN"}),
        ("a realm of anybody", {"www_authenticate": 'Basic realm="Restricted"'}),
        ("a realm of anybody", {"www_authenticate": 'Basic realm="security"'}),
        ("a policy of anybody", {"content_security_policy": "default-src 'self'; report-uri /csp-report"}),
        ("a login of anybody", {"location": "/login"}),
        ("CORS of anybody", {"access_control_allow_headers": "Origin, X-Requested-With, Content-Type, Accept"}),
    ],
)
def test_headers_that_anybody_sets_prove_nothing(name: str, headers: dict[str, str]) -> None:
    for status in (200, 302, 401, 404):
        assert those_who_claim(answer(b"hello", status, **headers)) == [], name


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":null}', 400),
        (b'{"jsonrpc":"2.0","result":{},"id":1}', 200),
        (b"event: message\ndata: /messages/?session_id=0123456789abcdef\n\n", 200),
        (b"event: endpoint\ndata: /elsewhere\n\n", 200),
    ],
)
@pytest.mark.parametrize("target", ["/mcp", "/sse"])
def test_other_json_rpc_and_other_events_are_not_mcp(body: bytes, status: int, target: str) -> None:
    assert those_who_claim(NOTHING, answer(body, status, target)) == []


@pytest.mark.parametrize("program", ["grafana", "jupyter-lab", "uvicorn", "node", "mcp-server"])
@pytest.mark.parametrize(
    ("recording", "product"),
    [("nginx-bad-gateway", "nginx"), ("haproxy-unavailable", "HAProxy"), ("apache-unavailable", "Apache httpd")],
)
def test_the_error_page_of_a_proxy_is_the_proxy(program: str, recording: str, product: str, recorded: Recorded) -> None:
    match = site(recorded(recording), Clues(3000, (program,)))

    assert match.product == product


def test_an_error_page_of_nginx_behind_another_server_is_told() -> None:
    page = b"<html>\n<body>\n<center><h1>404 Not Found</h1></center>\n<hr><center>nginx/1.25.3</center>\n</body>\n"

    assert dict(site((answer(page, 404, server="Caddy"),), Clues(1, ())).facts) == {"server": "nginx 1.25.3"}


def test_the_same_text_in_a_page_that_is_found_is_an_example() -> None:
    page = b"<p>It looks so:</p>\n<hr><center>nginx/1.25.3</center>\n"

    assert site((answer(page),), Clues(1, ())).product is None


@pytest.mark.parametrize(
    ("program", "product", "behind"),
    [("varnishd", "Varnish 7.1", "mini_httpd 1.30"), ("mini_httpd", "mini_httpd 1.30", "Varnish 7.1")],
)
def test_of_two_servers_the_owner_is_the_one_in_front(
    program: str, product: str, behind: str, recorded: Recorded
) -> None:
    match = site(recorded("varnish"), Clues(80, (program,)))

    assert f"{match.product} {match.version}" == product
    assert dict(match.facts)["server"] == behind


def test_clues_alone_prove_nothing() -> None:
    assert site((answer(b"hello"),), Clues(9229, ("nginx", "grafana", "ollama"))).product is None


def test_an_unknown_server_is_quoted_and_not_named() -> None:
    match = site((answer(b"", server="Mine/3.0 (x)"),), Clues(1, ()))

    assert (match.protocol, match.product, match.version) == ("http", None, None)
    assert match.facts == (("server", "Mine/3.0 (x)"),)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (b"<html><head><title>Shop &amp; more\n</title>", "Shop & more"),
        (b"<TITLE data-rh=true>\xc3\x84pfel</TITLE>", "Äpfel"),
        (b"<title></title><title>second</title>", "second"),
        (b"<title> \n </title>", None),
        (b"<title>" + b"x" * 1000 + b"</title>", None),
        (b"no title", None),
    ],
)
def test_the_title_tells_applications_of_ones_own_apart(body: bytes, title: str | None) -> None:
    for server in ("nginx", "mine"):
        assert dict(site((answer(body, server=server),), Clues(1, ())).facts).get("title") == title
    assert "title" not in dict(site((answer(body, 404),), Clues(1, ())).facts)


def test_no_answer_at_all_is_http_of_nobody() -> None:
    match = site((), Clues(1, ()))

    assert (match.protocol, match.product) == ("http", None)
    assert match.evidence


def test_a_refused_private_page_tells_that_a_login_is_demanded(recorded: Recorded) -> None:
    assert ("authentication", "demanded") in site(recorded("jupyter-lab"), Clues(1, ())).facts
    assert ("authentication", "not demanded") in site(recorded("jupyter-notebook"), Clues(1, ())).facts
    assert "authentication" not in dict(site(recorded("jupyter-lab")[:2], Clues(1, ())).facts)  # nobody tried
