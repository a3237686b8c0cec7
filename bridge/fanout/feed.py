"""One NATS subscription, and the way of its messages to those who follow it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import nats.errors

from bridge.nats_link import stock_client
from bridge.wire.codes import Code
from bridge.wire.envelope import Envelope, Message
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

    from bridge.fanout.audience import Audience
    from bridge.nats_link.tapped import Lane
    from bridge.telemetry.counters import Counters

FLUSH_TIMEOUT_SECONDS = 2
"""For the NATS server to answer a subscribe."""


class Feed:
    """The subscription for one pattern, shared by all audiences that follow it."""

    def __init__(
        self,
        pattern: str,
        counters: Counters,
        revoked: Callable[[Feed], None],
        make_room: Callable[[], None],
    ) -> None:
        self.pattern = pattern
        self._make_room = make_room
        """Called before a lane is made; may have lanes forgotten, also of other feeds."""
        self._revoked = revoked
        """Called when the server takes the permission away later on."""
        self.followers: dict[str, Callable[[Message], None]] = {}
        """Connection id to what takes a message to it: an entry of the tutorial's `ssid_map`.
        Messages themselves go by the audiences."""
        self._audiences: dict[Audience, None] = {}
        self.last: tuple[int, str, bytes] = (0, "", b"")
        """The latest message, where patterns overlap: number over all feeds, subject, payload."""
        self._lanes: dict[str, Lane] = {}
        self._counters = counters
        self._subscription: Subscription | None = None
        self._is_open = False
        self._refused: Code | None = None
        self._ssid = 0
        self._unsubscribe: Callable[[int], None] = lambda sid: None
        self._forget_overflow: Callable[[], None] = lambda: None

    @property
    def ssid(self) -> int:
        """The id of the NATS subscription."""
        return self._ssid

    @property
    def waiting(self) -> int:
        """Messages queued between NATS and this feed: none with NATSLink, some with nats-py."""
        return self._subscription.pending_msgs if self._subscription is not None else 0

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Who follows."""
        return tuple(self._audiences)

    async def open(self, client: Any) -> None:
        """Subscribe, unless that is done, and wait until the NATS server has accepted it.

        Raises Refusal if it does not, and then leaves no subscription behind.
        """
        if client is None or not client.is_connected:
            raise self._refusal("nats_down", "NATS is not reachable just now")
        if self._refused is not None:
            # Taken away since, and about to be closed: nothing would come.
            raise self.refusal()
        if self._is_open:
            return
        try:
            subscribe_all = getattr(client, "subscribe_all", None)
            if subscribe_all is None:
                subscribing = stock_client.subscribe(
                    client, self.pattern, self._receive, self._lose
                )
                self._subscription, self._forget_overflow = await subscribing
                self._ssid = stock_client.id_of(self._subscription)
                await client.flush(FLUSH_TIMEOUT_SECONDS)
            else:
                (self._ssid,) = await subscribe_all([self])
                self._unsubscribe = client.unsubscribe
        except (nats.errors.Error, OSError, TimeoutError):
            await self.close()
            raise self._refusal("nats_down", "NATS did not answer in time") from None
        if self._refused is not None:
            await self.close()
            raise self.refusal()
        self._is_open = True

    async def close(self) -> None:
        """Unsubscribe. Idempotent."""
        subscription, self._subscription = self._subscription, None
        self._is_open = False
        self.forget_lanes()
        self._forget_overflow()
        self._unsubscribe(self._ssid)
        if subscription is not None:
            with contextlib.suppress(nats.errors.Error, OSError):
                await subscription.unsubscribe()

    async def _receive(self, msg: Msg) -> None:
        """Take a message from nats-py. A coroutine because it asks for one."""
        self._counters.received += 1
        self._deliver(msg.subject, [msg.data])

    def _lose(self, subject: str, count: int) -> None:
        """Count messages that nats-py dropped, and tell those they were for."""
        counters = self._counters
        counters.received += count
        for audience in self._audiences:
            due = count * len(audience.members)
            counters.expected += due
            if audience.gets(self.pattern, subject):
                audience.flush()
                for member in audience.members:
                    member.miss(count)
            else:
                counters.filtered += due

    def lane(self, subject: str) -> Lane:
        """Return the way of the messages on one subject; good for ever."""
        return partial(self._deliver, subject)

    def _deliver(self, subject: str, payloads: list[bytes]) -> None:
        lane = self._lanes.get(subject)
        if lane is None:
            self._make_room()
            lane = self._lanes[subject] = self._make_lane(subject)
        lane(payloads)

    def add(self, audience: Audience) -> None:
        """Take messages to `audience` from now on."""
        self._audiences[audience] = None
        self.forget_lanes()

    def remove(self, audience: Audience) -> None:
        """Stop taking messages to `audience`."""
        del self._audiences[audience]
        self.forget_lanes()

    def forget_lanes(self) -> None:
        """Have the lanes rebuilt when they are needed: they know who gets what."""
        self._lanes.clear()

    def _make_lane(self, subject: str) -> Lane:
        goes = {each: each.gets(self.pattern, subject) for each in self._audiences}
        elsewhere = [audience for audience, goes_there in goes.items() if not goes_there]
        targets = [audience for audience, goes_there in goes.items() if goes_there]
        called = [each for each in targets if each.callback is not None]
        framed = [each for each in targets if not (each.batch or each.callback)]
        lined = [each for each in targets if each.batch and not each.callback]
        watched = any(len(audience.patterns) > 1 for audience in goes)
        envelope = Envelope(subject)
        frames, lines = envelope.frames, envelope.lines
        if len(framed) == 1 and len(goes) == 1 and not watched:
            return _straight(framed[0], frames)

        def take(payloads: list[bytes]) -> None:
            if framed:
                _append(frames(payloads), framed)
            if lined:
                _append(lines(payloads), lined)
            if watched:
                self._counters.overlapping += len(payloads)
                self.last = (self._counters.overlapping, subject, payloads[-1])
            if called or elsewhere:
                self._take_aside(called, elsewhere, subject, payloads)

        return take

    def _take_aside(
        self,
        called: list[Audience],
        elsewhere: list[Audience],
        subject: str,
        payloads: list[bytes],
    ) -> None:
        counters = self._counters
        for audience in elsewhere:
            counters.expected += len(audience.members) * len(payloads)
            counters.filtered += len(audience.members) * len(payloads)
        for payload in payloads if called else ():
            message = Message(subject, payload)
            for audience in called:
                counters.expected += 1
                if audience.callback is not None:
                    audience.callback(message)

    def refuse(self, code: Code) -> None:
        """Take note that the server does not allow it, or not any more."""
        self._refused = code
        if self._is_open:
            self._revoked(self)

    def refusal(self) -> Refusal:
        """Return the refusal for all who follow, or want to, when the server does not allow it."""
        if self._refused == "nats_down":
            return self._refusal("nats_down", "NATS hung up on it, it is tried again later")
        return self._refusal(self._refused or "denied", "the NATS server does not allow it")

    def _refusal(self, code: Code, reason: str) -> Refusal:
        text = f"Cannot subscribe to {shorten(self.pattern)!r}: {reason}."
        return Refusal(code, text, [self.pattern])


def _straight(audience: Audience, frames: Callable[[list[bytes]], list[bytes]]) -> Lane:
    """Return the way to one audience: the usual case, and the one that has to be fast."""

    def take(payloads: list[bytes]) -> None:
        audience.append(frames(payloads))

    return take


def _append(pieces: list[bytes], audiences: list[Audience]) -> None:
    for audience in audiences:
        audience.append(pieces)
