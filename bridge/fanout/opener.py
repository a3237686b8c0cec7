"""Opens and closes subscriptions at the NATS server: many at once, each for all who ask for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import nats.errors

from bridge.nats_link import stock_client

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from bridge.fanout.feed import Feed
    from bridge.telemetry.counters import Counters

_AWAY = (nats.errors.Error, OSError, TimeoutError)


class Opener:
    """Opens feeds with the NATS client that `client` returns: NATSLink, or one of nats-py's own.

    `answered` is called for each feed once the server has answered, or has not in time.
    """

    def __init__(
        self, client: Callable[[], Any], counters: Counters, answered: Callable[[Feed], None]
    ) -> None:
        self._client = client
        self._counters = counters
        self._answered = answered
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ends: dict[Feed, Callable[[], Any]] = {}
        """What ends a subscription of a client of nats-py's own."""

    @property
    def is_connected(self) -> bool:
        """Whether NATS can be reached just now."""
        client = self._client()
        return client is not None and bool(client.is_connected)

    async def open(self, feeds: list[Feed]) -> None:
        """Return once the NATS server has answered for each of `feeds`, or has not in time.

        Each is open then, or refused, or neither. What somebody else is opening is waited for.
        """
        for feed in feeds:
            if feed.refused == "nats_down" and feed.opening is None:
                feed.refused = None  # for others, and a while ago
        new = [each for each in feeds if not (each.is_open or each.opening or each.refused)]
        if new and self.is_connected:
            opening = self._run(self._open(new))
            for feed in new:
                feed.opening = opening
            opening.add_done_callback(partial(self._finish, new))
        under_way = {each.opening for each in feeds if each.opening is not None}
        if under_way:
            await asyncio.wait(under_way)

    def _finish(self, feeds: list[Feed], _: object) -> None:
        """Take note that it has ended, however: it may have been cancelled before it began."""
        for feed in feeds:
            feed.opening = None
            self._answered(feed)

    async def _open(self, feeds: list[Feed]) -> None:
        client = self._client()
        try:
            if hasattr(client, "subscribe_all"):
                ids = await client.subscribe_all(feeds)
                for feed, ssid in zip(feeds, ids, strict=True):
                    feed.ssid = ssid
            else:
                await self._open_stock(client, feeds)
            for feed in feeds:
                feed.is_open = feed.refused is None
        except _AWAY:
            for feed in feeds:
                self.close(feed)

    async def _open_stock(self, client: Client, feeds: list[Feed]) -> None:
        for feed in feeds:
            subscription, forget = await stock_client.subscribe(
                client, feed.pattern, partial(self._receive, feed), partial(self._lose, feed)
            )
            feed.ssid = stock_client.id_of(subscription)
            feed.stock = partial(getattr, subscription, "pending_msgs")
            self._ends[feed] = partial(self._end_stock, subscription, forget)
        await stock_client.confirm(client)

    async def _receive(self, feed: Feed, msg: Msg) -> None:
        """Take a message from nats-py. A coroutine because it asks for one."""
        self._counters.received += 1
        feed.lane_of(msg.subject).take([msg.data])

    def _lose(self, feed: Feed, subject: str, count: int) -> None:
        """Count messages that nats-py dropped, and tell those they were for."""
        self._counters.received += count
        feed.lane_of(subject).lose(count)

    async def _end_stock(self, subscription: Any, forget: Callable[[], None]) -> None:
        forget()
        with contextlib.suppress(*_AWAY):
            await subscription.unsubscribe()

    def close(self, feed: Feed) -> None:
        """Unsubscribe; returns at once. Idempotent."""
        end = self._ends.pop(feed, None)
        ssid, feed.ssid, feed.is_open = feed.ssid, 0, False
        if end is not None:
            self._run(end())
        elif ssid and hasattr(self._client(), "subscribe_all"):
            self._client().unsubscribe(ssid)

    async def round_trip(self, feeds: list[Feed]) -> bool:
        """Wait until all has come that NATS sent before; return whether it has, in time.

        nats-py's own client queues what comes for each subscription: `feeds` are those to look at.
        """
        client = self._client()
        try:
            if hasattr(client, "round_trip"):
                await client.round_trip()
                return True
            await stock_client.confirm(client)
            async with asyncio.timeout(stock_client.ANSWER_TIMEOUT_SECONDS):
                while any(feed.stock is not None and feed.stock() for feed in feeds):
                    await asyncio.sleep(0.01)
        except (*_AWAY, AttributeError):
            return False  # AttributeError: there is no client yet
        return True

    def stop(self) -> None:
        """Wait for nothing more. Idempotent."""
        for task in tuple(self._tasks):
            task.cancel()

    def _run(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
