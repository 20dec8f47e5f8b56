"""TLS: spoken or not where it is meant, and certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.acceptance.checks.cases import Diagnosis, case
from tests.acceptance.checks.conftest import Check
from tests.acceptance.checks.making import follow, free_ports, running, wait_until
from tests.acceptance.checks.upper import DAY, NOW, Authority, Pair, answers, nginx

Two = tuple[Diagnosis, Diagnosis]


class Site(NamedTuple):
    """One nginx with a server for each label, and the authority that signed."""

    ports: dict[str, int]
    folder: Path
    trusting: dict[str, str]


LABELS = (
    "over", "good", "expired", "future", "name", "self", "both", "client", "plain",
    "alone", "chain", "usage", "common", "reject",
)  # fmt: skip


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
        "usage": authority.issue("usage", here, usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        "common": authority.issue("common", []),
    }
    between = Authority(folder, authority, "Homeport test intermediate")
    pairs["alone"] = between.issue("alone", here)
    whole = Pair(folder / "whole.pem", pairs["alone"].key)
    whole.certificate.write_text(pairs["alone"].certificate.read_text() + between.root.read_text())
    pairs["chain"] = whole
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
    at, good = f"127.0.0.1:{ports['reject']}", pairs["good"]
    blocks.append(f"server {{ listen {at} ssl default_server; ssl_reject_handshake on; }}")
    blocks.append(
        f"server {{ listen {at} ssl; server_name localhost;\n"
        f"ssl_certificate {good.certificate}; ssl_certificate_key {good.key}; return 200 hello; }}"
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


@case("certificate-untrusted", "a certificate that is signed by itself", near="certificate-name", cured=True)
def test_self_signed(check: Check, site: Site, tmp_path: Path) -> Two:
    url = f"https://localhost:{site.ports['self']}/"
    found = check(url, env=site.trusting)
    assert "signed by itself" in found["cause"]
    follow(f"cd {tmp_path} && {found['remedy']}")
    return found, check(url, env={"SSL_CERT_FILE": str(tmp_path / f"localhost-{site.ports['self']}.pem")})


@case("certificate-untrusted", "a certificate without that of the authority between, which is not sent", cured=True)
def test_short_chain(check: Check, site: Site) -> Two:
    found = check(f"https://localhost:{site.ports['alone']}/", env=site.trusting)
    assert "Homeport test intermediate" in found["cause"]
    assert "the whole chain" in found["remedy"]
    return found, check(f"https://localhost:{site.ports['chain']}/", env=site.trusting)


@case("certificate-untrusted", "a certificate that is for clients alone, of a trusted authority", near="ok")
def test_wrong_usage(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['usage']}/", env=site.trusting)
    assert found["fault"] == "server"
    assert "purpose" in found["cause"]
    return found


@case("certificate-name", "a certificate with the name as its common name alone", near="ok")
def test_common_name(check: Check, site: Site) -> Diagnosis:
    found = check(f"https://localhost:{site.ports['common']}/", env=site.trusting)
    assert "CN=localhost" in found["cause"]
    return found


@case("tls-failed", "nginx that has a certificate for a name alone, asked by address", near="no-answer", cured=True)
def test_no_name(check: Check, site: Site) -> Two:
    found = check(f"https://127.0.0.1:{site.ports['reject']}/", env=site.trusting)
    return found, check(found["remedy"].removeprefix("homeport check "), env=site.trusting)


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
    found = check(f"http://localhost:{site.ports['over']}/", env=site.trusting)
    assert f":{site.ports['name']} is for shop.example" in found["cause"]
    assert any(f"https://localhost:{site.ports['name']}/ --host" in one["text"] for one in found["remedies"])
    return found


@case("tls-expected", "http:// to a port of TLS", cured=True)
def test_plain_to_tls(check: Check, site: Site) -> Two:
    found = check(f"http://127.0.0.1:{site.ports['both']}/", env=site.trusting)
    assert found["fault"] == "client"
    url = found["remedy"].removeprefix("homeport check ")
    return found, check(url, env=site.trusting)


@case("tls-expected", "redis:// to a Redis that speaks TLS alone", near="certificate-untrusted", cured=True)
def test_redis_within_tls(check: Check, site: Site) -> Two:
    (port,) = free_ports(1)
    pair = site.folder / "good.pem", site.folder / "good.key"
    files = ("--tls-cert-file", pair[0], "--tls-key-file", pair[1], "--tls-ca-cert-file", site.folder / "root.pem")
    with running("redis-server", "--port", "0", "--tls-port", str(port), *files, "--save", "") as one:
        wait_until(lambda: one.poll() is None and answers(port), "redis listens")
        found = check(f"redis://localhost:{port}")
        return found, check(found["remedy"].removeprefix("homeport check "), env=site.trusting)


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
