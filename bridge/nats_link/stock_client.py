"""Messages that nats-py drops before we get them: its queue for each subscription is bounded.

A program with Panini's own App has such queues, and one that waits inside a `manager.callback`
(with Panini's `request_sync`, say) fills them. NATSLink has none.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from nats.aio.client import _default_error_callback
from nats.errors import SlowConsumerError

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire.responses import shorten

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

MAX_PENDING_MESSAGES = 65536
"""Messages a queue holds; what is read from the socket in one go may be 20,000 small ones."""
MAX_PENDING_BYTES = 8388608
"""Bytes of payloads it holds."""
EPISODE_QUIET_SECONDS = 5.0
"""Seconds without a drop that end an episode."""
ANSWER_TIMEOUT_SECONDS = 2
"""For the NATS server to answer a PING."""

OnMessage = Callable[["Msg"], Awaitable[None]]
Lost = Callable[[str, int], None]
"""Told of a subject and how many messages on it were dropped."""


async def subscribe(
    client: Client, pattern: str, take: OnMessage, lost: Lost
) -> tuple[Subscription, Callable[[], None]]:
    """Subscribe with a bounded queue; what it drops goes to `lost`.

    Also returns what is to be called in the end. nats-py tells of each dropped message by the
    client's one `error_cb`, and offers no other way.
    """
    subscription = await client.subscribe(
        pattern,
        cb=take,
        pending_msgs_limit=MAX_PENDING_MESSAGES,
        # nats-py drops a message of that size also where nothing waits.
        pending_bytes_limit=max(MAX_PENDING_BYTES, 2 * client.max_payload),
    )
    hook = client._error_cb
    if not isinstance(hook, ErrorHook):
        hook = client._error_cb = ErrorHook(hook)
    overflows = hook.overflows
    overflows[id_of(subscription)] = Overflow(pattern, lost)

    def forget() -> None:
        overflows.pop(id_of(subscription), None)

    return subscription, forget


async def confirm(client: Client) -> None:
    """Return once the NATS server has all that was sent. Raises nats.errors.Error, TimeoutError.

    nats-py writes a PING at once, before commands that it still holds; those are written in the
    same turn or the next. So the first answer may come too early, and the second does not.
    """
    await client.flush(ANSWER_TIMEOUT_SECONDS)
    await client.flush(ANSWER_TIMEOUT_SECONDS)


def id_of(subscription: Subscription) -> int:
    """Return the id of a NATS subscription (`sid` in the protocol)."""
    return subscription._id


class ErrorHook:
    """Stands before a client's `error_cb`, which goes on being called for every error.

    Only nats-py's default one, which would log each dropped message, does not get ours.
    """

    def __init__(self, error_cb: Callable[[Exception], Awaitable[None]]) -> None:
        self.overflows: dict[int, Overflow] = {}
        """By subscription id."""
        self._error_cb = error_cb

    async def __call__(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError) and error.sid in self.overflows:
            self.overflows[error.sid].drop(error.subject)
            if self._error_cb is _default_error_callback:
                return
        await self._error_cb(error)


class Overflow:
    """Counts what is dropped of one subscription, hands it on each turn, logs each episode once."""

    def __init__(self, pattern: str, lost: Lost) -> None:
        self._pattern = pattern
        self._lost = lost
        self._dropped: Counter[str] = Counter()
        """By subject, in this turn of the event loop."""
        self._latest = float("-inf")

    def drop(self, subject: str) -> None:
        """Count a message."""
        loop = asyncio.get_running_loop()
        if not self._dropped:
            loop.call_soon(self._hand_on)
            if loop.time() - self._latest > EPISODE_QUIET_SECONDS:
                tell(events.MESSAGES_TOO_FAST, pattern=shorten(self._pattern))
            self._latest = loop.time()
        self._dropped[subject] += 1

    def _hand_on(self) -> None:
        dropped, self._dropped = self._dropped, Counter()
        for subject, count in dropped.items():
            self._lost(subject, count)
