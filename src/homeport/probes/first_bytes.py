"""What the peer says before it is spoken to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from homeport.model.case import Case, Queue
from homeport.model.diagnosis import Layer, Observation, Outcome
from homeport.probes.kind import Greeting, Probe, World
from homeport.rules.masking import mask

_SHOWN = 60


def look(case: Case, world: World) -> Case:
    """A connection of its own, on which nothing is sent; where it stays silent, whether it was accepted at all.

    Where it ends at once, and the listener with it, those who were told the port are watched: they may be started anew.
    """
    if case.connected is None:
        return case
    found = world.greeting(case.connected.address, case.port)
    if isinstance(found, Greeting):
        case = replace(case, greeting=found.said, closed_early=found.ended and not found.said)
    if case.closed_early or not isinstance(found, Greeting):
        gone = case.listener is None or world.again(case.listener) is None
        return replace(case, claims=world.claims(case)) if gone else case
    if case.listener is not None and not found.said and not found.ended:
        now = world.again(case.listener)
        case = replace(case, queue=case.queue if now is None else Queue.of(now))
    return case


def tell(case: Case, seconds: float) -> Iterator[Observation]:
    """The first line of it."""
    if case.connected is None or case.greeting is None:
        return
    if case.greeting:
        line = case.greeting.split(b"\n", 1)[0][:_SHOWN].decode("utf-8", "backslashreplace").rstrip("\r")
        detail, outcome = f"says at once: {mask(line)}", Outcome.OK
    elif case.closed_early:
        detail, outcome = "closes the connection without a word", Outcome.FAILED
    elif case.queue is not None and case.queue.waiting:
        detail, outcome = "the connection waits in the kernel: the program has not accepted it", Outcome.ODD
    else:
        detail, outcome = "waits to be spoken to", Outcome.OK
    yield Observation(layer=Layer.FIRST_BYTES, outcome=outcome, detail=detail, seconds=seconds)


PROBE = Probe(Layer.FIRST_BYTES, look, tell)
