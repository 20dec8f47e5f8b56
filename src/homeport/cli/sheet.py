"""Pages of text: labels on the left, one fact a line, wrapped for a terminal and whole elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from homeport.cli.text import Paint, safe

LABEL = 14
"""Columns of the labels."""
MAX_ROWS = 8
"""Of what there may be many of (peers, neighbours, listeners of an address), on a terminal; all of it elsewhere."""


class Sheet:
    """Lines with a label column, for a terminal of so many `columns`; with None a fact a line, and all of them."""

    def __init__(self, paint: Paint, columns: int | None) -> None:
        self.lines: list[str] = []
        self.columns = columns
        self._paint = paint

    def title(self, head: str, rest: str) -> None:
        """What the sheet is about, and that in a few words."""
        text = self._wrapped(safe(f"{head}   {rest}"), self.columns)
        first = text[0].removeprefix(safe(head))
        self.lines += [self._paint(safe(head), "bold") + first, *text[1:]]

    def gap(self) -> None:
        """An empty line, but never two."""
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def add(self, name: str, text: str, *styles: str, most: int | None = None) -> None:
        """One fact; with `most` cut to so many lines on a terminal."""
        width = None if self.columns is None else max(20, self.columns - LABEL)
        parts = self._wrapped(safe(text), width)
        if most is not None and width is not None and len(parts) > most:
            left = sum(map(len, parts[most:]))
            parts = [*parts[:most], f"… {left} more characters: --json has them"]
        for number, part in enumerate(parts):
            start = self._paint(f"{name:<{LABEL}}", "dim") if name and not number else " " * LABEL
            self.lines.append((start + self._paint(part, *styles)).rstrip())

    def many(self, name: str, texts: Iterable[str], *styles: str) -> None:
        """Facts of one kind; of very many, on a terminal, the first."""
        everything = list(texts)
        shown = everything if self.columns is None or len(everything) <= MAX_ROWS + 1 else everything[:MAX_ROWS]
        for number, text in enumerate(shown):
            self.add("" if number else name, text, *styles)
        if len(shown) < len(everything):
            self.add("", f"and {len(everything) - len(shown)} more: --json has them", "dim")

    @staticmethod
    def _wrapped(text: str, width: int | None) -> list[str]:
        if width is None or len(text) <= width:
            return [text]
        return textwrap.wrap(text, width, break_on_hyphens=False, drop_whitespace=True) or [""]
