"""The table of goals: a line for each row, with what was measured and whether that is enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.figures import Spread

HEAD = "| row | what | measured | goal | |\n|---|---|---|---|---|"


@dataclass(frozen=True)
class Goal:
    """A figure, and the most it may be."""

    name: str
    most: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: at most {self.most:g} {self.unit}"


@dataclass
class Measured:
    """What the rounds of a row came to: a spread for each of its goals, and what explains it."""

    spreads: Sequence[Spread]
    notes: list[str] = field(default_factory=list)


def line(name: str, what: str, goals: Sequence[Goal], measured: Measured) -> str:
    """Return the line of a row."""
    figures = [
        f"{goal.name}: {spread} {goal.unit}"
        for goal, spread in zip(goals, measured.spreads, strict=True)
    ]
    told = "; ".join([*figures, *measured.notes])
    return f"| {name} | {what} | {told} | {_goals(goals)} | {verdict(goals, measured)} |"


def failed_line(name: str, what: str, goals: Sequence[Goal], why: str) -> str:
    """Return the line of a row that could not be measured."""
    return f"| {name} | {what} | failed: {why} | {_goals(goals)} | not reached |"


def verdict(goals: Sequence[Goal], measured: Measured) -> str:
    """Return "reached", or "not reached" and, where there are several goals, which of them."""
    pairs = list(zip(goals, measured.spreads, strict=True))
    missed = [goal.name for goal, spread in pairs if not spread.value <= goal.most]
    if not missed:
        return "reached"
    return "not reached" if len(missed) == len(goals) else f"not reached: {', '.join(missed)}"


def _goals(goals: Sequence[Goal]) -> str:
    return "; ".join(f"at most {goal.most:g} {goal.unit}" for goal in goals)
