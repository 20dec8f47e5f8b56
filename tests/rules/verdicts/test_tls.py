"""TLS and certificates on built cases; which of several troubles is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.rules.verdicts.building import PORT
from tests.rules.verdicts.test_answers import exchange, failed, remedies, service, verdict, web

from homeport.model.case import Case, Wish
from homeport.model.diagnosis import Fault, Verdict
from homeport.model.dialling import Failing, Failure
from homeport.model.tls import Certificate, Tls
from homeport.rules.verdicts import judge
from homeport.rules.verdicts.kind import Finding

NOW, DAY = datetime.now(UTC), timedelta(days=1)


def certificate(**facts: Any) -> Certificate:
    """One that is valid for another month."""
    known: dict[str, Any] = {
        "subject": "CN=localhost", "issuer": "CN=Test", "names": ("localhost",), "not_before": NOW - DAY,
        "not_after": NOW + 30 * DAY, "self_signed": False, "key": "RSA 2048", "serial": "01",
        "fingerprint_sha256": "ab" * 32,
    }  # fmt: skip
    return Certificate(**(known | facts))


def tls(*chain: Certificate, **facts: Any) -> Tls:
    """A handshake with nothing wrong."""
    known: dict[str, Any] = {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "alpn": None}
    trust = {"trusted": True, "name_matches": True}
    return Tls(chain=chain or (certificate(),), **(known | trust | facts))


def secure(seen: Tls, **facts: Any) -> Case:
    """https:// to a server of TLS that answers."""
    known: dict[str, Any] = {"scheme": "https", "tls": seen, "service": service("http", tls=True)}
    return web(exchange(), **(known | facts))


OLD = certificate(not_before=NOW - 90 * DAY, not_after=NOW - 3 * DAY)
YOUNG = certificate(not_before=NOW + 3 * DAY, not_after=NOW + 90 * DAY)


def test_all_is_well() -> None:
    assert verdict(secure(tls())) is Verdict.OK


@pytest.mark.parametrize(("one", "word"), [(OLD, "expired on"), (YOUNG, "is not valid before")])
def test_dates(one: Certificate, word: str) -> None:
    found = judge(secure(tls(one)))
    assert (found.verdict, found.fault) == (Verdict.CERTIFICATE_EXPIRED, Fault.SERVER)
    assert word in found.cause


def test_the_issuer_has_expired() -> None:
    found = judge(secure(tls(certificate(), replace(OLD, subject="CN=Test"))))
    assert found.verdict is Verdict.CERTIFICATE_EXPIRED
    assert "issuing certificate CN=Test" in found.cause


def test_which_trouble_is_told_first() -> None:
    every = {"trusted": False, "trust_error": "self-signed certificate", "name_matches": False}
    assert verdict(secure(tls(OLD, **every))) is Verdict.CERTIFICATE_EXPIRED
    assert verdict(secure(tls(**every))) is Verdict.CERTIFICATE_NAME
    assert verdict(secure(tls(trusted=False))) is Verdict.CERTIFICATE_UNTRUSTED


def test_another_name() -> None:
    found = judge(secure(tls(certificate(names=("shop.example",)), name_matches=False), wish=Wish(host="cart.test")))
    assert "is for shop.example, not for cart.test" in found.cause
    assert any(each.endswith("--host shop.example") for each in remedies(found))


@pytest.mark.parametrize("names", [(), ("*.shop.example",)])
def test_no_name_to_ask_by(names: tuple[str, ...]) -> None:
    found = judge(secure(tls(certificate(names=names), name_matches=False)))
    assert found.verdict is Verdict.CERTIFICATE_NAME
    assert not any("--host" in each for each in remedies(found))


def test_what_was_not_looked_at_is_no_trouble() -> None:
    assert verdict(secure(tls(trusted=None, name_matches=None))) is Verdict.OK


def test_plain_text_to_tls() -> None:
    found = judge(secure(tls(), scheme="http", exchanges=(exchange(400),)))
    assert (found.verdict, found.fault) == (Verdict.TLS_EXPECTED, Fault.CLIENT)
    assert remedies(found) == [f"homeport check https://127.0.0.1:{PORT}/"]


def test_a_server_of_both() -> None:
    assert verdict(secure(tls(trusted=False), scheme="http")) is Verdict.OK


def test_tls_to_plain_text() -> None:
    found = judge(web(exchange(), scheme="https"))
    assert (found.verdict, found.fault) == (Verdict.PLAIN_EXPECTED, Fault.CLIENT)
    assert remedies(found) == [f"homeport check http://127.0.0.1:{PORT}/"]


def test_told_to_speak_tls() -> None:
    found = judge(web(scheme=None, service=service("redis"), wish=Wish(tls=True)))
    assert found.verdict is Verdict.PLAIN_EXPECTED
    assert remedies(found) == [f"homeport check 127.0.0.1:{PORT} --plain"]


@pytest.mark.parametrize("failing", [Failing.ALERT, Failing.CLOSED, Failing.RESET])
def test_a_handshake_that_fails(failing: Failing) -> None:
    found = judge(web(scheme="https", service=None, tls=failed(failing)))
    assert (found.verdict, found.fault) == (Verdict.TLS_FAILED, Fault.SERVER)


def test_a_handshake_without_an_answer() -> None:
    silent = failed(Failing.TIMED_OUT)
    assert verdict(web(scheme="https", service=None, tls=silent, exchange_failure=silent)) is Verdict.NO_ANSWER


@pytest.mark.parametrize("scheme", ["redis", "amqp", "mqtt", "ldap", "imap", "smtp"])
def test_plain_protocols_to_tls(scheme: str) -> None:
    spoken = service("tls", tls=True)
    found = judge(replace(secure(tls(trusted=False)), scheme=scheme, service=spoken, exchanges=()))
    assert found.verdict is Verdict.TLS_EXPECTED
    assert remedies(found)[0].startswith(f"homeport check {scheme}s://")


def untrusted(*chain: Certificate, error: str = "unable to get local issuer certificate", **facts: Any) -> Finding:
    return judge(secure(tls(*chain, trusted=False, trust_error=error), **facts))


def test_whose_authority_is_missing() -> None:
    between = certificate(subject="CN=Between", issuer="CN=Root", names=())
    root = certificate(subject="CN=Root", issuer="CN=Root", names=(), self_signed=True)
    leaf = certificate(issuer="CN=Between")
    assert "its issuer CN=Between is not trusted here, and the server does not send it" in untrusted(leaf).cause
    assert "the whole chain" in remedies(untrusted(leaf))[0]
    # in any order, and with others among them
    assert "its issuer CN=Root is not trusted here, and" in untrusted(leaf, certificate(subject="CN=X"), between).cause
    found = untrusted(leaf, between, root)
    assert found.cause.endswith("its issuer CN=Root is not trusted here")
    assert not any("whole chain" in one for one in remedies(found))


def test_certificates_that_sign_one_another() -> None:
    one, other = certificate(subject="CN=A", issuer="CN=B"), certificate(subject="CN=B", issuer="CN=A")
    assert untrusted(one, other).verdict is Verdict.CERTIFICATE_UNTRUSTED


@pytest.mark.parametrize(
    ("issuer", "remedy"),
    [
        ("CN=mkcert eve@shop,O=mkcert development CA", "mkcert -install"),
        ("CN=Caddy Local Authority - ECC Intermediate", "caddy trust"),
    ],
)
def test_makers_of_certificates(issuer: str, remedy: str) -> None:
    assert remedies(untrusted(certificate(issuer=issuer)))[0] == remedy


def test_signed_by_itself() -> None:
    found = untrusted(certificate(issuer="CN=localhost", self_signed=True), error="self-signed certificate")
    assert "openssl s_client -connect 127.0.0.1:3000" in remedies(found)[0]


def test_trust_is_not_the_only_trouble() -> None:
    found = untrusted(error="unsuitable certificate purpose")
    assert (found.verdict, found.fault) == (Verdict.CERTIFICATE_UNTRUSTED, Fault.SERVER)
    assert "unsuitable certificate purpose" in found.cause
    assert not any("curl" in one or "ca-certificates" in one for one in remedies(found))


def test_no_name_was_sent() -> None:
    alert = Failure(Failing.ALERT, "the server answers with the alert internal_error: something", None, 0.1)
    one = replace(secure(tls()), tls=alert, exchanges=())
    assert remedies(judge(one))[0] == f"homeport check https://localhost:{PORT}/"
    named = judge(replace(one, wish=Wish(host="shop.test")))
    assert named.verdict is Verdict.TLS_FAILED
    assert not any("localhost" in each for each in remedies(named))
