"""What a run under load measured, beside what is promised, and how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from math import inf

EVERY = 10.0
"""Seconds between two lines of progress where they cannot be written over."""
WIDTH = 78
SHARES = [("p50", 0.5), ("p99", 0.99)]


class Outcome:
    """The figures of one run: rows for the README's table. `broken` says what was not kept."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.broken: list[str] = []
        self._rows: list[tuple[str, str, str]] = []

    def tell(self, what: str, measured: str) -> None:
        """Add a figure of which nothing is promised."""
        self._rows.append((what, measured, ""))

    def at_most(self, what: str, measured: float, most: float, unit: str) -> None:
        """Add a figure that is to be no more than `most`."""
        self._rows.append((what, f"{measured:.4g} {unit}", f"{most:.4g} {unit} at most"))
        if measured > most:
            self.broken.append(f"{what}: {measured:.4g} {unit}, promised are {most:.4g} {unit}")

    def exactly(self, what: str, measured: float, wanted: float) -> None:
        """Add a number that is to be `wanted`."""
        self._rows.append((what, f"{measured:.10g}", f"{wanted:.10g}"))
        if measured != wanted:
            self.broken.append(f"{what}: {measured:.10g}, not {wanted:.10g}")

    def spread(
        self, what: str, values: Sequence[float], unit: str, most: float | None = None
    ) -> None:
        """Add median, p99 and worst of `values`; none is to be more than `most`."""
        worst = max(values, default=inf)
        usual = (f"{name} {percentile(values, share):.3g}" for name, share in SHARES)
        measured = f"{', '.join(usual)}, at worst {worst:.3g} {unit}"
        self._rows.append((what, measured, "" if most is None else f"{most:g} {unit} at most"))
        if most is not None and worst > most:
            self.broken.append(f"{what}: {worst:.3g} {unit}, promised are {most:g} {unit}")

    def lines(self) -> Iterable[str]:
        """Yield the table, and a sentence for each promise that was broken."""
        yield f"| {self.title} | measured | promised |"
        yield "|---|---|---|"
        yield from (f"| {' | '.join(row)} |" for row in self._rows)
        yield ""
        yield from (f"not as promised: {each}" for each in self.broken)
        if not self.broken:
            yield "everything as promised"


class Progress:
    """One line on a terminal, written over; elsewhere a line now and then. Use in a `with`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terminal = sys.stdout.isatty()
        self._begun = time.monotonic()
        self._next = 0.0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self._terminal:
            print(f"\r{'':{WIDTH}}\r", end="", flush=True)

    def say(self, text: str) -> None:
        """Say how far it is."""
        now = time.monotonic()
        passed = int(now - self._begun)
        line = f"{passed // 60:3}:{passed % 60:02} {self._name}: {text}"
        if self._terminal:
            print(f"\r{line[:WIDTH]:{WIDTH}}", end="", flush=True)
        elif now >= self._next:
            self._next = now + EVERY
            print(line, flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the others do not exceed; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
