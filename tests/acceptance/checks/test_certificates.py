"""TLS: spoken or not where it is meant, and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.acceptance.checks.cases import Diagnosis, case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import free_ports
from tests.acceptance.checks.upper import DAY, NOW, Authority, nginx

Two = tuple[Diagnosis, Diagnosis]


class Site(NamedTuple):
    """One nginx with a server for each label, and the authority that signed."""

    ports: dict[str, int]
    folder: Path
    trusting: dict[str, str]


LABELS = ("over", "good", "expired", "future", "name", "self", "both", "client", "plain")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder)
    here = ["localhost", "127.0.0.1"]
    pairs = {
        "good": authority.issue("good", here),
        "both": authority.issue("both", here),
        "client": authority.issue("client", here),
        "expired": authority.issue("expired", here, start=NOW - 90 * DAY, end=NOW - 3 * DAY),
        "future": authority.issue("future", here, start=NOW + 3 * DAY),
        "name": authority.issue("name", ["shop.example", "www.shop.example"]),
        "self": authority.issue("self", here, self_signed=True),
    }
    ports = dict(zip(LABELS, free_ports(len(LABELS)), strict=True))
    blocks = [f"server {{ listen 127.0.0.1:{ports['plain']}; return 200 plain; }}"]
    to = f"https://localhost:{ports['name']}/"
    blocks.append(f"server {{ listen 127.0.0.1:{ports['over']}; return 301 {to}; }}")
    for label, pair in pairs.items():
        more = f"ssl_verify_client on; ssl_client_certificate {authority.root};" if label == "client" else ""
        blocks.append(
            f"server {{ listen 127.0.0.1:{ports[label]} ssl; {more}\n"
            f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key}; return 200 hello; }}"
        )
    with nginx(folder, "\n".join(blocks), ports["plain"]):
        yield Site(ports, folder, {"SSL_CERT_FILE": str(authority.root)})


@case("ok", "nginx with TLS, whose authority is trusted (SSL_CERT_FILE)", near="certificate-untrusted")
def test_trusted(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['good']}/", env=site.trusting)
    layers = {one["layer"]: one["outcome"] for one in found["observations"]}
    assert layers["tls"] == "ok"
    assert found["service"]["tls"] is True
    return found


@case("ok", "nginx with TLS, asked by its port alone", near="tls-expected")
def test_port_alone(check: Check, site: Site) -> Diagnosis:
    return check(f"127.0.0.1:{site.ports['good']}", env=site.trusting)


@case("certificate-untrusted", "a certificate of an authority that this machine does not know", cured=True)
def test_unknown_authority(check: Check, site: Site) -> Two:
    url = f"https://localhost:{site.ports['good']}/"
    found = check(url, env={"SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"})
    assert found["fault"] == "machine"
    return found, check(url, env=site.trusting)


@case("certificate-untrusted", "a certificate that is signed by itself", near="certificate-name")
def test_self_signed(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['self']}/", env=site.trusting)
    assert "signed by itself" in found["cause"]
    return found


@case(
    "certificate-expired",
    "a certificate that ended three days ago",
    near="certificate-untrusted",
)
def test_expired(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['expired']}/", env=site.trusting)
    assert "expired on" in found["cause"]
    return found


@case("certificate-expired", "a certificate that begins in three days")
def test_not_yet(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['future']}/", env=site.trusting)
    assert "not valid before" in found["cause"]
    return found


@case("certificate-untrusted", "a valid certificate that nobody signed", near="certificate-expired")
def test_valid_but_unknown(check: Check, site: Site) -> Diagnosis:
    return check(f"https://127.0.0.1:{site.ports['self']}/", env=site.trusting)


@case("certificate-name", "a certificate for shop.example, asked as localhost", cured=True)
def test_other_name(check: Check, site: Site) -> Two:
    url = f"https://localhost:{site.ports['name']}/"
    found = check(url, env=site.trusting)
    assert "shop.example" in found["cause"]
    return found, check(url, "--host", "www.shop.example", env=site.trusting)


@case("certificate-name", "a redirection from http to https, where the certificate is for another name", near="ok")
def test_redirected_to_another_name(check: Check, site: Site) -> Diagnosis:
    return check(f"http://localhost:{site.ports['over']}/", env=site.trusting)


@case("tls-expected", "http:// to a port of TLS", cured=True)
def test_plain_to_tls(check: Check, site: Site) -> Two:
    found = check(f"http://127.0.0.1:{site.ports['both']}/", env=site.trusting)
    assert found["fault"] == "client"
    url = found["remedy"].removeprefix("homeport check ")
    return found, check(url, env=site.trusting)


@case("tls-expected", "--plain to a port of TLS", near="http-error")
def test_told_plain(check: Check, site: Site) -> Diagnosis:
    return check(f"127.0.0.1:{site.ports['both']}", "--plain", env=site.trusting)


@case("plain-expected", "https:// to a port of plain HTTP", cured=True)
def test_tls_to_plain(check: Check, site: Site) -> Two:
    found = check(f"https://127.0.0.1:{site.ports['plain']}/")
    return found, check(found["remedy"].removeprefix("homeport check "))


@case("plain-expected", "--tls to a port of plain HTTP", near="tls-failed")
def test_told_tls(check: Check, site: Site) -> Diagnosis:
    return check(f"127.0.0.1:{site.ports['plain']}", "--tls")


@case("http-error", "nginx that demands a certificate of its client", near="plain-expected")
def test_client_certificate(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['client']}/", env=site.trusting)
    assert "400" in found["cause"]
    return found
