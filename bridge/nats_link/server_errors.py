"""What errors of the NATS server mean. It sends them as English text, without a code.

Each row of this table is held to the real nats-server by a test, so that a version with other
words fails by name. The texts are those of nats-server 2.10 to 2.15 (`server/errors.go`).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from bridge.nats_link.quoting import QUOTED, unquote

_SUBSCRIPTION_DENIED = re.compile(
    rf'permissions violation for subscription to ({QUOTED})(?: \(sid "(\d+)"\))?',
    re.IGNORECASE,
)
_PUBLICATION_DENIED = re.compile(rf"permissions violation for publish to ({QUOTED})", re.IGNORECASE)


class DeniedSubscription(NamedTuple):
    """Subject of a SUB, and its id where a permission is taken away later."""

    subject: str
    sid: int | None


def denied_subscription(text: str) -> DeniedSubscription | None:
    """Return which subscription an error is about; None for one about something else."""
    found = _SUBSCRIPTION_DENIED.search(text)
    if found is None:
        return None
    quoted, sid = found.groups()
    return DeniedSubscription(unquote(quoted), None if sid is None else int(sid))


def denied_publish(text: str) -> str | None:
    """Return the subject that an error says nothing may be published to; None for another error."""
    found = _PUBLICATION_DENIED.search(text)
    return None if found is None else unquote(found[1])


class ServerError(Enum):
    """What an error is about, as far as it makes a difference here."""

    DENIED = auto()
    """A SUB or a PUB that the NATS user may not do; the connection stays."""
    TOO_MANY_SUBSCRIPTIONS = auto()
    """The newest SUB is not accepted; the connection stays."""
    LINE_TOO_LONG = auto()
    """A SUB is longer than the server's `max_control_line`; it ends the connection."""
    STALE = auto()
    """The server heard nothing from us for too long, and ends the connection."""
    SIGNED_OUT = auto()
    """Our credentials are not valid, or no longer; the server ends the connection."""
    OTHER = auto()


_WORDS: tuple[tuple[str, ServerError], ...] = (
    ("permissions violation", ServerError.DENIED),
    ("maximum subscriptions exceeded", ServerError.TOO_MANY_SUBSCRIPTIONS),
    ("maximum control line exceeded", ServerError.LINE_TOO_LONG),
    ("stale connection", ServerError.STALE),
    ("authorization", ServerError.SIGNED_OUT),
    ("authentication", ServerError.SIGNED_OUT),
    ("account", ServerError.SIGNED_OUT),
)


def meaning_of(text: str) -> ServerError:
    """Return what an error of the server is about; the first row that fits counts."""
    lowered = text.lower()
    return next((error for words, error in _WORDS if words in lowered), ServerError.OTHER)
