"""Numbers that stand for many: percentiles, and medians with their spread."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the least of `values` that `percent` of them do not exceed.

    It is one of them: nothing is made up between the few that are the worst.
    """
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


@dataclass(frozen=True)
class Spread:
    """What several rounds came to: the figure that counts, the least and the most of a round."""

    value: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the median of `values`, and between what they lie."""
        return cls(statistics.median(values), min(values), max(values))

    @classmethod
    def of_ratios(cls, over: Sequence[float], under: Sequence[float]) -> Spread:
        """Return the ratio of the medians, and between what the ratios of the rounds lie."""
        ratios = [one / other for one, other in zip(over, under, strict=True)]
        return cls(statistics.median(over) / statistics.median(under), min(ratios), max(ratios))

    def __str__(self) -> str:
        if self.least == self.most:
            return shown(self.value)
        return f"{shown(self.value)} ({shown(self.least)} to {shown(self.most)})"


def shown(value: float) -> str:
    """Return `value` with as many digits as matter."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"
