"""One NATS subscription and the connections that share it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import nats.errors

from bridge.messages import Message, Refusal, shorten
from bridge.subjects import is_wildcard

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from bridge.access import SubjectPolicy
    from bridge.metrics import Counters

Deliver = Callable[[Message], None]
"""Takes a message to one follower; never waits and never raises."""

FLUSH_TIMEOUT = 2
"""Seconds the NATS server has to answer a subscribe."""


class Feed:
    """The subscription for one pattern. A message is encoded once for all of its followers."""

    def __init__(self, pattern: str, policy: SubjectPolicy, counters: Counters) -> None:
        self.pattern = pattern
        self.followers: dict[str, Deliver] = {}
        """By connection id."""
        self.last: Message | None = None
        """The latest message, and how many had come in all feeds when it did."""
        self.last_number = 0
        self._policy = policy if is_wildcard(pattern) else None
        self._counters = counters
        self._subscription: Subscription | None = None

    @property
    def ssid(self) -> int:
        """The id of the NATS subscription."""
        assert self._subscription is not None
        return self._subscription._id

    @property
    def waiting(self) -> int:
        """Messages queued between NATS and this feed: none with NATSLink, some with nats-py."""
        return self._subscription.pending_msgs if self._subscription is not None else 0

    async def open(self, client: Client | None) -> None:
        """Subscribe, unless that is done, and wait until the NATS server has accepted it.

        Raises Refusal if it does not, and then leaves no subscription behind.
        """
        if client is None or not client.is_connected:
            raise self._refusal("nats_down", "NATS is not reachable just now")
        if self._subscription is not None:
            return
        try:
            self._subscription = await client.subscribe(self.pattern, cb=self._receive)
            await client.flush(FLUSH_TIMEOUT)
        except (nats.errors.Error, OSError, TimeoutError):
            await self.close()
            raise self._refusal("nats_down", "NATS did not answer in time") from None
        # Set by NATSLink, which hears of a refusal before the answer to the flush.
        refused = getattr(self._subscription, "refused", None)
        if refused:
            await self.close()
            raise self._refusal(refused, "the NATS server does not allow it")

    async def close(self) -> None:
        """Unsubscribe. Twice is harmless."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def _receive(self, msg: Msg) -> None:
        """Hand one message to every follower. A coroutine because nats-py asks for one."""
        counters, followers = self._counters, self.followers
        counters.received += 1
        counters.due += len(followers)
        if self._policy is not None and not self._policy.may_receive(msg.subject):
            counters.filtered += len(followers)
            return
        message = self.last = Message(msg.subject, msg.data)
        self.last_number = counters.received
        for deliver in followers.values():
            deliver(message)

    def _refusal(self, code: Any, reason: str) -> Refusal:
        text = f"Cannot subscribe to {shorten(self.pattern)!r}: {reason}."
        return Refusal(code, text, [self.pattern])
