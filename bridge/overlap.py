"""Patterns of one connection that overlap: it gets each message once, not once for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.subjects import matches

if TYPE_CHECKING:
    from bridge.feed import Deliver, Feed
    from bridge.messages import Message
    from bridge.metrics import Counters


class Once:
    """Delivers what no earlier pattern of the same connection (`shadows`) brings already."""

    def __init__(self, deliver: Deliver, shadows: list[str], counters: Counters) -> None:
        self.shadows = shadows
        self._deliver = deliver
        self._counters = counters
        self._brought: Message | None = None
        """What a pattern no longer followed has brought already, should its copy come next."""

    def __call__(self, message: Message) -> None:
        brought, self._brought = self._brought, None
        known = brought is not None and _same(brought, message)
        if known or any(matches(shadow, message.subject) for shadow in self.shadows):
            self._counters.filtered += 1
        else:
            self._deliver(message)

    def take_over(self, gone: Feed, own: Feed) -> None:
        """Deliver from here on what `gone`, one of `shadows`, has delivered until now.

        NATS sends the copies of a message for several subscriptions one after the other. So at
        most one message can have come by one feed and not yet by the other: if `gone` had it, its
        copy is passed over, and if only we had it, it is delivered now.
        """
        self.shadows.remove(gone.pattern)
        if gone.last is not None and own.last is not None and _same(gone.last, own.last):
            return
        if gone.last_number > own.last_number:
            self._brought = gone.last
        elif own.last is not None and matches(gone.pattern, own.last.subject):
            self._counters.due += 1
            self(own.last)

    def settle(self) -> None:
        """Forget what `take_over` noted: all that was on its way then has come."""
        self._brought = None


def _same(one: Message, other: Message) -> bool:
    return one.subject == other.subject and one.payload == other.payload
