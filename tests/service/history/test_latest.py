"""The latest message of each subject, and from there on everything."""

from __future__ import annotations

import asyncio

import pytest

from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.ring import Ring
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from tests.support.followers import Follower
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


def latest_of(entries: list[Entry]) -> dict[str, bytes]:
    return {each.subject: each.payload for each in entries}


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("subjects", [20, 1024, 1025, 3000])
async def test_all_subjects_have_their_latest_whatever_comes_meanwhile(
    stream_server: NatsServer, subjects: int, direct: bool
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "S", ["s.>"], allow_direct=direct)
        for number in range(2 * subjects):
            await client.publish(f"s.{number % subjects}", b"%d" % number)
        await until_stored(client, "S", 2 * subjects)
        js = JetStream(link)
        info = await ask_info(js, "S", 5)
        keeper, pages = Keeper(js, Tail(info, ring=Ring(info.last, 10))), Pages(js)
        await keeper.include(["s.>"])

        async def publish() -> None:
            for number in range(500):
                await client.publish(f"s.{number % 7}", b"later %d" % number)
                await asyncio.sleep(0)

        publishing = asyncio.create_task(publish())
        followers = [Follower(keeper, pages, {"s.>": 0}, latest=True) for _ in range(4)]
        for each in followers:
            await each.join()
        await publishing
        last = await last_of(client, "S")
        await eventually(lambda: keeper.tail.position >= last)
        truth = await entries_of(client, "S")
        for each in followers:
            assert latest_of(each.got) == latest_of(truth)
            assert len(each.got) <= subjects + 500
            assert [m.sequence for m in each.got] == sorted({m.sequence for m in each.got})
            assert each.latest is not None
            until = each.latest.until
            assert until >= 2 * subjects
            at_until = latest_of(truth[:until])
            stored = latest_of([m for m in each.got if m.sequence <= until])
            assert stored.items() <= at_until.items()
            later = [m for m in each.got if m.sequence > until]
            assert len(later) == len(truth) - until
            assert later == truth[until:]
            assert each.told == []
        await keeper.close()
        await api(client, "STREAM.DELETE.S")


async def test_deleted_keys_are_left_out_at_the_start_and_told_live(
    stream_server: NatsServer,
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        bucket = await client.jetstream().create_key_value(bucket="config", history=1)
        for key in ("a", "b", "c", "d"):
            await bucket.put(key, key.encode())
        await bucket.delete("b")
        await bucket.purge("c")
        js = JetStream(link)
        info = await ask_info(js, "KV_config", 5)
        keeper, pages = Keeper(js, Tail(info), times=Times(heartbeat=0.1)), Pages(js)
        follower = Follower(keeper, pages, {"$KV.config.>": 0}, latest=True)
        await follower.join()
        assert [each.subject for each in follower.got] == ["$KV.config.a", "$KV.config.d"]
        await bucket.delete("d")
        await eventually(lambda: len(follower.got) == 3)
        assert keeper.tail.ring.matching(">", 0)[-1].operation == "DEL"
        nothing = Follower(keeper, pages, {"$KV.config.none": 0}, latest=True)
        await nothing.join()
        assert (nothing.got, nothing.told) == ([], [])
        await keeper.close()
        await api(client, "STREAM.DELETE.KV_config")


async def test_messages_larger_than_a_page_come_by_either_way(stream_server: NatsServer) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        for direct in (True, False):
            await make_stream(client, "S", ["s.>"], allow_direct=direct)
            for number in range(6):
                await client.publish(f"s.{number % 2}", bytes(900000))
            await until_stored(client, "S", 6)
            js = JetStream(link)
            info = await ask_info(js, "S", 5)
            keeper, pages = Keeper(js, Tail(info), times=Times(heartbeat=0.1)), Pages(js)
            everything = Follower(keeper, pages, {"s.>": 0})
            latest = Follower(keeper, pages, {"s.>": 0}, latest=True)
            await everything.join()
            await latest.join()
            assert [each.sequence for each in everything.got] == [1, 2, 3, 4, 5, 6]
            assert [each.sequence for each in latest.got] == [5, 6]
            await keeper.close()
            await api(client, "STREAM.DELETE.S")
