"""Many come at once, as after a rollout: what they need is read once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.client import Client

from bridge.history import blocks, pulls, turns
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import (
    api,
    consumers_of,
    entries_of,
    make_stream,
    plain_client,
    until_stored,
)
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually

CROWD = 1000
SUBJECTS = 200
STORED = 5000
MOST_REQUESTS = 20


async def store(client: Client, **config: object) -> None:
    await make_stream(client, "S", ["s.>"], **config)
    for number in range(STORED):
        await client.publish(f"s.{number % SUBJECTS}", b"%d" % (number % 7))
    await until_stored(client, "S", STORED)


@pytest.mark.parametrize("direct", [True, False])
async def test_a_crowd_beyond_the_ring_takes_a_few_reads(
    stream_server: NatsServer, direct: bool
) -> None:
    random.seed(3)
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await store(client, allow_direct=direct)
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)), times=Times(heartbeat=0.1))
        pages = Pages(js)
        await keeper.include(["s.>"])
        crowd = [
            Follower(keeper, pages, {f"s.{n % SUBJECTS}": random.randrange(2000, STORED)})
            for n in range(CROWD)
        ]
        await asyncio.gather(*(each.join() for each in crowd))
        requests = sum(link.counters.history_reads.values())
        assert requests <= MOST_REQUESTS
        truth = await entries_of(client, "S")
        for each in crowd:
            assert each.faults(truth) == NO_FAULTS
        assert len(await consumers_of(client, "S")) == 1
        await keeper.close()
        await api(client, "STREAM.DELETE.S")


async def test_a_thousand_with_a_subject_each_need_one_consumer(
    stream_server: NatsServer,
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await store(client)
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)), times=Times(heartbeat=0.1))
        pages = Pages(js)
        most, joining = 0, []
        for number in range(CROWD):
            follower = Follower(keeper, pages, {f"s.{number}": STORED})
            joining.append(asyncio.create_task(follower.join()))
            if number % 100 == 0:
                await asyncio.sleep(0.03)
                most = max(most, len(await consumers_of(client, "S")))
        await asyncio.gather(*joining)
        assert most <= 2
        await eventually(lambda: not keeper._ending)
        assert len(await consumers_of(client, "S")) == 1
        assert keeper.begun < 30
        await keeper.close()
        await api(client, "STREAM.DELETE.S")


@asynccontextmanager
async def read_by_many(server: NatsServer) -> AsyncIterator[tuple[Client, Keeper, Pages]]:
    """Store messages, and have a tail bring all of them; yield what a crowd needs."""
    async with plain_client(server) as client, linked(server.url) as link:
        await store(client)
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)), times=Times(heartbeat=0.1))
        await keeper.include(["s.>"])
        yield client, keeper, Pages(js)
        await keeper.close()
        await api(client, "STREAM.DELETE.S")


async def test_blocks_hold_no_more_than_they_may(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forgotten is read again."""
    monkeypatch.setattr(blocks, "MAX_BYTES", 300000)
    async with read_by_many(stream_server) as (client, keeper, pages):
        truth = await entries_of(client, "S")
        for _ in range(2):
            crowd = [Follower(keeper, pages, {f"s.{n}": 5 * n}) for n in range(100)]
            await asyncio.gather(*(each.join() for each in crowd))
            for each in crowd:
                assert each.faults(truth) == NO_FAULTS
            assert sum(each.size for each in pages._blocks._blocks.values()) <= 300000


async def test_a_block_of_large_messages_ends_early(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is behind that, everybody reads alone."""
    monkeypatch.setattr(blocks, "MAX_BLOCK_BYTES", 30000)
    monkeypatch.setattr(blocks, "READ_BYTES", 500)
    async with read_by_many(stream_server) as (client, keeper, pages):
        crowd = [Follower(keeper, pages, {f"s.{n}": 0}) for n in range(20)]
        await asyncio.gather(*(each.join() for each in crowd))
        sizes = [each.size for each in pages._blocks._blocks.values()]
        assert sizes
        assert max(sizes) < 100000
        truth = await entries_of(client, "S")
        for each in crowd:
            assert each.faults(truth) == NO_FAULTS


class Holding(Follower):
    """Notes how much its replay holds while it waits for room."""

    most = 0

    async def room(self) -> None:
        held = [each.size for reader in self._replay._readers for each in reader.read]
        self.most = max(self.most, sum(held))


async def test_pages_of_many_patterns_are_small(stream_server: NatsServer) -> None:
    """They are held together: those of quiet patterns until the others have come as far."""
    patterns = 100
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "S", ["s.>"])
        for number in range(2000):  # one of them has the first third alone
            subject = f"s.{number % patterns if number > 700 else 0}"
            await client.publish(subject, b"%d" % number * 4000)
        await until_stored(client, "S", 2000)
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)), times=Times(heartbeat=0.1))
        pages = Pages(js)
        follower = Holding(keeper, pages, {f"s.{n}": 0 for n in range(patterns)})
        await follower.join()
        assert 0 < follower.most < 5_000_000
        assert follower.faults(await entries_of(client, "S")) == NO_FAULTS


class Counting(JetStream):
    """Notes how many consumers there are at a time."""

    alive = most = 0

    async def ask(
        self, what: str, body: dict[str, Any] | None = None, seconds: float = 5
    ) -> dict[str, Any]:
        self.alive += what.startswith("CONSUMER.CREATE")
        self.most = max(self.most, self.alive)
        answer = await super().ask(what, body, seconds)
        self.alive -= what.startswith("CONSUMER.DELETE")
        return answer


async def test_a_crowd_where_no_direct_gets_are_served_has_two_consumers_at_a_time(
    stream_server: NatsServer,
) -> None:
    """A stream has room for a thousand, and others need it, too."""
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await store(client, allow_direct=False)
        js = Counting(link)
        pages = Pages(js)
        queries = [{"seq": 1, "batch": 1, "next_by_subj": f"s.{n}"} for n in range(50)]
        batches = await asyncio.gather(*(pages.get("S", query) for query in queries))
        assert [len(each.messages) for each in batches] == [1] * 50
        assert (js.most, js.alive) == (pulls.MAX_READS, 0)
        await api(client, "STREAM.DELETE.S")


async def test_long_reads_of_a_crowd_have_so_many_consumers_at_most(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lasts as long as its reader takes; who has none yet waits for one."""
    monkeypatch.setattr(pulls, "MAX_LONG_READS", 3)
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await store(client)
        js = Counting(link)
        pages = Pages(js)
        may_end = asyncio.Event()

        async def read() -> int:
            count = 0
            async for page in pages.pulls.pages("S", {"multi_last": ["s.>"], "batch": 100}):
                count += len(page.messages)
                await may_end.wait()
            return count

        reading = [asyncio.create_task(read()) for _ in range(10)]
        await eventually(lambda: js.alive == 3)
        may_end.set()
        assert await asyncio.gather(*reading) == [SUBJECTS] * 10
        assert (js.most, js.alive) == (3, 0)
        await api(client, "STREAM.DELETE.S")


async def test_slow_readers_do_not_keep_others_from_long_reads(
    stream_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They give up their consumers, and go on later where they were."""
    monkeypatch.setattr(pulls, "MAX_LONG_READS", 2)
    monkeypatch.setattr(pulls, "TURN_SECONDS", 0.01)
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.01)
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await store(client)
        js = Counting(link)
        pages = Pages(js)
        may_go_on = asyncio.Event()

        async def read(*, slowly: bool) -> list[str]:
            subjects = []
            async for page in pages.pulls.pages("S", {"multi_last": ["s.>"], "batch": 20}):
                subjects += [each.subject for each in page.messages]
                if slowly:
                    await may_go_on.wait()
            return subjects

        reading = [asyncio.create_task(read(slowly=True)) for _ in range(3)]
        await eventually(lambda: js.alive == 2)
        quick = await asyncio.gather(*(read(slowly=False) for _ in range(3)))
        may_go_on.set()
        wanted = [f"s.{number}" for number in range(SUBJECTS)]
        assert [*quick, *await asyncio.gather(*reading)] == [wanted] * 6
        await eventually(lambda: js.alive == 0)
        assert js.most == 2
        assert not pages.pulls._turns.over
        await api(client, "STREAM.DELETE.S")
