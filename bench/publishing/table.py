"""The table of ratios: a line for each thing measured, with its spread and its goal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.figures import Spread


@dataclass(frozen=True)
class Goal:
    """What a ratio has to be."""

    text: str
    is_reached: Callable[[float], bool]


def at_least(least: float) -> Goal:
    """Return the goal of a ratio that should be large."""
    return Goal(f"at least {least:g}", lambda ratio: ratio >= least)


def at_most(most: float) -> Goal:
    """Return the goal of a ratio that should be small."""
    return Goal(f"at most {most:g}", lambda ratio: ratio <= most)


NO_GOAL = Goal("none", lambda ratio: True)


def head(*columns: str) -> str:
    """Return the first two lines; `columns`: what is compared, what with, and notes."""
    one, other, *notes = columns
    cells = ["", one, other, "ratio", "goal", "", *notes]
    return f"| {' | '.join(cells)} |\n{'|---' * len(cells)}|"


def line(label: str, one: list[float], other: list[float], goal: Goal, *notes: str) -> str:
    """Return a line: `one` and `other` are what each round came to."""
    ratio = Spread.of_ratios(one, other)
    verdict = "" if goal is NO_GOAL else "reached" if goal.is_reached(ratio.value) else NOT_REACHED
    cells = [label, Spread.of(one), Spread.of(other), ratio, goal.text, verdict, *notes]
    return f"| {' | '.join(map(str, cells))} |"


NOT_REACHED = "not reached"
