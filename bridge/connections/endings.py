"""What the end of a connection is counted as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wire.codes import CloseCode

if TYPE_CHECKING:
    from bridge.telemetry.counters import Closed

ENDINGS: dict[int, Closed] = {
    CloseCode.PROTOCOL_ERROR: "protocol",
    CloseCode.TOO_LARGE: "too_large",
    CloseCode.BUG: "bug",
    CloseCode.RESTART: "restart",
    CloseCode.STALLED: "stalled",
    CloseCode.FLOOD: "flood",
    CloseCode.TOO_MANY_BAD_REQUESTS: "bad_requests",
    CloseCode.TOKEN: "token",
}
"""A close code of ours to what the connection is counted as; the rest is `other`."""
