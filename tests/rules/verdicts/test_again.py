"""Remedies are to be run as they are printed: with the options of the check, in the namespace that it was made from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.rules.verdicts.building import HERE, PORT, THERE, case, listener, process

from homeport.model.case import Wish
from homeport.model.diagnosis import Verdict
from homeport.model.snapshot import Netns
from homeport.rules.verdicts.again import kept
from homeport.rules.verdicts.kind import advice, command

NODE = process(100)


def text(said: str, wish: Wish, verdict: Verdict = Verdict.NO_ANSWER, netns: Netns | None = None) -> str:
    one = replace(case([listener("127.0.0.1", PORT, NODE)]), wish=wish)
    if netns is not None:
        one = replace(one, netns=netns)
    (found,) = kept(one, verdict, (command(said, "why"),))
    assert found.why == "why"
    return found.text


@pytest.mark.parametrize(
    ("wish", "added"),
    [
        (Wish(), ""),
        (Wish(seconds=2.0), ""),
        (Wish(seconds=20.0), " --timeout 20"),
        (Wish(host="shop.test"), " --host shop.test"),
        (Wish(http2=True), " --http2"),
        (Wish(tls=True), " --tls"),
        (Wish(plain=True), " --plain"),
        (Wish(place="web"), " --from web"),
        (Wish(host="a b", place="web"), " --host 'a b' --from web"),
    ],
)
def test_options_are_kept(wish: Wish, added: str) -> None:
    assert text("homeport check http://127.0.0.1:3000/", wish) == f"homeport check http://127.0.0.1:3000/{added}"


def test_what_a_remedy_says_itself_stays() -> None:
    said = "homeport check http://127.0.0.1:3000/ --timeout 30"
    assert text(said, Wish(seconds=10.0)) == said
    assert text("homeport check :3000 --http2", Wish(http2=True)) == "homeport check :3000 --http2"


def test_what_was_wrong_is_not_wished_again() -> None:
    said = "homeport check http://localhost:3000/"
    assert text(said, Wish(host="shop.test", place="web"), Verdict.HOST_REFUSED) == f"{said} --from web"
    assert text(said, Wish(tls=True), Verdict.PLAIN_EXPECTED) == said
    assert text(said, Wish(plain=True), Verdict.TLS_EXPECTED) == said
    assert text("homeport check redis://:3000", Wish(host="shop.test", http2=True)) == "homeport check redis://:3000"


@pytest.mark.parametrize(
    ("place", "netns", "prefix"),
    [
        (None, Netns(HERE, "shop", 1, True), ""),
        ("shop", Netns(HERE, "shop", 1, True), "ip netns exec shop "),
        ("web", Netns(HERE, None, 1, True), "nsenter --net=/proc/100/ns/net "),
        ("4711", Netns(THERE, None, 1, True), "nsenter --net=/proc/4711/ns/net "),
        ("web", Netns(THERE, None, 1, True), "in the network of web: "),
        (str(THERE), Netns(THERE, None, 1, True), f"in the network of {THERE}: "),
    ],
)
def test_rules_are_changed_where_they_are(place: str | None, netns: Netns, prefix: str) -> None:
    said = "nft delete rule inet filter input handle 4"
    assert text(said, Wish(place=place), Verdict.FIREWALL_DROP, netns) == prefix + said


def test_other_remedies_stay() -> None:
    assert text("kill -CONT 100", Wish(place="web")) == "kill -CONT 100"
    advised = advice("homeport check", "in words")
    assert kept(replace(case(), wish=Wish(place="web")), Verdict.UNKNOWN, (advised,)) == (advised,)
