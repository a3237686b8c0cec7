"""A stream beside the server of `tests/unit/fanout/world.py`: its tail is fed by the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from bridge.audiences.stream_hub import StreamHub
from bridge.history.latest import Latest
from bridge.history.own_rights import OwnRights
from bridge.history.reading import Reading
from bridge.history.replay import Replay, Sink
from bridge.history.starts import Start
from bridge.history.stored import Stored
from bridge.history.streams import StreamInfo
from bridge.history.tail import Tail
from bridge.wire.wants import PLAIN
from bridge.wire.wishes import New, Past, Wish
from tests.unit.fanout.world import Follower, World

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class Streams(World):
    """A hub of streams, with one stream, all of which its tail brings from the beginning."""

    def __init__(self) -> None:
        super().__init__()
        info = StreamInfo("S", "e", (">",), "limits", 1, 0, EPOCH, EPOCH)
        self.tail = Tail(info)
        self.tail.filters.add([">"])
        self.tail.bring((">",))
        self.history = _History(self.tail)
        self.streams = StreamHub(lambda _: self.history, lambda: self.server, self.hub)  # type: ignore[arg-type,return-value]

    def store(self, subject: str, payload: bytes) -> Stored:
        """Have the tail bring the next message."""
        message = Stored(self.tail.position + 1, subject, payload, b"", b"0")
        self.loop.call_soon(self.tail.deliver, [message])
        self.loop.settle()
        return message

    def follow_stored(self, member: Follower, *patterns: str, wish: Wish | None = None) -> Any:
        """Begin to follow patterns with their past; return the task."""

        async def follow() -> None:
            found = await self.streams.follow(member, patterns, PLAIN, Past(wish or New()))
            for each in found.begun:
                each.start()

        return self.run(follow())

    def leave_stored(self, member: Follower, *patterns: str) -> Any:
        """Begin to leave patterns; return the task."""
        return self.run(self.streams.leave(member, patterns))

    def end(self) -> None:
        """Stop everything."""
        self.run(self.streams.stop())
        super().end()


class _Keeper:
    is_gone = False

    def __init__(self, tail: Tail) -> None:
        self.tail = tail

    def exclude(self, patterns: Sequence[str]) -> None:
        """Go on: the tail brings everything."""


class _History:
    """As much of a history as is needed where the ring covers everything."""

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self.tails: Any = SimpleNamespace(leave=lambda keeper: None)
        self.keeper: Any = _Keeper(tail)

    async def rights(self) -> OwnRights:
        return OwnRights(None, ())

    async def stream_of(self, pattern: str, named: str | None, asker: object) -> Any:
        return SimpleNamespace(name="S")

    async def open(
        self, patterns: Sequence[str], wish: Wish, stream: str | None, asker: object
    ) -> Reading:
        after = self._tail.position if isinstance(wish, New) else 0
        start = Start(dict.fromkeys(patterns, after))
        return Reading(self.keeper, patterns, start, None, (">",), self)

    def replay(
        self,
        tail: Tail,
        starts: Mapping[str, int],
        sink: Sink,
        limited_at: int,
        latest: Latest | None = None,
    ) -> Replay:
        return Replay(tail, None, starts, sink)  # type: ignore[arg-type]

    async def reach_leader(self, tail: Tail) -> None:
        """Return: the test does not look further than what has come."""

    async def close(self) -> None:
        """Nothing is open."""
