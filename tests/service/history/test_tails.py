"""What becomes of a tail when its consumer, its stream or the server goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from bridge.history.errors import TOO_MANY_CONSUMERS, ApiError, NoJetStreamError
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from tests.service.history.publishing import publishing
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import (
    api,
    consumers_of,
    entries_of,
    jetstream,
    last_of,
    make_stream,
    plain_client,
)
from tests.support.linked import linked
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer, eventually, running

QUICK = Times(heartbeat=0.1, silence=0.4, gone=0.3, behind=0.1)


@asynccontextmanager
async def keeper_of(js: JetStream, stream: str = "S", **options: Any) -> AsyncIterator[Keeper]:
    keeper = Keeper(js, Tail(await ask_info(js, stream, 5), **options), times=QUICK)
    try:
        yield keeper
    finally:
        await keeper.close()


@asynccontextmanager
async def followed(
    server: NatsServer, **options: Any
) -> AsyncIterator[tuple[Client, Keeper, Follower]]:
    """Make a stream with ten messages, and follow all of it from its start."""
    async with plain_client(server) as client, linked(server.url) as link:
        await make_stream(client, "S", ["s.>"])
        await publish(client, 10)
        js = JetStream(link)
        async with keeper_of(js, **options) as keeper:
            follower = Follower(keeper, Pages(js), {"s.>": 0})
            await follower.join()
            yield client, keeper, follower
            await eventually(lambda: len(follower.got) >= 10)
        js.close()
        await api(client, "STREAM.DELETE.S")


async def publish(client: Client, count: int) -> None:
    for number in range(count):
        await client.jetstream().publish("s.a", b"%d" % number)


async def complete(client: Client, keeper: Keeper, follower: Follower) -> None:
    """Wait until all has come; compare it with the stream."""
    last = await last_of(client, "S")
    await eventually(lambda: keeper.tail.position >= last)
    assert follower.faults(await entries_of(client, "S")) == NO_FAULTS


async def test_a_consumer_that_is_deleted_is_missed_by_nobody(stream_server: NatsServer) -> None:
    async with followed(stream_server) as (client, keeper, follower):
        for _ in range(5):
            begun = keeper.begun
            (name,) = await consumers_of(client, "S")
            await api(client, f"CONSUMER.DELETE.S.{name}")
            await publish(client, 10)
            await eventually(lambda begun=begun: keeper.begun > begun)
        await complete(client, keeper, follower)
        assert len(await consumers_of(client, "S")) == 1


async def test_a_subject_that_is_no_text_holds_up_nothing(stream_server: NatsServer) -> None:
    """A server stores it under any bytes, and would bring it again for ever."""
    async with followed(stream_server) as (client, keeper, follower):
        with RawNats(stream_server.port) as raw:
            raw.publish(b"s.\xff", b"nobody can read it")
        await publish(client, 10)
        await eventually(lambda: len(follower.got) >= 20)
        assert [each.sequence for each in follower.got] == [*range(1, 11), *range(12, 22)]
        assert keeper.begun == 1


async def test_a_tail_leaves_no_consumer_behind(stream_server: NatsServer) -> None:
    async with followed(stream_server) as (client, keeper, follower):
        assert len(await consumers_of(client, "S")) == 1
        for _ in range(5):
            begun = keeper.begun
            keeper.renew()
            await eventually(lambda begun=begun: keeper.begun > begun)
        follower.leave()
        keeper.renew()
        await eventually(lambda: keeper._consumer is None and not keeper._ending)
        assert await consumers_of(client, "S") == []
        await follower.join()
        await eventually(lambda: not keeper._ending)
        assert len(await consumers_of(client, "S")) == 1
        await keeper.close()
        assert await consumers_of(client, "S") == []


async def test_all_messages_come_once_through_restarts_of_the_server(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with followed(server) as (client, keeper, follower):
            for _ in range(3):
                async with publishing(client, 500):
                    await asyncio.sleep(0.2)
                begun = keeper.begun
                server.stop()
                await asyncio.to_thread(server.start)
                await eventually(lambda: client.is_connected)
                await publish(client, 10)
                await eventually(lambda begun=begun: keeper.begun > begun)
            await complete(client, keeper, follower)


async def test_a_stream_that_is_deleted_is_gone(stream_server: NatsServer) -> None:
    async with followed(stream_server) as (client, keeper, follower):
        await api(client, "STREAM.DELETE.S")
        await eventually(lambda: "gone" in follower.told)
        assert keeper.is_gone


async def test_a_stream_that_is_made_again_is_followed_from_its_start(
    stream_server: NatsServer,
) -> None:
    async with followed(stream_server) as (client, keeper, follower):
        await api(client, "STREAM.DELETE.S")
        await make_stream(client, "S", ["s.>"])
        epoch = keeper.tail.epoch
        await publish(client, 3)
        await eventually(lambda: len(follower.got) == 13)
        assert [each.sequence for each in follower.got[10:]] == [1, 2, 3]
        assert follower.told == [(10, 0, "stream_new")]
        assert keeper.tail.epoch != epoch


async def test_what_was_lost_by_the_server_is_told(tmp_path: Path) -> None:
    """A stream in memory is empty after a restart; it is the same one in a restored snapshot."""
    async with tail_with_position(tmp_path, position=25) as (client, keeper, follower):
        keeper.renew()
        await eventually(lambda: follower.told)
        await publish(client, 2)
        await eventually(lambda: len(follower.got) == 12)
        assert follower.told == [(25, 10, "ahead")]
        assert [each.sequence for each in follower.got[10:]] == [11, 12]


@asynccontextmanager
async def tail_with_position(
    folder: Path, position: int
) -> AsyncIterator[tuple[Client, Keeper, Follower]]:
    """Follow a stream that had more when its messages came than it has now."""
    with running(NatsServer(folder, jetstream(folder))) as server:
        async with followed(server) as (client, keeper, follower):
            keeper.tail.position = position
            yield client, keeper, follower


async def test_what_expires_while_nats_is_away_is_told(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with followed(server) as (client, keeper, follower):
            await publish(client, 5)
            await eventually(lambda: keeper.tail.position == 15)
            keeper._task.cancel()  # type: ignore[union-attr]  it is away
            await asyncio.wait({keeper._task})  # type: ignore[arg-type]
            keeper.broken(keeper._consumer)  # type: ignore[arg-type]
            await publish(client, 10)
            await api(client, "STREAM.PURGE.S", {"seq": 21})
            keeper._task = asyncio.create_task(keeper._keep())
            await eventually(lambda: len(follower.got) == 20)
            assert follower.told == [(15, 20, "expired")]
            assert [each.sequence for each in follower.got[15:]] == [21, 22, 23, 24, 25]


async def test_more_than_a_replay_may_have_is_left_to_replays(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with followed(server, max_replay=20) as (client, keeper, follower):
            keeper._task.cancel()  # type: ignore[union-attr]  it is away
            await asyncio.wait({keeper._task})  # type: ignore[arg-type]
            keeper.broken(keeper._consumer)  # type: ignore[arg-type]
            await publish(client, 30)
            keeper._task = asyncio.create_task(keeper._keep())
            await eventually(lambda: follower.told)
            await publish(client, 1)
            await eventually(lambda: len(follower.got) == 11)
            assert follower.told == [(10, 40, "skipped")]
            assert follower.got[-1].sequence == 41


async def test_a_stream_that_takes_no_more_consumers_says_so(stream_server: NatsServer) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "F", ["f.>"], max_consumers=1)
        config = {"name": "theirs", "ack_policy": "none", "mem_storage": True}
        body = {"stream_name": "F", "config": config}
        await api(client, "CONSUMER.CREATE.F.theirs", body)
        js = JetStream(link)
        async with keeper_of(js, "F") as keeper:
            with pytest.raises(ApiError) as refused:
                await keeper.include(["f.>"])
            assert refused.value.number == TOO_MANY_CONSUMERS
            await api(client, "CONSUMER.DELETE.F.theirs")
            await keeper.include(["f.a"])
        await api(client, "STREAM.DELETE.F")


async def test_without_jetstream_it_is_said_at_once(nats_server: NatsServer) -> None:
    async with linked(nats_server.url) as link:
        with pytest.raises(NoJetStreamError):
            await ask_info(JetStream(link), "S", 60)
