"""How messages are wanted: what a subscribe request may ask for beside subjects."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

from bridge.wire.metadata import KEYS

WANTS = ("meta", "max_rate")
"""The keys of a request that say how its messages are wanted."""
LEAST_RATE, MOST_RATE = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class Wants:
    """Options of a follow. Those who follow a pattern with the same ones can share its frames."""

    meta: tuple[str, ...] = ()
    """What stands beside each message: some of `metadata.KEYS`, in their order."""
    max_rate: float | None = None
    """How many messages a second at most of each subject, the newest ones; None: all."""

    @property
    def rank(self) -> tuple[float, int]:
        """What sorts those first that ask for most messages, and of these for most beside them."""
        return -(self.max_rate or inf), -len(self.meta)


PLAIN = Wants()
"""What a request without options asks for: the wire of the tutorial."""


def read_wants(meta: Any, max_rate: Any = None) -> Wants | str:
    """Return what the value of each key asks for, None if it is not there; or what is wrong."""
    if meta in (None, []) and max_rate is None:
        return PLAIN
    if meta is not None and not (isinstance(meta, list) and all(each in KEYS for each in meta)):
        return f"meta has to be a list of some of {', '.join(map(repr, KEYS))}."
    if max_rate is not None and not _is_rate(max_rate):
        return f"max_rate has to be a number from {LEAST_RATE:g} to {MOST_RATE:g}."
    keys = tuple(key for key in KEYS if key in (meta or ()))
    return Wants(keys, None if max_rate is None else float(max_rate))


def _is_rate(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and LEAST_RATE <= value <= MOST_RATE
