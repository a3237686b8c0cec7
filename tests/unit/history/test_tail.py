"""Who is told what of a tail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bridge.history.runs import Run
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
    def take(self, run: Run) -> None:
        self.told += [message.sequence for message in run.messages]


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
    tail.deliver(Run.of([Stored(1, "s.a", b"", b"", b"0")]))
    tail.end()
    assert (listener.told, taker.told, gone.told) == (["gone"], [1, "gone"], [])


def test_of_a_consumer_that_takes_over_only_what_is_new_is_handed_on() -> None:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    tail, taker = Tail(StreamInfo("S", "e", ("s.>",), "limits", 1, 0, time, time)), Taker()
    tail.listen(taker)
    for sequences in ([1, 3], [1, 3], [1, 3, 4, 7], [4, 8]):
        tail.deliver(Run.of([Stored(each, "s.a", b"", b"", b"0") for each in sequences]))
    assert taker.told == [1, 3, 4, 7, 8]
    assert (tail.position, len(tail.ring)) == (8, 5)
