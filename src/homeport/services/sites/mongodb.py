"""MongoDB, asked in HTTP at the port of its own protocol: the advice that it gives."""

from __future__ import annotations

from homeport.services.kind import Answer, Match, Site
from homeport.services.sites.signs import clean

ADVICE = b"It looks like you are trying to access MongoDB over HTTP on the native driver port."


def recognise(answers: tuple[Answer, ...]) -> Match | None:
    """The whole answer is that advice; what a client has to speak is the protocol of MongoDB."""
    for answer in answers:
        if answer.body.strip() == ADVICE:
            return Match("mongodb", "MongoDB", None, clean(f"GET {answer.target}: {ADVICE.decode()}"))
    return None


SITE = Site("MongoDB", recognise, ports=(27017,), programs=("mongod", "mongos"))
