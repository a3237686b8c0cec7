"""How often something took how long."""

from __future__ import annotations

from bisect import bisect_left

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Seconds, each the upper end of a bucket; the last bucket has none."""


class Histogram:
    """Counts times by bucket.

    prometheus_client's own takes a lock and ten times as long, for threads that are not here.
    """

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0
        """Seconds in all."""

    def observe(self, seconds: float) -> None:
        """Count one time."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper end, as Prometheus writes it, and how many took no longer."""
        ends = (*map(str, BOUNDS), "+Inf")
        total, found = 0, []
        for end, count in zip(ends, self._counts, strict=True):
            total += count
            found.append((end, float(total)))
        return found
