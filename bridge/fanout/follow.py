"""What a connection follows."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.wire.wants import PLAIN, Wants


@dataclass(frozen=True, slots=True)
class Follow:
    """A pattern, and how its messages are wanted. Those who have the same one can share them."""

    pattern: str
    wants: Wants = PLAIN

    def __hash__(self) -> int:
        return hash(self.pattern)  # it is asked for again and again, and most want the same
