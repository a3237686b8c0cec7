"""Every NATS subscription of the gateway, and which connections follow it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import nats.errors

from bridge import subjects
from bridge.feed import FLUSH_TIMEOUT, Deliver, Feed
from bridge.messages import Refusal, shorten
from bridge.overlap import Once

if TYPE_CHECKING:
    from bridge.access import SubjectPolicy
    from bridge.connection import Connection
    from bridge.metrics import Counters


class Feeds:
    """One feed for each distinct pattern: the first follower opens it, the last one closes it.

    `client` returns the NATS client, or None while there is none. The requests of one connection
    have to come one by one (`Connection.changes`); those of different ones need not.
    """

    def __init__(
        self, client: Callable[[], Any], policy: SubjectPolicy, counters: Counters
    ) -> None:
        self.ssid_map: dict[int, dict[str, Deliver]] = {}
        self._by_pattern: dict[str, Feed] = {}
        self._changes = asyncio.Lock()
        """Held from "is there a feed?" until there is one: two first followers share it."""
        self._client = client
        self._policy = policy
        self._counters = counters

    async def follow(self, connection: Connection, pattern: str) -> None:
        """Deliver `pattern` to `connection`; returns when the NATS server has accepted it.

        Raises Refusal, and leaves no trace then.
        """
        async with self._changes:
            feed = self._by_pattern.get(pattern) or Feed(pattern, self._policy, self._counters)
            await feed.open(self._client())
            self._by_pattern[pattern] = feed
            self.ssid_map[feed.ssid] = feed.followers
            deliver = connection.deliver
            shadows = [each for each in connection.patterns if subjects.overlap(each, pattern)]
            if shadows:
                deliver = Once(deliver, shadows, self._counters)
            connection.patterns[pattern] = feed.followers[connection.id] = deliver

    async def unfollow(self, connection: Connection, pattern: str) -> None:
        """Deliver `pattern` no more; what another pattern of `connection` matches goes on coming.

        Raises Refusal if it was not followed.
        """
        if pattern not in connection.patterns:
            text = f"The user did not subscribe to event {shorten(pattern)}"
            raise Refusal("not_subscribed", text, [pattern])
        feed = self._by_pattern[pattern]
        heirs = {
            self._by_pattern[other]: deliver
            for other, deliver in connection.patterns.items()
            if isinstance(deliver, Once) and pattern in deliver.shadows
        }
        while heirs and any(each.waiting for each in (feed, *heirs)):
            await asyncio.sleep(0)
        del connection.patterns[pattern]
        del feed.followers[connection.id]
        for own, heir in heirs.items():
            heir.take_over(feed, own)
        if heirs:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await self._client().flush(FLUSH_TIMEOUT)
        for heir in heirs.values():
            heir.settle()
        async with self._changes:
            await self._close_if_unused(feed)

    async def unfollow_all(self, connection: Connection) -> None:
        """Let go of a connection that has ended."""
        feeds = [self._by_pattern[pattern] for pattern in connection.patterns]
        connection.patterns.clear()
        for feed in feeds:
            del feed.followers[connection.id]
        async with self._changes:
            for feed in feeds:
                await self._close_if_unused(feed)

    async def _close_if_unused(self, feed: Feed) -> None:
        if not feed.followers and self._by_pattern.get(feed.pattern) is feed:
            del self._by_pattern[feed.pattern]
            del self.ssid_map[feed.ssid]
            await feed.close()
