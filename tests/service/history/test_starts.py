"""What comes for each way to ask for the past, against what the stream has; then live."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.client import Client

from bridge.history import blocks, pages
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.ring import Ring
from bridge.history.starts import Start, Starts
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from bridge.wire.cursor import Cursor
from bridge.wire.subjects import matches
from bridge.wire.wishes import After, All, FromSequence, Last, New, Place, Since, Wish
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import (
    Entry,
    api,
    entries_of,
    last_of,
    make_stream,
    plain_client,
    until_stored,
)
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually

STORED = 300
SUBJECTS = ["s.a", "s.b", "s.c.d"]


class World:
    """A stream with 300 messages, the first ten of them purged, and a tail on it."""

    def __init__(self, client: Client, js: JetStream, info_ring: int) -> None:
        self.client = client
        self.pages = Pages(js, max_messages=70)
        self.reads = js.counters.history_reads
        self._js = js
        self._ring = info_ring

    async def open(self) -> None:
        info = await ask_info(self._js, "S", 5)
        self.tail = Tail(info, ring=Ring(info.last, self._ring))
        self.keeper = Keeper(self._js, self.tail, times=Times(heartbeat=0.1))

    async def start(self, patterns: list[str], wish: Wish, max_replay: int = 10000) -> Start:
        await self.keeper.include(patterns)
        return await Starts(self.pages, max_replay=max_replay).find(self.tail, patterns, wish)

    async def got(self, start: Start) -> list[Entry]:
        """Return what a replay from there brings, and see that live messages follow."""
        follower = Follower(self.keeper, self.pages, start.after)
        await follower.join()
        stored = list(follower.got)
        await publish(self.client, 3)
        last = await last_of(self.client, "S")
        await eventually(lambda: self.tail.position >= last)
        assert follower.faults(await entries_of(self.client, "S")) == NO_FAULTS
        return stored


async def publish(client: Client, count: int) -> None:
    for number in range(count):
        await client.jetstream().publish(SUBJECTS[number % 3], b"%d" % number)


@pytest.fixture
async def world(stream_server: NatsServer) -> AsyncIterator[World]:
    async with world_at(stream_server) as made:
        yield made


@asynccontextmanager
async def world_at(server: NatsServer, ring: int = 20) -> AsyncIterator[World]:
    async with plain_client(server) as client, linked(server.url) as link:
        await make_stream(client, "S", ["s.>"])
        random.seed(1)
        for number in range(STORED):
            await client.publish(random.choice(SUBJECTS), b"%d" % (number % 7))
        await until_stored(client, "S", STORED)
        await api(client, "STREAM.PURGE.S", {"seq": 11})
        world = World(client, JetStream(link), ring)
        await world.open()
        try:
            yield world
        finally:
            await world.keeper.close()
            await api(client, "STREAM.DELETE.S")


def under(truth: list[Entry], pattern: str) -> list[Entry]:
    return [each for each in truth if matches(pattern, each.subject)]


@pytest.mark.parametrize("pattern", ["s.>", "s.b", "s.*", "s.none"])
async def test_each_way_brings_what_the_stream_has(world: World, pattern: str) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)
    ways: list[tuple[Wish, Callable[[list[Entry]], list[Entry]]]] = [
        (New(), lambda truth: []),
        (All(), lambda truth: truth),
        (Last(1), lambda truth: truth[-1:]),
        (Last(20), lambda truth: truth[-20:]),
        (Last(1000), lambda truth: truth),
        (FromSequence(0), lambda truth: truth),
        (FromSequence(200), lambda truth: [each for each in truth if each.sequence >= 200]),
        (FromSequence(10**6), lambda truth: []),
        (Since(timedelta(minutes=5)), lambda truth: truth),
        (Since(later), lambda truth: []),
    ]
    for wish, of in ways:
        expected = of(under(await entries_of(world.client, "S"), pattern))
        start = await world.start([pattern], wish)
        assert await world.got(start) == expected, wish
        assert (start.reason, start.messages) == (None, len(expected)), wish


async def test_since_a_time_is_exact(world: World) -> None:
    answer = await api(world.client, "STREAM.MSG.GET.S", {"seq": 200})
    time = datetime.fromisoformat(answer["message"]["time"])
    start = await world.start(["s.>"], Since(time))
    assert 195 <= start.after["s.>"] <= 199  # some have the same microsecond


@pytest.mark.parametrize(
    ("time", "after"),
    [
        ("0001-01-01T00:00:00+05:00", 10),
        ("1500-01-01T00:00:00Z", 10),
        ("2026-01-01T00:00:00+00:00:30", 10),
        ("2400-01-01T00:00:00Z", STORED),
        ("9999-12-31T23:59:59-23:00", STORED),
    ],
)
async def test_since_takes_any_time(world: World, time: str, after: int) -> None:
    """JetStream counts nanoseconds in 64 bits, and knows no offset with seconds."""
    start = await world.start(["s.>"], Since(datetime.fromisoformat(time)))
    assert start.after == {"s.>": after}


async def test_since_finds_nothing_in_a_stream_that_was_purged(world: World) -> None:
    await api(world.client, "STREAM.PURGE.S")
    start = await world.start(["s.>"], Since(timedelta(minutes=5)))
    assert (start.after, start.messages) == ({"s.>": STORED}, 0)


async def test_the_newest_of_several_patterns_are_those_of_each(world: World) -> None:
    truth = await entries_of(world.client, "S")
    start = await world.start(["s.a", "s.c.>"], Last(5))
    expected = under(truth, "s.a")[-5:] + under(truth, "s.c.>")[-5:]
    assert await world.got(start) == sorted(expected)
    assert start.messages == 10


@pytest.mark.parametrize(
    ("sequence", "epoch", "after", "reason"),
    [
        (300, "", 300, None),
        (295, "", 295, None),
        (100, "", 100, None),
        (10, "", 10, None),
        (9, "", 10, "expired"),
        (0, "", 10, "expired"),
        (301, "", 300, "ahead"),
        (2**62, "", 300, "ahead"),
        (100, "zzz", 10, "stream_new"),
        (10**9, "zzz", 10, "stream_new"),
    ],
)
async def test_a_resume_goes_on_or_says_why_not(
    world: World, sequence: int, epoch: str, after: int, reason: str | None
) -> None:
    cursors = Cursor("OTHER", "a", 3), Cursor("S", epoch or world.tail.epoch, sequence)
    start = await world.start(["s.a", "s.b"], After(cursors))
    assert (start.after, start.reason) == ({"s.a": after, "s.b": after}, reason)
    truth = await entries_of(world.client, "S")
    expected = under(truth, "s.a") + under(truth, "s.b")
    assert await world.got(start) == sorted(each for each in expected if each.sequence > after)


@pytest.mark.parametrize("wish", [All(), FromSequence(3), Since(timedelta(minutes=5))])
async def test_too_many_are_cut_to_the_newest(world: World, wish: Wish) -> None:
    truth = await entries_of(world.client, "S")
    start = await world.start(["s.>"], wish, max_replay=40)
    assert (start.reason, start.messages) == ("too_many", 40)
    assert await world.got(start) == truth[-40:]


async def test_a_resume_over_too_many_is_cut_and_one_over_few_of_them_is_not(world: World) -> None:
    truth = await entries_of(world.client, "S")
    cursor = Cursor("S", world.tail.epoch, 20)
    start = await world.start(["s.>"], After((cursor,)), max_replay=150)
    assert (start.reason, await world.got(start)) == ("too_many", truth[-150:])
    few = await world.start(["s.a"], After((cursor,)), max_replay=150)
    assert (few.reason, few.after) == (None, {"s.a": 20})


@pytest.mark.parametrize("wish", [All(), Last(20)])
async def test_each_time_that_it_counts_it_waits_for_its_turn(world: World, wish: Place) -> None:
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1

    patterns = ["s.a", "s.b"]
    await world.keeper.include(patterns)
    before = world.reads["direct"]
    await Starts(world.pages).find(world.tail, patterns, wish, turn)
    assert turns == world.reads["direct"] - before >= 2


async def test_a_resume_within_the_ring_asks_nobody(stream_server: NatsServer) -> None:
    async with world_at(stream_server, ring=50) as world:
        await world.keeper.include(["s.>"])
        await publish(world.client, 30)
        await eventually(lambda: world.tail.position == STORED + 30)
        before = dict(world.reads)
        for sequence in (301, 315, 330):
            cursor = Cursor("S", world.tail.epoch, sequence)
            start = await world.start(["s.a"], After((cursor,)))
            follower = Follower(world.keeper, world.pages, start.after)
            await follower.join()
            assert len(follower.got) == start.messages == (330 - sequence) // 3
        assert world.reads == before
        cursor = Cursor("S", world.tail.epoch, 301)
        start = await world.start(["s.>"], After((cursor,)), max_replay=10)
        assert (start.reason, start.messages) == ("too_many", 10)
        before = dict(world.reads)
        cursor = Cursor("S", world.tail.epoch, 250)
        start = await world.start(["s.a"], After((cursor,)))
        await Follower(world.keeper, world.pages, start.after).join()
        assert world.reads != before


async def test_a_resume_where_the_tail_is_behind_brings_nothing_twice(
    stream_server: NatsServer,
) -> None:
    """Another gateway has brought more than this one has yet; its own tail is slow."""
    async with world_at(stream_server) as world:
        await world.keeper.include(["s.>"])
        world.tail.position = 290
        follower = Follower(world.keeper, world.pages, {"s.>": 297})
        world.keeper.renew()
        await follower.join()
        await publish(world.client, 1)
        await eventually(lambda: len(follower.got) == 4)
        assert [each.sequence for each in follower.got] == [298, 299, 300, 301]


@pytest.mark.parametrize("pattern", ["s.>", "s.b"])
@pytest.mark.parametrize("limit", [(pages, "MAX_STRETCH", 0), (blocks, "READ_BYTES", 3000)])
async def test_what_is_purged_in_the_middle_of_a_replay_is_told(
    world: World, pattern: str, limit: tuple[object, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it is read alone or in blocks."""
    monkeypatch.setattr(*limit)
    truth = under(await entries_of(world.client, "S"), pattern)
    await world.start([pattern], New())
    follower = Follower(world.keeper, world.pages, {pattern: 10})
    purged = False

    async def purge_once() -> None:
        nonlocal purged
        if follower.got and not purged:
            purged = True
            await api(world.client, "STREAM.PURGE.S", {"seq": 281})

    follower.room = purge_once  # type: ignore[method-assign]
    await follower.join()
    ((after, until, reason),) = follower.told
    assert (until, reason) == (280, "expired")
    assert follower.got == [e for e in truth if e.sequence <= after or e.sequence > until]
    assert after == [e.sequence for e in follower.got if e.sequence <= until][-1]
