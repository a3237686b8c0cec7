"""Who is told what of a tail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.history.stored import Stored
from bridge.history.streams import StreamInfo
from bridge.history.tail import Tail


class Listener:
    """Is told of losses, and gets no messages: it has no `take`."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def missed(self, after: int, until: int, reason: str) -> None:
        self.told.append((after, until, reason))

    def skipped(self, after: int, until: int) -> None:
        raise AssertionError

    def gone(self) -> None:
        self.told.append("gone")


class Taker(Listener):
    def take(self, messages: Sequence[Stored]) -> None:
        self.told += [message.sequence for message in messages]


def test_a_message_concerns_nobody_who_only_listens() -> None:
    """Each of thousands of replays would make every live message dearer."""
    time = datetime(2026, 1, 1, tzinfo=UTC)
    info = StreamInfo("S", "e", ("s.>",), "limits", 1, 0, time, time)
    tail, listener, taker, gone = Tail(info), Listener(), Taker(), Taker()
    tail.listeners[listener] = None
    tail.listen(taker)
    tail.listen(gone)
    tail.unlisten(gone)
    tail.unlisten(gone)
    tail.deliver([Stored(1, "s.a", b"", b"", b"0")])
    tail.end()
    assert (listener.told, taker.told, gone.told) == (["gone"], [1, "gone"], [])
