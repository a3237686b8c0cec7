"""What older servers say otherwise: those before 2.11 answer a direct get with one message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from bridge.history.errors import NoJetStreamError
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import api, entries_of, make_stream, until_stored
from tests.support.linked import linked
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer

STORED = 30


async def answer_as_before(client: Client, raw: RawNats) -> None:
    """Serve direct gets of a stream `S` as nats-server 2.10 does."""

    async def answer(message: Msg) -> None:
        query = json.loads(message.data)
        known = {each: query[each] for each in ("seq", "next_by_subj") if each in query}
        answer = await api(client, "STREAM.MSG.GET.S", known) if known else {}
        found = answer.get("message")
        if found is None:
            status = b"404 Message Not Found" if known else b"408 Empty Request"
            raw.publish(message.reply, headers=b"NATS/1.0 %b\r\n\r\n" % status)
            return
        headers = {"Nats-Stream": "S", "Nats-Subject": found["subject"]}
        headers |= {"Nats-Sequence": str(found["seq"]), "Nats-Time-Stamp": found["time"]}
        await client.publish(message.reply, b"x", headers=headers)

    await client.subscribe("$JS.API.DIRECT.GET.S", cb=answer)
    await client.flush()


@pytest.fixture
def raw(stream_server: NatsServer) -> Iterator[RawNats]:
    with RawNats(stream_server.port) as raw:
        yield raw


@pytest.mark.parametrize("latest", [False, True])
async def test_the_past_comes_by_a_consumer(
    client: Client, raw: RawNats, stream_server: NatsServer, latest: bool
) -> None:
    await make_stream(client, "S", ["s.>"], allow_direct=False)
    for number in range(STORED):
        await client.publish(f"s.{number % 3}", b"%d" % number)
    await until_stored(client, "S", STORED)
    await answer_as_before(client, raw)
    async with linked(stream_server.url) as link:
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)), times=Times(heartbeat=0.1))
        follower = Follower(keeper, Pages(js), {"s.*": 0}, latest=latest)
        await follower.join()
        truth = await entries_of(client, "S")
        if latest:
            assert follower.got == truth[-3:]
        else:
            assert follower.faults(truth) == NO_FAULTS
        assert link.counters.history_reads["consumer"]
        await keeper.close()
    await api(client, "STREAM.DELETE.S")


QUERIES: list[dict[str, Any]] = [
    {"seq": 1, "batch": 3},
    {"seq": 2, "batch": 1, "next_by_subj": "s.0"},
    {"multi_last": ["s.>"], "batch": 10},
    {"start_time": "2020-01-01T00:00:00Z", "batch": 1},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
async def test_such_an_answer_is_known(
    client: Client, raw: RawNats, stream_server: NatsServer, query: dict[str, Any]
) -> None:
    await make_stream(client, "S", ["s.>"], allow_direct=False)
    for _ in range(3):
        await client.publish("s.0", b"x")
    await until_stored(client, "S", 3)
    await answer_as_before(client, raw)
    async with linked(stream_server.url) as link:
        with pytest.raises(NoJetStreamError):
            await Pages(JetStream(link)).get_directly("S", query)
    await api(client, "STREAM.DELETE.S")


async def test_one_that_is_left_is_known_where_the_end_says_that_none_is(
    client: Client, raw: RawNats, stream_server: NatsServer
) -> None:
    """As nats-server 2.11 does."""
    parts = [
        b"NATS/1.0\r\nNats-Stream: S\r\nNats-Subject: s.0\r\nNats-Sequence: 5\r\n"
        b"Nats-Time-Stamp: 2026-03-01T12:00:00Z\r\nNats-Num-Pending: 1\r\n\r\n",
        b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\nNats-UpTo-Sequence: 6\r\n\r\n",
    ]

    async def answer(message: Msg) -> None:
        for part in parts:
            raw.publish(message.reply, headers=part)

    await client.subscribe("$JS.API.DIRECT.GET.NONE", cb=answer)
    await client.flush()
    async with linked(stream_server.url) as link:
        batch = await JetStream(link).get("NONE", {"multi_last": ["s.*"], "batch": 1})
    assert ([each.sequence for each in batch.messages], batch.pending, batch.up_to) == ([5], 1, 6)
