"""The closed lists of what browsers are told: actions, refusals, close codes, readiness."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Literal

SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
PING = "ping"
SUBJECTS = "subjects"
PUBLISH = "publish"
REQUEST = "request"

# fmt: off  one line for each kind
Code = Literal[
    "bad_request",
    "bad_subject",
    "not_subscribed",
    "denied",
    "limit",
    "nats_down",
    "rate_limited",
    "too_large",
    "no_responders",
    "timeout",
    "not_stored",
    "no_history",
    "already_followed",
    "stream_gone",
]
# fmt: on
"""Why a request, or one subject of it, is refused."""


class CloseCode(IntEnum):
    """Why we close a WebSocket.

    Below 4000: RFC 6455, section 7.4.1. 4000 to 4499 ask the browser to come back later, 4500 and
    up ask it not to. 1007, for what is not UTF-8 or cannot be inflated, is aiohttp's own.
    """

    PROTOCOL_ERROR = 1002
    TOO_LARGE = 1009
    BUG = 1011
    RESTART = 1012
    STALLED = 4008
    FLOOD = 4029
    TOO_MANY_BAD_REQUESTS = 4400
    TOKEN = 4501


NO_CLOSE_FRAME = 1006
"""What stands for a code where the connection was lost (RFC 6455, section 7.1.5)."""


OK = "ok"
"""What `/readyz` and `/livez` say if all is well."""


class NotReady(StrEnum):
    """Why the service is not ready, as `/readyz` names it."""

    STOPPING = "stopping"
    NATS_DOWN = "nats_down"
    NATS_AUTH = "nats_auth"
