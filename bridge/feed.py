"""One NATS subscription and the connections that share it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import nats.errors

from bridge.messages import Message, Refusal, shorten
from bridge.subjects import is_wildcard, matches

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

logger = logging.getLogger("bridge.feed")


class Feed:
    """The subscription for one pattern. A message is encoded once for all of its followers."""

    def __init__(self, pattern: str, policy: SubjectPolicy, counters: Counters) -> None:
        self.pattern = pattern
        self.followers: dict[str, Deliver] = {}
        """By connection id."""
        self._policy = policy if is_wildcard(pattern) else None
        self._counters = counters
        self._subscription: Subscription | None = None

    @property
    def ssid(self) -> int:
        """The id of the NATS subscription."""
        assert self._subscription is not None
        return self._subscription._id

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
        message = Message(msg.subject, msg.data)
        for deliver in followers.values():
            deliver(message)

    def _refusal(self, code: Any, reason: str) -> Refusal:
        text = f"Cannot subscribe to {shorten(self.pattern)!r}: {reason}."
        return Refusal(code, text, [self.pattern])


class Once:
    """Delivers only what no earlier pattern of the same connection (`shadows`) brings already."""

    def __init__(self, deliver: Deliver, shadows: list[str], counters: Counters) -> None:
        self.shadows = shadows
        self._deliver = deliver
        self._counters = counters

    def __call__(self, message: Message) -> None:
        for pattern in self.shadows:
            if matches(pattern, message.subject):
                self._counters.filtered += 1
                return
        self._deliver(message)


class Subscriber(Protocol):
    """What a `manager.callback` gets to write to: one browser."""

    async def send_str(self, text: str) -> None: ...
    def drop(self) -> None: ...


class Callback:
    """Calls a `manager.callback` for one client: message by message, in order, never two at once.

    An `async def` may take its time; `MAX_WAITING` messages wait for it, more are dropped and told.
    """

    MAX_WAITING = 1000

    def __init__(
        self, callback: Callable[[Any, Message], Awaitable[None] | None], subscriber: Subscriber
    ) -> None:
        self._callback = callback
        self._subscriber = subscriber
        self._is_async = inspect.iscoroutinefunction(callback)
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None

    def __call__(self, message: Message) -> None:
        if not self._is_async:
            self._call(message)
        elif len(self._waiting) >= self.MAX_WAITING:
            self._subscriber.drop()
        else:
            self._waiting.append(message)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Forget what waits. Twice is harmless."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._waiting:
            result = self._call(self._waiting.popleft())
            if result is not None:
                try:
                    await result
                except Exception:
                    logger.exception("manager.callback failed")
        self._task = None

    def _call(self, message: Message) -> Awaitable[None] | None:
        try:
            return self._callback(self._subscriber, message)
        except Exception:
            # The program's own code: its fault must not cost the other followers the message.
            logger.exception("manager.callback failed")
            return None
