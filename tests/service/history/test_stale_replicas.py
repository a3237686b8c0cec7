"""A replica that was frozen answers from what it had then. Nobody misses the rest."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from bridge.history import pages as reads
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.ring import Ring
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from tests.service.history.publishing import publishing
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import api, entries_of, last_of, make_stream, plain_client
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually

FROZEN_SECONDS = 0.6
"""So many messages that the replica cannot catch up before it answers."""
MAX_TRIES = 40
STALE_ANSWERS = 3


@pytest.mark.timing
async def test_a_replica_that_was_frozen_loses_nobody_a_message(
    three_servers: list[NatsServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "MAX_STRETCH", 0)  # each reads alone, and meets the stale one
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(plain_client(each)) for each in three_servers]
        await make_stream(clients[0], "S", ["s.>"], num_replicas=3)
        info = await api(clients[0], "STREAM.INFO.S")
        leader = int(info["cluster"]["leader"][1:])
        stale, other = (leader + 1) % 3, (leader + 2) % 3
        reading = JetStream(await stack.enter_async_context(linked(three_servers[stale].url)))
        js = JetStream(await stack.enter_async_context(linked(three_servers[other].url)))
        pages, followers = Pages(reading), list[Follower]()
        begin = await ask_info(js, "S", 5)
        tail = Tail(begin, ring=Ring(begin.last, 50))
        keeper = Keeper(js, tail)
        await keeper.include(["s.>"])
        await away_from(f"s{stale}", keeper, clients[other])
        async with publishing(clients[leader], 2000, payload=b"x" * 200):
            while reading.counters.history_stale < STALE_ANSWERS and len(followers) < MAX_TRIES:
                three_servers[stale].freeze()
                await asyncio.sleep(FROZEN_SECONDS)
                three_servers[stale].thaw()
                start = max(0, tail.position - 1000)
                followers.append(Follower(keeper, pages, {"s.1.x": start}))
                await followers[-1].join()
        last = await last_of(clients[leader], "S")
        await eventually(lambda: tail.position >= last)
        truth = await entries_of(clients[leader], "S")
        assert [each.faults(truth) for each in followers] == [NO_FAULTS] * len(followers)
        assert reading.counters.history_stale >= STALE_ANSWERS, (
            "no replica was stale: nothing is proved"
        )
        await keeper.close()
        await api(clients[0], "STREAM.DELETE.S")


async def away_from(server: str, keeper: Keeper, client: object) -> None:
    """Have the consumer of a tail on another server than this one."""
    for _ in range(50):
        assert keeper._consumer is not None
        info = await api(client, f"CONSUMER.INFO.S.{keeper._consumer.name}")  # type: ignore[arg-type]
        if info["cluster"]["leader"] != server:
            return
        begun = keeper.begun
        keeper.renew()
        await eventually(lambda begun=begun: keeper.begun > begun)
    raise AssertionError("the consumer is always on that server")
