"""Two targets measured in turn, and the ratio of what they deliver."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench.load import Crowd
from bench.suites import MOST_BUSY
from bench.targets import Target

TRIES = 3


def deliveries(
    target: Target, follow: list[list[str]], messages: list[tuple[str, bytes]]
) -> float | None:
    """Return the deliveries a second; None if the load generator was the bottleneck."""
    for _ in range(TRIES):
        with Crowd(target, follow) as crowd:
            done = crowd.run(messages)
        if done.generator_cpu <= MOST_BUSY:
            return done.deliveries
    return None


def row(
    label: str, one: Target, other: Target, measure: Callable[[Target], float | None], rounds: int
) -> str:
    """Return a row of a table: deliveries of `one`, of `other`, and the ratio with its spread."""
    pairs = []
    for number in range(rounds):
        order = (one, other) if number % 2 else (other, one)
        rates = {target.name: measure(target) for target in order}
        pairs.append((rates[one.name], rates[other.name]))
    valid = [(first, second) for first, second in pairs if first and second]
    if not valid:
        return f"| {label} | the load generator was the bottleneck | | | 0 |"
    medians = [statistics.median(each) / 1e6 for each in zip(*valid, strict=True)]
    ratios = [second / first for first, second in valid]
    spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    return f"| {label} | {medians[0]:.2f} M | {medians[1]:.2f} M | {spread} | {len(valid)} |"
