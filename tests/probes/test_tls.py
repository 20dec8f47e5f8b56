"""The TLS handshake, in a made world: when it is made, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.probes.made import told, world
from tests.rules.verdicts.test_answers import failed, service, web
from tests.rules.verdicts.test_tls import certificate, tls

from homeport.model.case import Case, Wish
from homeport.model.diagnosis import Outcome
from homeport.model.dialling import Failing
from homeport.model.tls import Tls
from homeport.probes import tls as step


def shaken(one: Case, answer: Any = None) -> tuple[Case, int]:
    """The case after the step, and how many handshakes were made."""
    made: list[Case] = []

    def shake(asked: Case) -> Any:
        made.append(asked)
        return tls() if answer is None else answer

    return step.look(one, world(tls=shake)), len(made)


@pytest.mark.parametrize(
    ("facts", "handshakes"),
    [
        ({"scheme": "https", "service": service("http", tls=True)}, 1),
        ({"scheme": "https", "service": None}, 1),
        ({"scheme": None, "service": service("tls", tls=True)}, 1),
        ({"scheme": "http", "service": service("http", tls=True)}, 1),
        ({"scheme": None, "service": None, "wish": Wish(tls=True)}, 1),
        ({"scheme": None, "service": None}, 0),
        ({"scheme": "http", "service": service("http")}, 0),
        # what spoke plain text by itself is sent no handshake, even where one is wanted
        ({"scheme": "https", "service": service("http")}, 0),
        ({"scheme": "https", "service": service("ssh", spoke=False)}, 1),
        ({"scheme": "https", "service": None, "greeting": b"220 hello\r\n"}, 0),
        ({"scheme": "https", "service": None, "closed_early": True}, 0),
        ({"scheme": "https", "service": None, "attempts": ()}, 0),
    ],
)
def test_when_a_handshake_is_made(facts: dict[str, Any], handshakes: int) -> None:
    found, made = shaken(web(**facts))
    assert made == handshakes
    assert isinstance(found.tls, Tls) is (handshakes == 1)


def lines(seen: Any, **facts: Any) -> list[tuple[Outcome, str]]:
    one = web(**({"scheme": "https", "service": None, "tls": seen} | facts))
    return [(each.outcome, each.detail) for each in told(step, one)]


def test_what_was_shown() -> None:
    root = certificate(subject="CN=Test", names=())
    found = lines(tls(certificate(), root, alpn="h2", versions=("TLSv1.2", "TLSv1.3")))
    assert found[0] == (Outcome.OK, "TLSv1.3, TLS_AES_256_GCM_SHA384, h2; takes TLSv1.2 too")
    assert found[1][1].startswith("certificate CN=localhost for localhost, valid until ")
    assert found[2][1].startswith("issued by CN=Test, valid until ")
    assert len(found) == 3


def test_old_versions_are_odd() -> None:
    found = lines(tls(versions=("TLSv1", "TLSv1.1", "TLSv1.3")))
    assert (Outcome.ODD, "takes TLSv1 and TLSv1.1, which must not be used any more (RFC 8996)") in found


def test_trust_and_name() -> None:
    seen = tls(trusted=False, trust_error="self-signed certificate", name_matches=False)
    found = lines(seen, wish=Wish(host="shop.test"))
    assert (Outcome.FAILED, "not trusted here: self-signed certificate") in found
    assert (Outcome.FAILED, "the certificate is not for shop.test") in found
    assert lines(replace(seen, trusted=None, name_matches=None))[2:] == []


def test_where_there_is_none() -> None:
    assert lines(None) == [(Outcome.FAILED, "no TLS is spoken here")]
    assert lines(None, scheme="http") == []
    assert lines(None, attempts=()) == []


def test_a_handshake_that_fails_matters_where_it_is_wanted() -> None:
    assert lines(failed(Failing.ALERT)) == [(Outcome.FAILED, "the handshake failed: alert")]
    assert lines(failed(Failing.ALERT), scheme="http") == []
