"""Several gateways on one stream, and what they do when servers of a cluster go."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack

import nats
import nats.js.errors
import pytest
from nats.aio.client import Client

from bridge.history.errors import HistoryError, NoHistoryError
from bridge.history.history import History
from bridge.history.keeper import Keeper
from bridge.history.stored import Stored
from bridge.history.times import Times
from bridge.wire.cursor import Cursor
from bridge.wire.subjects import matches
from bridge.wire.wishes import After, New
from tests.service.history.publishing import publishing
from tests.support.jetstream import (
    Entry,
    api,
    entries_of,
    last_of,
    make_stream,
    plain_client,
)
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually, http

QUICK = Times(heartbeat=0.2, silence=1.0)


class Browser:
    """Follows a pattern at one gateway after the other, each time after its cursor."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.got: list[Entry] = []
        self.cursor: Cursor | None = None
        self.told: list[str] = []
        self.start = 0

    async def connect(self, history: History) -> None:
        wish = New() if self.cursor is None else After((self.cursor,))
        self.reading = await history.open([self.pattern], wish)
        self.tail = self.reading.keeper.tail
        if self.cursor is None:
            self.start = self.reading.start.after[self.pattern]
            self.cursor = Cursor("S", self.tail.epoch, self.start)
        if self.reading.start.reason is not None:
            self.told.append(self.reading.start.reason)
        await self.reading.replay(self).run()

    def disconnect(self) -> None:
        self.tail.unlisten(self)
        self.reading.end()

    async def room(self) -> None:
        pass

    def replayed(self, messages: list[Stored]) -> None:
        self.take(messages)

    def joined(self, messages: list[Stored], position: int) -> None:
        self.replayed(messages)
        self.tail.listen(self)

    def take(self, messages: Sequence[Stored]) -> None:
        for message in messages:
            if matches(self.pattern, message.subject):
                self.got.append(Entry(message.sequence, message.subject, message.payload))
                self.cursor = Cursor("S", self.tail.epoch, message.sequence)

    def missed(self, after: int, until: int, reason: str) -> None:
        self.told.append(reason)

    def skipped(self, after: int, until: int) -> None:
        self.told.append("skipped")

    def gone(self) -> None:
        self.told.append("gone")


async def wander(browser: Browser, histories: list[History], visits: int) -> None:
    for _ in range(visits):
        await browser.connect(random.choice(histories))
        await asyncio.sleep(random.random() * 0.2)
        browser.disconnect()
        await asyncio.sleep(random.random() * 0.05)
    await browser.connect(histories[0])


def compare(browsers: list[Browser], truth: list[Entry]) -> None:
    for each in browsers:
        due = [e for e in truth if e.sequence > each.start and matches(each.pattern, e.subject)]
        assert len(each.got) == len(due), each.pattern
        assert each.got == due
        assert each.told == []


@pytest.mark.parametrize("seed", range(3))
async def test_who_goes_from_gateway_to_gateway_gets_each_message_once(
    three_servers: list[NatsServer], seed: int
) -> None:
    random.seed(seed)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(plain_client(three_servers[0]))
        await make_stream(client, "S", ["s.>"], num_replicas=3)
        histories = []
        for server in three_servers:
            link = await stack.enter_async_context(linked(server.url))
            histories.append(History(link, times=QUICK))
        browsers = [
            Browser(pattern) for pattern in ["s.>", "s.1.x", "s.*.x", "s.rare", "s.2.*"] * 4
        ]
        async with publishing(client, 1000):
            await asyncio.gather(*(wander(each, histories, 8) for each in browsers))
        last = await last_of(client, "S")
        await eventually(lambda: browsers[0].tail.position >= last)
        compare(browsers, await entries_of(client, "S"))
        for each in histories:
            await each.close()
        await api(client, "STREAM.DELETE.S")


@pytest.mark.parametrize("victim", ["consumer", "leader", "metadata"])
async def test_a_server_that_freezes_costs_nobody_a_message(
    three_servers: list[NatsServer], victim: str
) -> None:
    """The one with the consumer, the leader of the stream, or that of the cluster."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(plain_client(each)) for each in three_servers]
        await make_stream(clients[0], "S", ["s.>"], num_replicas=3)
        info = await api(clients[0], "STREAM.INFO.S")
        frozen = number_of(info["cluster"]["leader"])
        if victim == "metadata":
            frozen = number_of(metadata_leader(three_servers))
        elif victim == "consumer":
            frozen = (frozen + 1) % 3
        here = (frozen + 1) % 3
        history = History(
            await stack.enter_async_context(linked(three_servers[here].url)), times=QUICK
        )
        browsers = [Browser(pattern) for pattern in ("s.>", "s.1.*", "s.none")]
        for each in browsers:
            await each.connect(history)
        if victim == "consumer":
            await consumer_on(frozen, browsers[0].reading.keeper, clients[here])
        await publish(clients[here], 100)
        three_servers[frozen].freeze()
        try:
            await publish(clients[here], 100)
            late = Browser("s.2.x")
            joining = asyncio.create_task(connect_again(late, history))
            await eventually(lambda: len(browsers[0].got) == 200, 60)
            await joining
        finally:
            three_servers[frozen].thaw()
        compare([*browsers, late], await entries_of(clients[here], "S"))
        await history.close()
        await api(clients[here], "STREAM.DELETE.S")


def number_of(name: str) -> int:
    return int(name[1:])


def metadata_leader(servers: list[NatsServer]) -> str:
    status = json.loads(http(f"http://127.0.0.1:{servers[0].monitor_port}/jsz")[1])
    return str(status["meta_cluster"]["leader"])


async def consumer_on(number: int, keeper: Keeper, client: Client) -> None:
    """Have the consumer on one of the servers."""
    for _ in range(50):
        assert keeper._consumer is not None
        info = await api(client, f"CONSUMER.INFO.S.{keeper._consumer.name}")
        if number_of(info["cluster"]["leader"]) == number:
            return
        begun = keeper.begun
        keeper.renew()
        await eventually(lambda begun=begun: keeper.begun > begun)
    raise AssertionError("the consumer is never on that server")


async def publish(client: Client, count: int) -> None:
    """Publish messages, each again until the stream has it; a repeat is not stored."""
    for number in range(count):
        headers = {"Nats-Msg-Id": secrets.token_hex(8)}
        while True:
            try:
                subject = f"s.{number % 3}.x"
                await client.jetstream().publish(subject, b"1", timeout=1, headers=headers)
                break
            except (nats.errors.Error, nats.js.errors.Error):
                continue


async def connect_again(browser: Browser, history: History) -> None:
    """Connect, as a request does that is answered by `nats_down` and waits for NATS."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await browser.connect(history)
            except (HistoryError, NoHistoryError):
                await asyncio.sleep(0.5)
