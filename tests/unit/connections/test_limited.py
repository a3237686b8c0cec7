"""An outbox that takes a number of messages and no more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.connections.limited import LimitedOutbox
from bridge.connections.limits import Limits
from bridge.connections.stall_watch import StallWatch
from bridge.outlet import Outlet
from bridge.telemetry.counters import Counters
from bridge.wire.framing import JSON_LINES_UNCHUNKED
from tests.unit.connections.test_connection import Socket, turn


class Fixture:
    """An outbox for `limit` messages; `enough` is how often it said that it has them."""

    def __init__(self, limit: int, max_pending_bytes: int = 1000) -> None:
        self.transport = Socket()
        self.counters = Counters()
        self.enough = 0
        socket: Any = SimpleNamespace(
            ws=SimpleNamespace(closed=False),
            transport=self.transport,
            open=True,
            size_of_unsent=self.transport.get_write_buffer_size,
            outlet=Outlet(),
            acknowledged=lambda: None,
            show_life=lambda: None,
        )
        self.outbox = LimitedOutbox(
            "id",
            socket,
            Limits(max_pending_bytes=max_pending_bytes),
            self.counters,
            StallWatch(5),
            lambda _: None,
            JSON_LINES_UNCHUNKED,
            limit=limit,
            enough=self._has_enough,
        )

    def _has_enough(self) -> None:
        self.enough += 1

    def deliver(self, *pieces: bytes) -> None:
        self.outbox.deliver(list(pieces), b"".join(pieces))

    @property
    def fates(self) -> tuple[int, int, int]:
        """How many messages were delivered, filtered and dropped."""
        dropped = sum(self.counters.dropped.values())
        return self.counters.delivered, self.counters.filtered, dropped


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_what_is_over_the_limit_is_filtered(limit: int) -> None:
    fixture = Fixture(limit)
    fixture.deliver(b"1", b"2", b"3")
    fixture.deliver(b"4", b"5")
    fixture.deliver(b"6")
    assert fixture.transport.text == b"123456"[:limit]
    assert fixture.fates == (limit, 6 - limit, 0)
    assert fixture.enough == 1


async def test_messages_one_by_one_count_too_and_notices_do_not() -> None:
    fixture = Fixture(3)
    fixture.outbox.append_line(b"{}")
    for piece in (b"1", b"2"):
        fixture.outbox.append_message(piece)
    fixture.deliver(b"3", b"4")
    fixture.outbox.append_message(b"5")
    await turn()
    assert fixture.transport.text == b"{}\n123"
    assert (fixture.fates, fixture.enough) == ((3, 2, 0), 1)


async def test_what_was_dropped_does_not_count() -> None:
    fixture = Fixture(3, max_pending_bytes=10)
    fixture.transport.room = 0
    fixture.deliver(b"1" * 8, b"2" * 8, b"3" * 8)
    assert fixture.fates == (1, 0, 2)
    assert not fixture.enough
    fixture.transport.take(1000)
    fixture.deliver(b"4", b"5", b"6")
    await turn()
    assert fixture.transport.text == b"1" * 8 + b'{"dropped":2}\n45'
    assert fixture.fates == (3, 1, 2)
    assert fixture.enough


async def test_no_line_says_that_filtered_messages_came() -> None:
    fixture = Fixture(2)
    fixture.outbox.append_line(b"1", b"CURSOR")
    fixture.deliver(b"a", b"b", b"c")
    fixture.outbox.append_line(b"2", b"CURSOR")
    fixture.outbox.append_line(b"3")
    await turn()
    assert fixture.transport.text == b"1\nab3\n"


async def test_it_takes_no_messages_once_it_is_done() -> None:
    fixture, done = Fixture(10), False
    fixture.deliver(b"a")
    fixture.outbox.finish_when(lambda: done)
    fixture.outbox.append_line(b"1")
    fixture.deliver(b"b")
    fixture.outbox.append_message(b"c")
    done = True
    assert fixture.enough == 0
    fixture.outbox.append_line(b"2")
    assert fixture.enough == 1
    fixture.deliver(b"d", b"e")
    fixture.outbox.append_message(b"f")
    await turn()
    assert fixture.transport.text == b"a1\nbc2\n"
    assert fixture.fates == (3, 3, 0)
