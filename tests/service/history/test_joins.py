"""Followers join while messages are published: each gets exactly what the stream has."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from nats.aio.client import Client

from bridge.history import pages as reads
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.ring import Ring
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.nats_link.client import NATSLink
from tests.service.history.publishing import publishing
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import api, entries_of, last_of, make_stream, plain_client
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually

PATTERNS = ["s.>", "s.1.x", "s.*.x", "s.2.*", "s.nothing", "s.rare"]


async def join_at_random(
    keeper: Keeper, pages: Pages, client: Client, tries: int
) -> tuple[list[Follower], list[asyncio.Task[None]]]:
    """Have followers join from cursors of any age, while the consumer comes and goes.

    A slow one with small pages may not get there before the last message is published.
    """
    tail, followers, joining = keeper.tail, list[Follower](), list[asyncio.Task[None]]()
    for _ in range(tries):
        age = random.choice([0, 0, random.randrange(3000), random.randrange(3000), 10**9])
        chosen = random.sample(PATTERNS, random.choice([1, 1, 2, 3]))
        starts = {each: max(0, tail.position - random.choice([age, age, 7])) for each in chosen}
        follower = Follower(keeper, pages, starts, slow=random.random() < 0.3)
        followers.append(follower)
        joining.append(asyncio.create_task(follower.join()))
        chance = random.random()
        if chance < 0.5:
            await asyncio.wait(joining[-1:], timeout=0.2)
        elif chance < 0.6:
            keeper.renew()
        elif chance < 0.65 and keeper._consumer is not None:
            await api(client, f"CONSUMER.DELETE.S.{keeper._consumer.name}")
            keeper.renew()
        await asyncio.sleep(random.random() * 0.02)
    return followers, joining


async def each_has_exactly_the_stream(
    publisher: Client, link: NATSLink, *, seed: int, ring: int, **config: Any
) -> None:
    random.seed(seed)
    await make_stream(publisher, "S", ["s.>"], **config)
    js = JetStream(link)
    pages = Pages(js, max_messages=random.choice([7, 50, 300]))
    async with publishing(publisher, 1500):
        info = await ask_info(js, "S", 5)
        keeper = Keeper(js, Tail(info, ring=Ring(info.last, ring)))
        followers, joining = await join_at_random(keeper, pages, publisher, 40)
    await asyncio.gather(*joining)
    last = await last_of(publisher, "S")
    await eventually(lambda: keeper.tail.position >= last)
    truth = await entries_of(publisher, "S")
    for follower in followers:
        assert follower.faults(truth) == NO_FAULTS, follower.starts
    assert truth[-1].sequence == last > 200
    await keeper.close()
    js.close()
    await api(publisher, "STREAM.DELETE.S")


def searched(*rings: int) -> list[Any]:
    """Return ten more seeds for each size of the ring, in one of the two ways to read."""
    return [
        pytest.param(seed, ring, seed % 2 == 0, marks=pytest.mark.long)
        for ring in rings
        for seed in range(10, 20)
    ]


@pytest.fixture
def alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everybody read alone, if the parameter says so, else what is near in blocks."""
    if request.param:
        monkeypatch.setattr(reads, "MAX_STRETCH", 0)


@pytest.mark.parametrize(
    ("seed", "ring", "alone"),
    [(1, 10, True), (2, 300, False), *searched(10, 300)],
    indirect=["alone"],
)
async def test_each_follower_has_exactly_the_stream(
    stream_server: NatsServer, seed: int, ring: int, alone: None
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await each_has_exactly_the_stream(client, link, seed=seed, ring=ring)


@pytest.mark.parametrize(
    ("seed", "ring", "alone"), [(3, 300, True), *searched(10, 300)], indirect=["alone"]
)
async def test_so_it_has_where_replicas_answer(
    three_servers: list[NatsServer], seed: int, ring: int, alone: None
) -> None:
    one, _, other = three_servers
    async with plain_client(other) as client, linked(one.url) as link:
        await each_has_exactly_the_stream(client, link, num_replicas=3, seed=seed, ring=ring)


@pytest.mark.parametrize(
    ("seed", "ring", "alone"), [(4, 10, False), *searched(10, 300)], indirect=["alone"]
)
async def test_so_it_has_where_the_stream_serves_no_direct_gets(
    stream_server: NatsServer, seed: int, ring: int, alone: None
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await each_has_exactly_the_stream(client, link, allow_direct=False, seed=seed, ring=ring)
