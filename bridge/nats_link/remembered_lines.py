"""Control lines of messages that came before, so that the next one like it costs a look."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bridge.nats_link.tapped import Lane, Tapped

MAX_LINES = 10000
MAX_BYTES = 8388608
"""Of all lines: a subject may have 4,000 bytes, and a publisher chooses it."""


class Way(NamedTuple):
    """What a control line says: where the payload goes, and what there is to it."""

    lane: Lane
    tap: Tapped
    size: int
    """Bytes of headers and payload."""
    head: int
    """Bytes of headers."""
    reply: bytes


class RememberedLines:
    """`known`: control lines without a reply subject. Forgets the oldest first.

    A line may outlive its subscription; what still comes by it goes to a lane that ended.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, Way] = {}
        self._order: deque[bytes] = deque()
        # The first key of a dict is slow to find where many before it have been deleted.
        self._bytes = 0

    def add(self, line: bytes, way: Way) -> None:
        """Remember a line that is not known."""
        self.known[line] = way
        self._order.append(line)
        self._bytes += len(line)
        while len(self._order) > MAX_LINES or self._bytes > MAX_BYTES:
            oldest = self._order.popleft()
            del self.known[oldest]
            self._bytes -= len(oldest)
