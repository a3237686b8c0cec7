"""A new leader may have less than was delivered, for a moment."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.history import keeper as keeper_module
from bridge.history.errors import NO_STREAM, ApiError, HistoryError, UnansweredError
from bridge.history.keeper import Keeper
from bridge.history.streams import StreamInfo, read_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from bridge.telemetry.counters import Counters
from bridge.telemetry.throttled_log import ThrottledLog


def answer(last: int) -> dict[str, Any]:
    time = "2026-03-01T12:00:00Z"
    config = {"name": "S", "subjects": ["s.>"]}
    state = {"first_seq": 1, "last_seq": last, "last_ts": time}
    return {"config": config, "created": time, "ts": time, "state": state}


def info(last: int) -> StreamInfo:
    return read_info(answer(last))


class Leader:
    """Answers STREAM.INFO with each of `lasts`, and with the last one for ever."""

    may_say = True

    def __init__(self, *lasts: int) -> None:
        self.asked = 0
        self.error: HistoryError | None = None
        self._lasts = lasts
        self.link = SimpleNamespace(is_connected=True)
        self.throttled = ThrottledLog()

    async def ask(self, what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        if not what.startswith("STREAM.INFO"):
            raise UnansweredError(what)
        self.asked += 1
        if self.error is not None:
            raise self.error
        return answer(self._lasts[min(self.asked, len(self._lasts)) - 1])


class Listener:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def take(self, messages: Any) -> None:
        raise AssertionError

    def missed(self, after: int, until: int, reason: str) -> None:
        self.told.append((after, until, reason))

    def skipped(self, after: int, until: int) -> None:
        raise AssertionError

    def gone(self) -> None:
        raise AssertionError


async def kept(leader: Any, behind: float, looks: int) -> list[Any]:
    """Keep a tail at position 10 until the leader was asked so often; return what was told."""
    tail, listener = Tail(info(10)), Listener()
    tail.listeners[listener] = None
    keeper = Keeper(leader, tail, times=Times(behind=behind))
    leader.link.subscribe_all = refuses
    leader.link.unsubscribe = lambda sid: None
    including = asyncio.create_task(keeper.include(["s.>"]))
    async with asyncio.timeout(10):
        while leader.asked < looks:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    including.cancel()
    await keeper.close()
    return listener.told


async def refuses(taps: Any) -> list[int]:
    raise ConnectionResetError


async def test_one_that_catches_up_costs_nobody_anything() -> None:
    assert await kept(Leader(5, 5, 10), behind=60, looks=4) == []


async def test_one_that_stays_behind_has_lost_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    assert await kept(Leader(5), behind=0.05, looks=4) == [(10, 5, "ahead")]
    (record,) = caplog.records
    assert "it was restored from before, or has lost them" in record.getMessage()


def test_what_is_delivered_while_the_leader_answers_is_not_ahead() -> None:
    tail = Tail(info(10))
    tail.position = 12
    assert not tail.is_ahead_of(info(10), position=10)
    tail.compare(info(10), position=10)
    assert tail.position == 12


class Server:
    """Makes consumers when it is told to; `filters` are those of each that was asked for."""

    may_say = True

    def __init__(self) -> None:
        self.counters, self.throttled = Counters(), ThrottledLog()
        self.link = SimpleNamespace(subscribe_all=accepts, unsubscribe=lambda sid: None)
        self.filters: list[set[str]] = []
        self.may_make = asyncio.Event()

    async def ask(self, what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        if what.startswith("CONSUMER.CREATE"):
            self.filters.append(set(body["config"]["filter_subjects"]))
            await self.may_make.wait()
        return answer(10)


async def accepts(taps: Any) -> list[int]:
    return [1]


async def test_a_pattern_that_comes_back_while_its_end_is_made_is_brought_again() -> None:
    """The consumer that is there still brings it, and the one that is being made does not."""
    server: Any = Server()
    keeper = Keeper(server, Tail(info(10)), times=Times(silence=0.2))
    server.may_make.set()
    await keeper.include(["s.a", "s.b"])
    server.may_make.clear()
    keeper.exclude(["s.b"])
    async with asyncio.timeout(10):
        while len(server.filters) < 2:
            await asyncio.sleep(0.01)
    including = asyncio.create_task(keeper.include(["s.b"]))
    await asyncio.sleep(0.05)
    assert not including.done()
    server.may_make.set()
    await including
    assert server.filters == [{"s.a", "s.b"}, {"s.a"}, {"s.a", "s.b"}]
    assert keeper.tail.filters.has("s.b")
    await keeper.close()


async def test_who_comes_and_goes_costs_no_consumer_and_no_look_at_all_that_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server: Any = Server()
    server.may_make.set()
    keeper = Keeper(server, Tail(info(10)))
    patterns = [f"s.{number}" for number in range(30)]
    await keeper.include(patterns)
    looks: list[None] = []
    monkeypatch.setattr(keeper.tail.filters, "wanted", lambda: looks.append(None))
    for each in patterns[:-1]:
        keeper.exclude([each])
        await asyncio.sleep(0)
    await asyncio.sleep(3 * keeper_module.TOGETHER_SECONDS)
    await keeper.include(patterns[:-1])
    assert (len(server.filters), looks) == (1, [])
    await keeper.close()


async def test_a_stream_that_stays_away_is_logged_as_deleted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    leader: Any = Leader(10)
    leader.error = ApiError(NO_STREAM, "stream not found")
    keeper = Keeper(leader, Tail(info(10)), times=Times(gone=0.05))
    including = asyncio.create_task(keeper.include(["s.>"]))
    async with asyncio.timeout(10):
        while not keeper.is_gone:
            await asyncio.sleep(0.01)
    with pytest.raises(ApiError):
        await including
    await keeper.close()
    assert [each.getMessage() for each in caplog.records] == [
        "S was deleted: nobody follows it any more"
    ]


async def test_a_tail_that_cannot_be_had_is_logged_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeper_module, "MIN_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(keeper_module, "MAX_WAIT_SECONDS", 0.01)
    leader: Any = Leader(10)
    leader.error = UnansweredError("JetStream is silent")
    keeper = Keeper(leader, Tail(info(10)))
    including = asyncio.create_task(keeper.include(["s.>"]))
    async with asyncio.timeout(10):
        while leader.asked < 20:
            await asyncio.sleep(0.01)
    including.cancel()
    await keeper.close()
    (record,) = caplog.records
    assert "JetStream is silent; trying on" in record.getMessage()


async def test_what_nobody_has_foreseen_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server: Any = Server()
    server.may_make.set()
    failures = [ValueError("of nobody's making")] * 2
    ask = server.ask

    async def failing(what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        if failures:
            raise failures.pop()
        answer: dict[str, Any] = await ask(what, body, seconds)
        return answer

    server.ask = failing
    keeper = Keeper(server, Tail(info(10)))
    async with asyncio.timeout(10):
        await keeper.include(["s.a"])
    await keeper.close()
    (record,) = caplog.records
    assert record.getMessage() == "a background task failed"
    assert record.exc_info is not None
