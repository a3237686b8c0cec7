"""Where a connection is in the streams that it follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from bridge.wire.cursor import Cursor

if TYPE_CHECKING:
    from bridge.audiences.follower import Follower

State = Literal["live", "behind", "replaying"]


class Place(NamedTuple):
    """Patterns of one stream that are in the same state."""

    stream: str
    state: State
    patterns: tuple[str, ...]
    cursor: str
    """Up to where all of it was written; of a replay empty, since that ends where others are."""


def places(follower: Follower) -> Iterator[Place]:
    """Yield where one connection is in one stream."""
    tail = follower.stage.tail
    by_state: dict[State, list[str]] = {}
    for pattern in follower.patterns:
        late: State = "behind" if follower.is_behind else "replaying"
        state = "live" if follower.is_live([pattern]) else late
        by_state.setdefault(state, []).append(pattern)
    for state, patterns in by_state.items():
        had = min(follower.had.ends().values(), default=0)
        sequence = tail.position if state == "live" else had
        cursor = "" if state == "replaying" else str(Cursor(tail.stream, tail.epoch, sequence))
        yield Place(tail.stream, state, tuple(patterns), cursor)
