"""Control lines of messages that came before, so that the next one like it costs a look."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.nats_link.tapped import Lane

MAX_LINES = 10000
MAX_BYTES = 8388608
"""Of all lines: a subject may have 4,000 bytes, and a publisher chooses it."""


class RememberedLines:
    """`known`: a control line to where the payload goes, and its size. Forgets the oldest first.

    A line may outlive its subscription; what still comes by it goes to a lane that ended.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[Lane, int]] = {}
        self._order: deque[bytes] = deque()
        # The first key of a dict is slow to find where many before it have been deleted.
        self._bytes = 0

    def add(self, line: bytes, known: tuple[Lane, int]) -> None:
        """Remember a line that is not known."""
        self.known[line] = known
        self._order.append(line)
        self._bytes += len(line)
        while len(self._order) > MAX_LINES or self._bytes > MAX_BYTES:
            oldest = self._order.popleft()
            del self.known[oldest]
            self._bytes -= len(oldest)
