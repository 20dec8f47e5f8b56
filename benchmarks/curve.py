"""The curve as SVG: wall time against the number of sockets, both logarithmic. Readable on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 860, 500
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 226, 58, 58
_LABEL_GAP = 17

_PALETTE = {
    # name: (on a light page, on a dark one)
    "page": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "quiet": ("#59636e", "#9198a1"),
    "grid": ("#d8dee4", "#2a313a"),
    "home": ("#0969da", "#58a6ff"),
    "kin": ("#54a0f5", "#3d76bf"),
    "orange": ("#bc4c00", "#f0883e"),
    "violet": ("#8250df", "#bc8cff"),
    "green": ("#1a7f37", "#3fb950"),
    "yellow": ("#9a6700", "#d29922"),
}
_COMPETITORS = ("orange", "violet", "green", "yellow")
_DASHES = ("6 4", "2 3", "9 3 2 3")


class Line(NamedTuple):
    """One tool: points of (sockets, seconds)."""

    name: str
    points: tuple[tuple[int, float], ...]


class _Look(NamedTuple):
    colour: str
    width: float
    dash: str | None


class _Plane:
    """Where a point of (sockets, seconds) lies in the picture: decades of both, all points inside."""

    def __init__(self, lines: Sequence[Line]) -> None:
        points = [point for line in lines for point in line.points]
        self.sockets = [math.log10(function(x for x, _ in points)) for function in (min, max)]
        self.powers = range(
            math.floor(math.log10(min(y for _, y in points))), math.ceil(math.log10(max(y for _, y in points))) + 1
        )

    def at(self, sockets: float, seconds: float) -> tuple[float, float]:
        """Pixels from the left and from the top."""
        low, high = self.sockets
        x = (math.log10(sockets) - low) / ((high - low) or 1)
        y = (math.log10(seconds) - self.powers[0]) / (len(self.powers) - 1 or 1)
        return _LEFT + x * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - y * (_HEIGHT - _TOP - _BOTTOM)


def svg(lines: Sequence[Line], note: str) -> str:
    """The picture; the first line is drawn strongest, lines whose name starts with its name are dashed kin of it."""
    plane, looks = _Plane(lines), _looks(lines)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-labelledby="title">',
        '<title id="title">Time to list all TCP listeners with their processes, by number of sockets</title>',
        f"<style>{_style()}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="8" class="fill-page"/>',
        f'<text class="title fill-ink" x="{_LEFT}" y="28">Listing every TCP listener with its process</text>',
        f'<text x="{_LEFT}" y="46" class="fill-quiet">{escape(note)}</text>',
    )
    paths = [
        _path(looks[line.name], [plane.at(x, y) for x, y in line.points])
        for line in reversed(lines)  # the first is drawn last, on top
    ]
    return "\n".join((*head, *_grid(plane), *paths, *_labels(lines, plane, looks), "</svg>")) + "\n"


def _style() -> str:
    """A class per colour, for light pages, and again for dark ones."""
    light, dark = (
        "".join(f".stroke-{name}{{stroke:{pair[i]}}}.fill-{name}{{fill:{pair[i]}}}" for name, pair in _PALETTE.items())
        for i in (0, 1)
    )
    fixed = (
        "text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif}path{fill:none;stroke-linejoin:round}"
        ".title{font-size:16px;font-weight:600}.strong{font-weight:600}"
    )
    return f"{fixed}{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _grid(plane: _Plane) -> list[str]:
    """Lines and numbers at every power of ten."""
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    low, high = plane.sockets
    for power in range(math.ceil(low), math.floor(high) + 1):
        x, _ = plane.at(10**power, 1)
        parts.append(f'<line class="stroke-grid" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle" class="fill-quiet">{10**power:,}</text>'
        )
    for power in plane.powers:
        _, y = plane.at(10**low, 10.0**power)
        parts.append(f'<line class="stroke-grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 4.5:.1f}" text-anchor="end" class="fill-quiet">{_duration(power)}</text>'
        )
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT - 16}" text-anchor="middle" class="fill-quiet">listening sockets</text>'
    )
    return parts


def _labels(lines: Sequence[Line], plane: _Plane, looks: Mapping[str, _Look]) -> list[str]:
    """The name of each line at its end, moved apart where they would cover one another, with a thin leader."""
    ends = {line.name: plane.at(*line.points[-1]) for line in lines}
    heights = _spread_out({name: y for name, (_, y) in ends.items()})
    parts, left = [], _WIDTH - _RIGHT + 28
    for line in lines:
        look, (x, y), height = looks[line.name], ends[line.name], heights[line.name]
        path = f"M{x + 6:.1f} {y:.1f} L{left - 6} {height:.1f}"
        parts.append(f'<path d="{path}" class="stroke-{look.colour}" opacity="0.55"/>')
        strong = " strong" if look.colour == "home" else ""
        place = f'x="{left}" y="{height + 4.5:.1f}"'
        parts.append(f'<text {place} class="fill-{look.colour}{strong}">{escape(line.name)}</text>')
    return parts


def _looks(lines: Sequence[Line]) -> dict[str, _Look]:
    """Colour and stroke of each line: homeport and its sources in one colour, the others in their own."""
    first = lines[0].name
    looks, kin, others = {first: _Look("home", 3.0, None)}, 0, 0
    for line in lines[1:]:
        if line.name.startswith(first):
            looks[line.name] = _Look("kin", 1.75, _DASHES[kin % len(_DASHES)])
            kin += 1
        else:
            looks[line.name] = _Look(_COMPETITORS[others % len(_COMPETITORS)], 1.75, None)
            others += 1
    return looks


def _path(look: _Look, points: Sequence[tuple[float, float]]) -> str:
    steps = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{look.dash}"' if look.dash else ""
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{look.width + 0.75:.2f}" class="fill-{look.colour}"/>' for x, y in points
    )
    return f'<path d="M{steps}" class="stroke-{look.colour}" stroke-width="{look.width}"{dash}/>{dots}'


def _spread_out(heights: Mapping[str, float]) -> dict[str, float]:
    """Heights of the labels, moved apart so that none covers another and none leaves the picture."""
    placed: dict[str, float] = {}
    last: float = _TOP - _LABEL_GAP
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        last = placed[name] = max(height, last + _LABEL_GAP)
    overflow = last - (_HEIGHT - _BOTTOM)
    limit = math.inf
    if overflow > 0:
        for name in reversed(list(placed)):
            limit = placed[name] = min(placed[name], _HEIGHT - _BOTTOM, limit - _LABEL_GAP)
    return placed


def _duration(power: int) -> str:
    """A power of ten seconds."""
    return f"{10**power:,} s" if power >= 0 else f"{10 ** (power + 3):g} ms"
