"""Pending frames, slow consumers, and the end of a connection, on a transport made for it."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal
from bridge.connections.callback import Callback
from bridge.connections.connection import Connection
from bridge.connections.endings import ENDINGS
from bridge.connections.limits import Limits
from bridge.connections.outbox import Outbox
from bridge.connections.stall_watch import StallWatch
from bridge.telemetry.counters import Counters
from bridge.wire.codes import CloseCode
from bridge.wire.envelope import Message
from bridge.wire.framing import BATCH, FRAMES, Framing


class Socket:
    """A transport that takes `room` bytes and holds the rest."""

    def __init__(self) -> None:
        self.room = 10**9
        self.writes: list[bytes] = []
        self.unsent = 0
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self.unsent += len(data)
        self.take(0)

    def take(self, more: int) -> None:
        self.room += more
        taken = min(self.room, self.unsent)
        self.room -= taken
        self.unsent -= taken

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, name: str) -> None:
        return None

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    @property
    def text(self) -> bytes:
        return b"".join(self.writes)


class Fixture:
    def __init__(self, *, framing: Framing = FRAMES) -> None:
        self.socket = Socket()
        request = SimpleNamespace(transport=self.socket)
        self.ws: Any = SimpleNamespace(_req=request, closed=False, close_code=None)
        self.ws.exception = lambda: None
        self.counters = Counters()
        limits = Limits(max_pending_bytes=1000)
        self.watch = StallWatch(5)
        self.connection = Connection(
            self.ws,
            "id",
            limits,
            Login(Principal(SubjectPolicy())),
            self.counters,
            self.watch,
            framing=framing,
        )

    @property
    def dropped(self) -> int:
        return sum(self.counters.dropped.values())


class Clock:
    """The event loop's time, which passes only when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def advance(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            await turn()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


MESSAGE = Message("a", b'"' + b"x" * 75 + b'"')


async def turn() -> None:
    """Let everything run that is ready."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_everything_pending_is_one_write_a_turn() -> None:
    fixture = Fixture()
    for _ in range(5):
        fixture.connection.send(MESSAGE)
    fixture.connection.respond(b"{}")
    assert fixture.socket.writes == []
    await turn()
    assert fixture.socket.writes == [FRAMES.piece(MESSAGE) * 5 + b"\x81\x02{}"]
    assert fixture.counters.delivered == fixture.connection.delivered == 5
    assert not fixture.connection.pending_bytes


async def test_batch_shares_a_frame() -> None:
    fixture = Fixture(framing=BATCH)
    fixture.connection.send(MESSAGE)
    await fixture.connection.send_str("two")
    await turn()
    assert fixture.socket.text.endswith(BATCH.piece(MESSAGE) + b"\ntwo")


async def test_over_the_limit_messages_are_dropped_and_told_before_the_next_one() -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    for _ in range(5):
        fixture.connection.send(MESSAGE)
    await turn()
    for _ in range(8):
        fixture.connection.send(MESSAGE)
    await turn()
    assert len(fixture.socket.text) == 9 * 102
    assert fixture.dropped == fixture.connection.dropped == 4
    fixture.socket.take(102 * 3)
    fixture.connection.send(MESSAGE)
    await turn()
    assert fixture.dropped == 5, "half of the limit has to be free again"
    fixture.socket.take(102 * 3)
    fixture.connection.send(MESSAGE)
    await turn()
    assert fixture.socket.text.endswith(b'{"dropped":5}' + FRAMES.piece(MESSAGE))
    assert fixture.counters.delivered == 10
    assert fixture.counters.slow_episodes == 1
    fixture.socket.room = 0
    for _ in range(8):
        fixture.connection.send(MESSAGE)
        await turn()
    assert fixture.counters.slow_episodes == 2


async def test_a_message_larger_than_the_limit_passes_when_nothing_is_pending() -> None:
    fixture = Fixture()
    fixture.connection.send(Message("a", b"x" * 5000))
    await turn()
    assert fixture.counters.delivered == 1


async def test_of_messages_larger_than_the_limit_one_is_held_at_a_time() -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    large = Message("a", b"x" * 5000)
    for _ in range(3):
        fixture.connection.send(large)
        await turn()
    assert fixture.connection.pending_bytes < 2 * 5000
    assert fixture.dropped == 2
    fixture.socket.take(10**6)
    fixture.connection.send(large)
    await turn()
    assert fixture.counters.delivered == 2
    assert b'{"dropped":2}' in fixture.socket.text
    assert fixture.dropped == 2


async def test_a_browser_with_room_for_all_of_it_loses_nothing_of_more_than_the_limit() -> None:
    fixture = Fixture()
    pieces = [FRAMES.piece(MESSAGE)] * 100
    fixture.connection.deliver(pieces, b"".join(pieces))
    await turn()
    assert fixture.counters.delivered == 100
    assert fixture.dropped == 0


async def test_responses_are_never_dropped() -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    for _ in range(30):
        fixture.connection.send(MESSAGE)
    fixture.connection.respond(b'{"success":true}')
    await turn()
    assert fixture.socket.text.endswith(b'{"success":true}')


async def test_what_was_dropped_is_told_even_if_no_message_follows(clock: Clock) -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    for _ in range(12):
        fixture.connection.send(MESSAGE)
    await turn()
    fixture.socket.take(10**6)
    await clock.advance(0.6)
    assert fixture.socket.text.endswith(b'{"dropped":3}')


async def test_a_connection_that_takes_nothing_is_cut(clock: Clock) -> None:
    fixture = Fixture()
    fixture.socket.room = 10
    fixture.connection.send(MESSAGE)
    await turn()
    await clock.advance(4.9)
    assert not fixture.socket.aborted
    await clock.advance(0.6)
    assert fixture.socket.aborted
    assert fixture.connection.close_code == 4008


async def test_a_connection_that_takes_a_little_is_not_cut(clock: Clock) -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    for _ in range(9):
        fixture.connection.send(MESSAGE)
    await turn()
    for _ in range(20):
        fixture.socket.take(1)
        await clock.advance(4)
    assert not fixture.socket.aborted


async def test_answers_to_pings_are_no_sign_of_reading(clock: Clock) -> None:
    fixture = Fixture()
    fixture.socket.room = 0
    fixture.connection.send(MESSAGE)
    await turn()
    for _ in range(3):
        fixture.socket.unsent += 6  # aiohttp writes a PONG past our count
        await clock.advance(2)
    assert fixture.socket.aborted


async def test_an_idle_connection_is_not_cut(clock: Clock) -> None:
    fixture = Fixture()
    fixture.connection.send(MESSAGE)
    await clock.advance(60)
    assert not fixture.socket.aborted


async def test_nothing_follows_a_close_frame_and_what_was_pending_counts_as_dropped() -> None:
    fixture = Fixture()
    fixture.connection.send(MESSAGE)
    fixture.ws.closed = True
    await turn()
    assert fixture.socket.writes == []
    assert fixture.dropped == 1
    fixture.connection.release()
    fixture.connection.release()


async def test_a_browser_that_left_before_the_listener_is_an_error_with_a_name() -> None:
    ws: Any = SimpleNamespace(_req=None)
    login = Login(Principal(SubjectPolicy()))
    with pytest.raises(ConnectionResetError):
        Connection(ws, "id", Limits(), login, Counters(), StallWatch(1))


async def test_drops_at_the_end_make_it_no_slow_consumer(caplog: pytest.LogCaptureFixture) -> None:
    fixture = Fixture()
    fixture.ws.closed = True
    fixture.connection.miss(1)
    fixture.connection.release()
    counters = fixture.counters
    assert (counters.dropped["closed"], counters.slow_episodes, caplog.records) == (1, 0, [])


async def test_a_message_dropped_after_others_costs_no_look_at_clock_or_socket(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = Fixture()
    assert fixture.connection.outbox.slow._episode is None, (
        "nothing is kept for a connection that keeps up"
    )
    fixture.connection.miss(1)
    looks = 0

    def look(*_: object) -> float:
        nonlocal looks
        looks += 1
        return clock.now

    monkeypatch.setattr(asyncio.get_running_loop(), "time", look)
    monkeypatch.setattr(Outbox, "open", property(look))
    monkeypatch.setattr(StallWatch, "add", look)
    for _ in range(100):
        fixture.connection.miss(1)
    assert (looks, fixture.connection.dropped) == (0, 101)
    assert fixture.counters.slow_episodes == 1
    monkeypatch.undo()
    fixture.connection.release()


async def test_messages_for_a_callback_are_accounted_for_at_any_time() -> None:
    fixture, never = Fixture(), asyncio.Event()
    connection, counters = fixture.connection, fixture.counters

    async def callback(subscriber: Any, msg: Any) -> None:
        await never.wait()

    connection.callback = Callback(callback, connection, 10_000)
    for _ in range(5):
        connection.callback(MESSAGE)
    assert connection.pending_messages == 5
    await turn()
    assert (connection.pending_messages, fixture.dropped) == (5, 0)
    fixture.ws.closed = True
    connection.release()
    assert (connection.pending_messages, counters.dropped["closed"]) == (0, 5)
    assert fixture.dropped == connection.dropped == 5
    await turn()


async def test_a_callback_that_fails_makes_no_slow_consumer_but_is_told(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    fixture = Fixture()
    connection, counters = fixture.connection, fixture.counters

    def callback(subscriber: Any, msg: Any) -> None:
        raise ValueError("planted")

    connection.callback = Callback(callback, connection, 10_000)
    for _ in range(3):
        connection.callback(MESSAGE)
    assert (counters.dropped["callback"], fixture.dropped, counters.slow_episodes) == (3, 3, 0)
    assert [each.event for each in caplog.records] == ["callback_failed"]  # type: ignore[attr-defined]
    await clock.advance(0.6)
    assert fixture.socket.text.endswith(b'{"dropped":3}')


async def test_a_browser_that_closes_first_does_not_choose_what_it_is_counted_as() -> None:
    fixture = Fixture()

    async def close(**_: object) -> None:
        pass

    fixture.ws.close = close
    fixture.ws.close_code = 4008
    await fixture.connection.close(1012, "the service stops")
    assert (fixture.connection.ending, fixture.connection.close_code) == ("left", 4008)


@pytest.mark.parametrize("theirs", [None, 0, 1000, 1001, 1005, 1006, 1012, 4008])
async def test_the_end_of_a_connection_is_counted_under_a_name_of_ours(theirs: int | None) -> None:
    fixture = Fixture()
    fixture.ws.close_code = theirs
    assert fixture.connection.ending == ("lost" if theirs in (None, 1006) else "left")
    fixture.ws.our_code = 1009
    assert fixture.connection.ending == "too_large"
    fixture.ws.our_code = 1002
    assert fixture.connection.ending == "protocol"
    fixture.ws.our_code = 1007
    assert fixture.connection.ending == "other"


def test_every_close_code_of_ours_has_a_name_in_the_figures() -> None:
    assert set(ENDINGS) == set(CloseCode)
    assert set(ENDINGS.values()) | {"left", "lost", "other"} == set(Counters().closed)


async def test_an_idle_connection_is_made_of_few_small_objects() -> None:
    fixture = Fixture()
    connection = fixture.connection
    shared = {Counters, Framing, Limits, Principal, StallWatch, SubjectPolicy}
    assert connection.limiter.allows_request(connection.since)  # it follows something
    fixture.connection.respond(b"{}")
    await turn()
    found: set[Any] = set()
    waiting: list[Any] = [connection]
    while waiting:
        thing = waiting.pop()
        is_ours = type(thing).__module__.startswith("bridge.") and type(thing) not in shared
        if is_ours and thing not in found:
            found.add(thing)
            waiting += gc.get_referents(thing)
    kinds = sorted(type(thing).__name__ for thing in found)
    names = "Connection Login Outbox Outlet RequestLimiter SlowConsumer Socket TokenBucket"
    assert kinds == names.split()
    assert not [thing for thing in found if hasattr(thing, "__dict__")]
    assert sum(map(sys.getsizeof, found)) < 1000


async def test_a_connection_that_has_ended_is_in_no_circle_of_references() -> None:
    fixture = Fixture()
    fixture.connection.send(MESSAGE)
    await turn()
    fixture.connection.miss(1)
    gone = weakref.ref(fixture.connection), weakref.ref(fixture.connection.outbox)
    gc.disable()
    try:
        fixture.connection.release()
        fixture.watch._watched.clear()
        del fixture.connection
        assert [each() for each in gone] == [None, None]
    finally:
        gc.enable()
