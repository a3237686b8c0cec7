"""How often one address may ask for a WebSocket, which costs far more than the request for a page.

Each handshake, taken or refused, uses up some time of its address, and a flood that had to be ended
uses up more. An address may be ahead of the clock by so much, and no further.
"""

from __future__ import annotations

MINUTES_AT_ONCE = 3
"""All pages of an address come back together when a gateway starts again, or the network is back;
so this often within one minute."""
FEWEST_A_MINUTE = 200
"""One person reloads a page, and opens some more, however few may be open at a time."""
FLOOD_HANDSHAKES = 10
"""What a connection counts that was closed for a flood: by then it has cost several times as much,
and nobody needs to do so again."""
MAX_WAIT_SECONDS = 60.0
"""Whoever stops is let in again by then, and so are the others behind its address."""
MAX_ADDRESSES = 10000
"""Remembered, those that came last."""


class HandshakeRate:
    """Lets each address make so many handshakes a minute, and three times as many at once.

    That is as many as it may have connections: all of them can come back. Times are monotonic, in
    seconds.
    """

    def __init__(self, connections: int) -> None:
        self.a_minute = max(connections, FEWEST_A_MINUTE)
        self._each = 60 / self.a_minute
        """Seconds that a handshake uses up."""
        self._ahead = MINUTES_AT_ONCE * 60.0
        self._used_up: dict[str, float] = {}
        """Until when each address has used up its time, the one that came last at the end."""

    def wait(self, address: str, now: float) -> float:
        """Count a handshake and return 0; or the seconds that it comes too soon, uncounted."""
        wait = self._used_up.get(address, now) - now - self._ahead
        if wait > 0:
            return wait
        self._use_up(address, self._each, now)
        return 0.0

    def count_flood(self, address: str, now: float) -> None:
        """Count a connection that had to be closed for a flood."""
        self._use_up(address, FLOOD_HANDSHAKES * self._each, now)

    def _use_up(self, address: str, seconds: float, now: float) -> None:
        until = max(self._used_up.pop(address, now), now) + seconds
        self._used_up[address] = min(until, now + self._ahead + MAX_WAIT_SECONDS)
        if len(self._used_up) > MAX_ADDRESSES:
            del self._used_up[next(iter(self._used_up))]
