"""Patterns of one connection that overlap: the right moment to go from one to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.subjects import matches

if TYPE_CHECKING:
    from bridge.feed import Feed


def is_between_copies(gone: Feed, heir: Feed) -> bool:
    """Tell whether a message has come by one of two overlapping feeds and not yet by the other.

    NATS sends the copies of a message for several subscriptions one after the other. A connection
    that goes from the one feed to the other between them would get the message twice, or not at
    all.
    """
    if gone.last[1:] == heir.last[1:]:
        return False
    ahead, behind = (gone, heir) if gone.last > heir.last else (heir, gone)
    return matches(behind.pattern, ahead.last[1])
