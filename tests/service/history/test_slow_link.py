"""Answers of JetStream that come slowly: they are waited for, and not asked for again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from nats.aio.client import Client

from bridge.history.errors import UnansweredError
from bridge.history.js_api import JetStream
from bridge.nats_link.client import NATSLink
from tests.service.history.browsers import fill
from tests.support.jetstream import make_stream, plain_client
from tests.support.linked import linked
from tests.support.servers import NatsServer

SECONDS = 0.2
"""For JetStream to say something."""
MESSAGES, PAYLOAD = 100, bytes(20000)
ALL = {"seq": 1, "next_by_subj": "s.>", "batch": MESSAGES}


@asynccontextmanager
async def stream_of(server: NatsServer) -> AsyncIterator[Client]:
    """Have a stream S with two megabytes in it."""
    async with plain_client(server) as client:
        await make_stream(client, "S", ["s.>"])
        await fill(client, "S", ["s.a"], [PAYLOAD] * MESSAGES)
        yield client
        await client.jetstream().delete_stream("S")


def slow(link: NATSLink) -> Callable[[], None]:
    """Have a link take a moment for all that it reads; return what ends that."""
    parse = link._ps.parse

    async def parse_slowly(data: bytes) -> None:
        await asyncio.sleep(SECONDS / 20)
        await parse(data)

    link._ps.parse = parse_slowly  # type: ignore[method-assign]
    return lambda: setattr(link._ps, "parse", parse)


async def test_an_answer_may_take_longer_than_silence(stream_server: NatsServer) -> None:
    async with stream_of(stream_server), linked(stream_server.url) as link:
        slow(link)
        began = asyncio.get_running_loop().time()
        batch = await JetStream(link).get("S", ALL, SECONDS)
        assert len(batch.messages) == MESSAGES
        assert asyncio.get_running_loop().time() - began > 2 * SECONDS


async def test_an_answer_may_be_behind_others(stream_server: NatsServer) -> None:
    async with stream_of(stream_server), linked(stream_server.url) as link:
        js = JetStream(link)
        await js.ask("STREAM.INFO.S")
        slow(link)
        large = asyncio.create_task(js.get("S", ALL))
        await asyncio.sleep(SECONDS / 4)
        small = asyncio.create_task(js.get("S", {**ALL, "batch": 1}, SECONDS))
        assert len((await small).messages) == 1
        await large


async def test_silence_is_not_waited_for(stream_server: NatsServer) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await client.subscribe("nobody.answers", cb=_nothing)
        await client.flush()
        js = JetStream(link)
        with pytest.raises(UnansweredError):
            await js.request("nobody.answers", None, SECONDS)


async def _nothing(message: object) -> None:
    """Take a question and say nothing."""
