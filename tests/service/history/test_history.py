"""Readings of a gateway: how they are opened, refused and ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from bridge.history import history as history_module
from bridge.history.errors import NoHistoryError, UnansweredError
from bridge.history.history import History
from bridge.history.js_api import Batch
from bridge.history.reading import Reading
from bridge.history.stored import Stored
from bridge.history.times import Times
from bridge.wire.cursor import Cursor
from bridge.wire.wishes import After, All, Last, LastPerSubject, New, Wish
from tests.service.history.test_which_stream import limited
from tests.support.jetstream import (
    api,
    consumers_of,
    jetstream,
    make_stream,
    plain_client,
    until_stored,
)
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually, running

QUICK = Times(heartbeat=0.1, silence=0.4, gone=0.3, behind=0.1)


class Sink:
    """Notes what is replayed, and joins nothing."""

    def __init__(self) -> None:
        self.got: list[int] = []

    async def room(self) -> None:
        pass

    def replayed(self, messages: list[Stored]) -> None:
        self.got += [each.sequence for each in messages]

    def joined(self, messages: list[Stored], position: int) -> None:
        self.replayed(messages)

    def missed(self, after: int, until: int, reason: str) -> None:
        raise AssertionError(reason)


async def asks_again(*args: Any) -> dict[str, Any]:
    raise AssertionError("it was asked a moment ago")


@asynccontextmanager
async def history_at(server: NatsServer, **options: Any) -> AsyncIterator[tuple[Client, History]]:
    """Make a stream with ten messages on two subjects."""
    async with plain_client(server) as client, linked(server.url) as link:
        await make_stream(client, "S", ["s.>"])
        for number in range(10):
            await client.publish(f"s.{'ab'[number % 2]}", b"x")
        await until_stored(client, "S", 10)
        history = History(link, times=QUICK, **options)
        try:
            yield client, history
        finally:
            await history.close()


async def read(history: History, pattern: str, wish: Wish) -> tuple[Reading, list[int]]:
    sink = Sink()
    reading = await history.open([pattern], wish)
    await reading.replay(sink).run()
    return reading, sink.got


async def test_a_reading_has_what_was_asked_for(stream_server: NatsServer) -> None:
    async with history_at(stream_server) as (client, history):
        whole, got = await read(history, "s.a", All())
        assert got == [1, 3, 5, 7, 9]
        _, got = await read(history, "s.>", LastPerSubject())
        assert got == [9, 10]
        cursor = Cursor("S", whole.keeper.tail.epoch, 7)
        _, got = await read(history, "s.>", After((cursor,)))
        assert got == [8, 9, 10]
        _, got = await read(history, "s.>", New())
        assert got == []
        assert len(history.tails) == 1
        await eventually(lambda: not whole.keeper._ending)
        assert len(await consumers_of(client, "S")) == 1


async def test_what_takes_many_answers_may_take_longer_than_each_of_them(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever asks for much would begin anew for ever, and hold up everybody with that."""
    monkeypatch.setattr(history_module, "ANSWER_SECONDS", 0.5)
    async with history_at(stream_server) as (_, history):
        await history.open(["s.a"], New())
        get = history._pages.get

        async def slow(stream: str, query: dict[str, Any]) -> Batch:
            await asyncio.sleep(0.05)
            return await get(stream, query)

        monkeypatch.setattr(history._pages, "get", slow)
        patterns = ["s.>", *(f"s.none{number}" for number in range(30))]
        reading = await history.open(patterns, Last(3))
        assert reading.start.after["s.>"] == 7
        reading = await history.open(patterns, All())
        assert reading.start.messages == 10


async def test_a_tail_ends_a_while_after_its_last_reading(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with history_at(stream_server) as (client, history):
        history.tails._linger = 0.3
        one, _ = await read(history, "s.a", New())
        other, _ = await read(history, "s.b", New())
        one.end()
        one.end()
        other.end()
        again, _ = await read(history, "s.a", New())
        assert again.keeper is one.keeper
        assert history.tails._tails["S"].ends is None
        again.end()
        await eventually(lambda: not len(history.tails) and not history.tails._closing)
        assert await consumers_of(client, "S") == []


async def test_there_are_so_many_streams_at_most(stream_server: NatsServer) -> None:
    async with history_at(stream_server, max_streams=1) as (client, history):
        await make_stream(client, "T", ["t.>"])
        reading, _ = await read(history, "s.a", New())
        with pytest.raises(NoHistoryError, match="follows 1 streams already") as refused:
            await read(history, "t.a", New())
        assert refused.value.reason == "too_many_streams"
        reading.end()
        await api(client, "STREAM.DELETE.T")


async def test_a_stream_that_was_deleted_may_be_read_when_it_is_made_again(
    stream_server: NatsServer,
) -> None:
    async with history_at(stream_server) as (client, history):
        reading, _ = await read(history, "s.a", New())
        await api(client, "STREAM.DELETE.S")
        await eventually(lambda: reading.keeper.is_gone)
        await make_stream(client, "S", ["s.>"])
        await client.jetstream().publish("s.a", b"1")
        again, got = await read(history, "s.a", All())
        assert got == [1]
        assert again.keeper is not reading.keeper
        reading.end()
        assert len(history.tails) == 1


async def test_what_nats_does_not_let_the_gateway_subscribe_to_is_not_read(tmp_path: Path) -> None:
    config = limited(tmp_path, subscribe='["_INBOX.nats_bridge.>", "s.a"]')
    with running(NatsServer(tmp_path, config)) as server:
        async with history_at(server) as (_, history):
            _, got = await read(history, "s.a", All())
            assert got == [1, 3, 5, 7, 9]
            for pattern in ("s.b", "s.>", "s.*"):
                with pytest.raises(NoHistoryError, match="does not let") as refused:
                    await read(history, pattern, All())
                assert refused.value.reason == "not_permitted"


async def test_without_knowing_its_rights_it_reads_nothing(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, limited(tmp_path, "USER"))) as server:
        async with history_at(server) as (_, history):
            with pytest.raises(NoHistoryError, match=r"USER\.INFO") as refused:
                await read(history, "s.a", All())
            assert refused.value.reason == "not_permitted"
            assert len(history.tails) == 0
            history.js.request = asks_again  # type: ignore[method-assign]
            crowd = [read(history, "s.a", All()) for _ in range(100)]
            outcomes = await asyncio.gather(*crowd, return_exceptions=True)
            assert {str(each) for each in outcomes} == {str(refused.value)}


async def test_rights_are_asked_for_again_after_a_reconnect(tmp_path: Path) -> None:
    wide = limited(tmp_path, subscribe='["_INBOX.nats_bridge.>", "s.>"]')
    narrow = limited(tmp_path, subscribe='["_INBOX.nats_bridge.>", "s.a"]')
    with running(NatsServer(tmp_path, wide)) as server:
        async with history_at(server) as (_, history):
            await read(history, "s.b", All())
            server.reload(narrow)

            async def is_refused() -> bool:
                history.reconnected()
                try:
                    await read(history, "s.b", All())
                except (NoHistoryError, UnansweredError):
                    return True
                return False

            async with asyncio.timeout(20):
                while not await is_refused():
                    await asyncio.sleep(0.05)


async def test_jetstream_that_does_not_answer_is_said_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "ANSWER_SECONDS", 0.3)
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with history_at(server) as (_, history):
            await read(history, "s.a", New())
            server.freeze()
            history.reconnected()
            with pytest.raises(UnansweredError):
                await read(history, "s.b", New())
            server.thaw()
            server.stop()
            with pytest.raises(UnansweredError):
                await read(history, "s.b", New())


async def test_after_a_reconnect_everything_goes_on(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with history_at(server) as (client, history):
            reading, _ = await read(history, "s.a", New())
            server.stop()
            await asyncio.to_thread(server.start)
            await eventually(lambda: history.js.link.is_connected and client.is_connected)
            begun = reading.keeper.begun
            history.reconnected()
            await eventually(lambda: reading.keeper.begun > begun)
            await client.jetstream().publish("s.a", b"1")
            await eventually(lambda: reading.keeper.tail.position == 11)


async def test_replays_of_many_patterns_hold_no_more_than_one_of_few(
    stream_server: NatsServer,
) -> None:
    async with history_at(stream_server) as (client, history):
        for number in range(64):
            await client.publish(f"s.m{number % 8}", bytes(30_000))
        await until_stored(client, "S", 74)
        tail = (await history.open(["s.>"], All())).keeper.tail
        read = history._pages.read
        alone = await read(tail, "s.>", 0)
        among = await read(tail, "s.>", 0, 8)
        assert sum(len(each.payload) for each in alone.messages) > 400_000
        assert sum(len(each.payload) for each in among.messages) < 120_000
        assert among.messages == alone.messages[: len(among.messages)]
