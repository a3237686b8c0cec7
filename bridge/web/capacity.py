"""How many connections are taken, in all and from one address; how often; how long each may take.

What comes through a trusted proxy has the proxy's address, so it is counted once its request is
there.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter

from aiohttp import web

from bridge.access.addresses import counted_as_one
from bridge.access.proxies import TrustedProxies
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import tell
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.web.handshake_rate import FLOOD_HANDSHAKES, HandshakeRate

FULL = "The gateway is full. Try again later."
STOPPING = "The gateway is stopping. Try again later."
SPARE_FILES = 64
"""Files kept back for NATS, log files and what else the process opens."""


class Capacity:
    """Counts connections. `limit` and `limit_per_address` are how many there may be.

    `request_timeout`: seconds for a request to come in, from the start of its connection or from
    its first byte. `keepalive_timeout`: seconds without a request after which a connection ends.
    `write_timeout`: seconds after which one ends that takes nothing of what it is sent.
    """

    def __init__(
        self,
        limit: int = 10000,
        limit_per_address: int = 1000,
        request_timeout: float = 15.0,
        proxies: TrustedProxies | None = None,
        counters: Counters | None = None,
        throttled: ThrottledLog | None = None,
        *,
        keepalive_timeout: float = 150.0,
        write_timeout: float = 5.0,
    ) -> None:
        self.request_timeout = request_timeout
        self.keepalive_timeout = keepalive_timeout
        self.write_timeout = write_timeout
        self._room = limit
        """TCP connections."""
        self._limit = limit
        self._limit_per_address = limit_per_address
        self._handshakes = HandshakeRate(limit_per_address)
        self._proxies = proxies or TrustedProxies()
        self._counters = counters or Counters()
        self._throttled = throttled or ThrottledLog()
        self._sockets = 0
        self._websockets = 0
        self._by_address: Counter[str] = Counter()

    def set_files(self, files: int) -> None:
        """Keep to what the process may open; tell if that is less than it is to serve."""
        self._room = max(1, files - SPARE_FILES)
        if self._room < self._limit:
            tell(events.FEW_FILES, limit=self._limit, files=files, room=self._room)

    @property
    def limit(self) -> int:
        """Connections there is room for."""
        return min(self._limit, self._room)

    @property
    def half_empty(self) -> bool:
        """Whether there is so much room that one who is refused may stay a moment."""
        return self._sockets < self._room // 2

    def count_in(self, address: str) -> str:
        """Count a TCP connection in; `count_out` takes it back.

        Returns the sentence for its caller if it is one too many, else nothing.
        """
        self._sockets += 1
        key = counted_as_one(address)
        if not self._proxies.trusts(address):
            self._by_address[key] += 1
        if self._sockets > self._room:
            return self._refuse_full(address)
        if self._by_address[key] > self._limit_per_address:
            return self._refuse_address(address)
        return ""

    def count_out(self, address: str) -> None:
        """Count a TCP connection out."""
        self._sockets -= 1
        if not self._proxies.trusts(address):
            self.forget(counted_as_one(address))

    def wait(self, caller: str) -> float:
        """Count a handshake of `caller`; return the seconds that it comes too soon, if it does."""
        return self._handshakes.wait(counted_as_one(caller), asyncio.get_running_loop().time())

    def too_soon(self, caller: str, wait: float) -> web.HTTPServiceUnavailable:
        """Count and tell of a handshake that came `wait` seconds too soon; return the response."""
        self._counters.refused["too_soon"] += 1
        self._throttled.tell(events.REFUSED_TOO_SOON, address=caller)
        rate = f"At most {self._handshakes.a_minute} connections a minute from one address, please"
        return no_room(f"{rate}; a flood counts as {FLOOD_HANDSHAKES}.", math.ceil(wait))

    def count_flood(self, caller: str) -> None:
        """Count a WebSocket of `caller` that had to be closed for a flood."""
        self._handshakes.count_flood(counted_as_one(caller), asyncio.get_running_loop().time())

    def take_place(self, caller: str, peer: str) -> Place:
        """Count a WebSocket of `caller` in, which came from `peer`.

        Raises HTTPServiceUnavailable, and counts nothing, if there is no room.
        """
        if self._websockets >= self._limit:
            raise no_room(self._refuse_full(caller))
        if self._proxies.trusts(peer):  # else `count_in` has counted its address
            if self._by_address[counted_as_one(caller)] >= self._limit_per_address:
                raise no_room(self._refuse_address(caller))
            self._by_address[counted_as_one(caller)] += 1
        self._websockets += 1
        key = counted_as_one(caller) if self._proxies.trusts(peer) else None
        return Place(self, caller, key)

    def leave(self) -> None:
        """Count a WebSocket out."""
        self._websockets -= 1

    def _refuse_full(self, address: str) -> str:
        """Count and tell that there is no room; return the sentence for whoever came."""
        self._counters.refused["full"] += 1
        self._throttled.tell(events.REFUSED_FULL, address=address)
        return FULL

    def _refuse_address(self, address: str) -> str:
        """Do the same for an address that has all it may have."""
        self._counters.refused["address"] += 1
        self._throttled.tell(events.REFUSED_ADDRESS, address=address)
        return f"At most {self._limit_per_address} connections from one address, please."

    def forget(self, key: str) -> None:
        self._by_address[key] -= 1
        if not self._by_address[key]:
            del self._by_address[key]


class Place:
    """The place of one WebSocket; `key`: what its address is counted as, if it is counted here."""

    __slots__ = ("_caller", "_capacity", "_is_taken", "_key")

    def __init__(self, capacity: Capacity, caller: str, key: str | None) -> None:
        self._capacity, self._caller, self._key = capacity, caller, key
        self._is_taken = True

    def count_flood(self) -> None:
        """Count that the WebSocket had to be closed for a flood."""
        self._capacity.count_flood(self._caller)

    def leave(self) -> None:
        """Count the WebSocket out, though its address still has something open. Idempotent."""
        if self._is_taken:
            self._is_taken = False
            self._capacity.leave()

    def give_back(self) -> None:
        """Count it out, and its address too. Idempotent."""
        self.leave()
        key, self._key = self._key, None
        if key is not None:
            self._capacity.forget(key)


def no_room(sentence: str, seconds: int = 5) -> web.HTTPServiceUnavailable:
    """Return the response for one too many, or for whom it is too early: by so many `seconds`."""
    return web.HTTPServiceUnavailable(text=f"{sentence}\n", headers={"Retry-After": str(seconds)})


def no_room_at_all(sentence: str) -> bytes:
    """Return the same response as it is sent where no request is read, and none will be."""
    answer = no_room(sentence)
    text = answer.text or ""
    head = f"HTTP/1.1 503 {answer.reason}\r\nContent-Length: {len(text)}\r\nConnection: close"
    for name, value in answer.headers.items():
        if name not in ("Content-Length", "Connection"):
            head += f"\r\n{name}: {value}"
    return f"{head}\r\n\r\n{text}".encode()
