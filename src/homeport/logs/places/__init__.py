"""The rack of places: where programs log.

To add one: a function that finds candidates in `Facts`, a `Place` of it, and its line in `PLACES`. It reads nothing:
`system.log_places` gathers the facts, `system.log_feeds` reads what a candidate names.
"""

from __future__ import annotations

from homeport.logs.places import configured, crashes, descriptors, marked, streams, systems
from homeport.logs.places.kind import Candidate, Facts, Place

__all__ = ["PLACES", "Candidate", "Facts", "Place", "candidates"]

PLACES: tuple[Place, ...] = (
    descriptors.PLACE,
    *configured.PLACES,
    marked.PLACE,
    systems.CONTAINER,
    systems.PM2,
    systems.SUPERVISORD,
    systems.UNITS,
    systems.JOURNAL,
    streams.PLACE,
    crashes.PLACE,
)
"""In the order in which sources are listed."""


def candidates(facts: Facts) -> tuple[Candidate, ...]:
    """All places, each once by what it reads."""
    found: dict[object, Candidate] = {}
    for place in PLACES:
        for one in place.find(facts):
            found.setdefault(one.reading if one.reading is not None else (one.kind, one.what, one.label), one)
    return tuple(found.values())
