from __future__ import annotations

import os
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.rules.proxies import CLIENTS, through_proxy

PROXY = "http://proxy.example:3128"
UNSPARED = {"curl", "wget", "Python's urllib", "Python's requests"}
EVERYBODY = {"http_proxy": PROXY, "NODE_USE_ENV_PROXY": "1"}


def clients(url: str, **environment: str) -> set[str]:
    return {one.client for one in through_proxy(url, environment)}


def test_go_spares_this_machine_and_the_others_do_not() -> None:
    everybody = {one.name for one in CLIENTS}
    for url in ("http://localhost:3000/", "http://127.0.0.1:3000/", "http://[::1]:3000/x"):
        assert clients(url, **EVERYBODY) == everybody - {"Go's net/http"}
    assert clients("http://192.168.1.5:3000/", **EVERYBODY) == everybody


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        # nothing set, or for another scheme
        ("http://localhost/", {}, set()),
        ("http://localhost/", {"https_proxy": PROXY}, set()),
        ("redis://localhost/", {"http_proxy": PROXY, "all_proxy": PROXY}, set()),
        # curl and wget do not read HTTP_PROXY: a web server gives a header of that name to its scripts (CGI)
        ("http://localhost/", {"HTTP_PROXY": PROXY}, {"Python's urllib", "Python's requests"}),
        ("https://localhost/", {"HTTPS_PROXY": PROXY}, {"curl", "Python's urllib", "Python's requests"}),
        ("http://localhost/", {"ALL_PROXY": PROXY}, {"curl", "Python's requests"}),
        ("ws://localhost/", {"http_proxy": PROXY, "no_proxy": "localhost"}, set()),
        # NO_PROXY in capitals is nothing to wget
        ("http://localhost/", {"http_proxy": PROXY, "NO_PROXY": "localhost"}, {"wget"}),
        # `*`
        ("http://localhost/", {"http_proxy": PROXY, "no_proxy": "*"}, {"wget"}),
        ("http://localhost/", {"http_proxy": PROXY, "no_proxy": "*,other"}, UNSPARED),
        # a leading dot
        ("http://shop.localhost/", {"http_proxy": PROXY, "no_proxy": ".localhost"}, set()),
        ("http://localhost/", {"http_proxy": PROXY, "no_proxy": ".localhost"}, {"wget"}),
        ("http://notlocalhost/", {"http_proxy": PROXY, "no_proxy": "localhost"}, {"curl", "wget", "Python's urllib"}),
        # a port
        ("http://localhost:3000/", {"http_proxy": PROXY, "no_proxy": "localhost:3000"}, {"curl", "wget"}),
        ("http://localhost:3001/", {"http_proxy": PROXY, "no_proxy": "localhost:3000"},
         UNSPARED),
        # a network
        ("http://127.0.0.1/", {"http_proxy": PROXY, "no_proxy": "127.0.0.0/8"}, {"wget", "Python's urllib"}),
        ("http://10.1.2.3/", {"http_proxy": PROXY, "no_proxy": "127.0.0.0/8"},
         UNSPARED),
        # IPv6
        ("http://[::1]/", {"http_proxy": PROXY, "no_proxy": "::1"}, {"Python's urllib"}),
        # blanks, and an empty list
        ("http://localhost/", {"http_proxy": PROXY, "no_proxy": "other, localhost"}, set()),
        ("http://localhost/", {"http_proxy": PROXY, "no_proxy": " , "}, UNSPARED),
    ],
)  # fmt: skip
def test_each_client_reads_no_proxy_in_its_own_way(url: str, environment: dict[str, str], expected: set[str]) -> None:
    go = {"Go's net/http"}
    assert clients(url, **environment) - go == expected


@pytest.mark.parametrize(
    ("host", "value", "spared"),
    [
        ("10.1.2.3:80", "10.0.0.0/8", True),
        ("10.1.2.3:80", "10.1.2.3:81", False),
        ("10.1.2.3:80", "10.1.2.3:80", True),
        ("shop.test", "shop.test", True),
        ("www.shop.test", "shop.test", True),
        ("shop.test", ".shop.test", False),
        ("www.shop.test", "*.shop.test", True),
        ("[fd00::1]:80", "[fd00::1]:80", True),
    ],
)
def test_go(host: str, value: str, spared: bool) -> None:
    assert ("Go's net/http" not in clients(f"http://{host}/", http_proxy=PROXY, NO_PROXY=value)) == spared


@pytest.mark.parametrize(
    ("host", "value", "spared"),
    [
        ("localhost:3000", "localhost:3000", True),
        ("localhost:3001", "localhost:3000", False),
        ("shop.test", ".test", True),
        ("www.shop.test", "*.shop.test", True),
        ("www.shop.test", "shop.test", False),
        ("192.168.1.5", "192.168.1.1-192.168.1.9", True),
        ("192.168.1.50", "192.168.1.1-192.168.1.9", False),
        ("anything", "*", True),
    ],
)
def test_node(host: str, value: str, spared: bool) -> None:
    environment = {"HTTP_PROXY": PROXY, "NO_PROXY": value, "NODE_USE_ENV_PROXY": "1"}
    assert ("Node.js" not in clients(f"http://{host}/", **environment)) == spared
    assert "Node.js" not in clients(f"http://{host}/", HTTP_PROXY=PROXY)


def test_a_password_of_the_proxy_is_not_told() -> None:
    (one,) = [
        one for one in through_proxy("http://localhost", {"http_proxy": "http://me:geheim@p:1"}) if one.client == "curl"
    ]
    assert one.proxy == "http://***@p:1"
    assert one.variable == "http_proxy"
    assert through_proxy("http://localhost", {"http_proxy": "me:geheim@p:1"})[0].proxy == "***@p:1"


WORDS = st.sampled_from(
    [
        "localhost",
        ".localhost",
        "shop.localhost",
        "127.0.0.1",
        "localhost:3000",
        "*",
        "",
        " other",
        "host",
        "0.0.1",
        "[::1]",
    ]
)
HOSTS = st.sampled_from(["localhost", "shop.localhost", "127.0.0.1", "[::1]", "other"])


@given(HOSTS, st.lists(WORDS, max_size=3))
def test_urllib_by_its_own_word(host: str, words: list[str]) -> None:
    value = ",".join(words)
    bypass = urllib.request.proxy_bypass_environment(f"{host}:3000", {"no": value})  # type: ignore[attr-defined]
    spared = "Python's urllib" not in clients(f"http://{host}:3000/", http_proxy=PROXY, no_proxy=value)
    assert spared == bool(bypass)


VARIABLES = st.sampled_from(["http_proxy", "no_proxy", "NO_PROXY", "ALL_PROXY", "NODE_USE_ENV_PROXY"])


@given(st.text(), st.dictionaries(VARIABLES, st.text()))
def test_any_text(text: str, environment: dict[str, str]) -> None:
    through_proxy(text, environment)
    through_proxy(f"http://{text}", environment)


@pytest.fixture(scope="module")
def proxy() -> Iterator[int]:
    """A proxy that answers everything itself."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed: the end
                    return
                with client:
                    client.recv(65536)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nproxied")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


COMMANDS = {
    "curl": ["curl", "-s", "--max-time", "5"],
    "wget": ["wget", "-q", "-O-", "-T5", "-t1"],
}
REAL = [
    {"http_proxy": "P"},
    {"HTTP_PROXY": "P"},
    {"ALL_PROXY": "P"},
    {"http_proxy": "P", "no_proxy": "localhost"},
    {"http_proxy": "P", "NO_PROXY": "localhost"},
    {"http_proxy": "P", "no_proxy": "*"},
    {"http_proxy": "P", "no_proxy": ".localhost"},
    {"http_proxy": "P", "no_proxy": "host"},
    {"http_proxy": "P", "no_proxy": "localhost:1"},
    {"http_proxy": "P", "no_proxy": "other, localhost"},
    {"http_proxy": "P", "no_proxy": "127.0.0.0/8"},
]


@pytest.mark.parametrize("client", sorted(COMMANDS))
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_by_the_clients_themselves(client: str, host: str, proxy: int) -> None:
    """Port 1 is closed: what is answered came from the proxy."""
    url = f"http://{host}:1/"
    for one in REAL:
        environment = {name: f"http://127.0.0.1:{proxy}" if value == "P" else value for name, value in one.items()}
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        settings = {**clean, **environment}
        done = subprocess.run(
            [*COMMANDS[client], url], env=settings, capture_output=True, text=True, check=False, timeout=30
        )
        assert (client in clients(url, **environment)) == (done.stdout == "proxied"), (client, one, done)
