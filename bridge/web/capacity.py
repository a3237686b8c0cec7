"""The door: how many connections are taken, in all and from one address, and how long a request may
take.

What comes through a trusted proxy has the proxy's address, so it is counted once its request is
there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from bridge.access.proxies import TrustedProxies, parse_address
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.telemetry.metrics import Counters
from bridge.telemetry.throttled_log import Refusals
from bridge.wire.messages import too_large

SPARE_FILES = 64
"""Files kept back for NATS, log files and what else the process opens."""


class Door:
    """Counts who is inside. `most` and `most_per_address` are numbers of connections.

    `request_timeout`: seconds for a request to come in, from the start of its connection or the
    end of the one before.
    """

    def __init__(
        self,
        most: int = 10000,
        most_per_address: int = 1000,
        request_timeout: float = 15.0,
        proxies: TrustedProxies | None = None,
        counters: Counters | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.request_timeout = request_timeout
        self._room = most
        """TCP connections."""
        self._most = most
        self._most_per_address = most_per_address
        self._proxies = proxies or TrustedProxies()
        self._counters = counters or Counters()
        self.refusals = refusals or Refusals()
        self._sockets = 0
        self._by_address: Counter[str] = Counter()

    @property
    def full_for(self) -> str:
        """The sentence for a caller whose address has all the connections it may have."""
        return f"At most {self._most_per_address} connections from one address, please."

    def set_files(self, files: int) -> None:
        """Keep to what the process may open; tell if that is less than it is to serve."""
        self._room = max(1, files - SPARE_FILES)
        if self._room < self._most:
            tell(events.FEW_FILES, limit=self._most, files=files, room=self._room)

    @property
    def limit(self) -> int:
        """Connections there is room for."""
        return min(self._most, self._room)

    @property
    def half_empty(self) -> bool:
        """Whether there is so much room that one who is refused may stay a moment."""
        return self._sockets < self._room // 2

    def enter(self, address: str) -> bool:
        """Count a TCP connection in; return whether there is room for it. `leave` takes it back."""
        self._sockets += 1
        if not self._proxies.trusts(address):
            self._by_address[_key(address)] += 1
        return self._sockets <= self._room

    def leave(self, address: str) -> None:
        """Count a TCP connection out."""
        self._sockets -= 1
        if not self._proxies.trusts(address):
            self._forget(_key(address))

    def crowded(self, address: str) -> bool:
        """Tell whether an address that is counted has more connections than it may have."""
        return self._by_address[_key(address)] > self._most_per_address

    @contextlib.contextmanager
    def place_for(self, caller: str, peer: str, connections: int) -> Iterator[None]:
        """Hold a place for a WebSocket of `caller`, which came from `peer`; 503 if there is none.

        `connections`: how many WebSockets there are already.
        """
        if connections >= self._most:
            self._counters.refused_full += 1
            self.refusals.add(events.REFUSED_FULL, address=caller)
            raise refusal("Try again later.")
        if not self._proxies.trusts(peer):
            yield  # `enter` has counted it
            return
        key = _key(caller)
        self._by_address[key] += 1
        try:
            if self._by_address[key] > self._most_per_address:
                self._counters.refused_address += 1
                self.refusals.add(events.REFUSED_ADDRESS, address=caller)
                raise refusal(self.full_for)
            yield
        finally:
            self._forget(key)

    async def body_of(self, request: web.Request) -> bytes:
        """Return the body of a request; 408 if it does not come in time, 413 if it is too large."""
        try:
            async with asyncio.timeout(self.request_timeout):
                return await request.read()
        except TimeoutError:
            self._counters.refused_too_late += 1
            raise web.HTTPRequestTimeout(text="The request did not come in time.\n") from None
        except web.HTTPRequestEntityTooLarge as error:
            self._counters.refused_too_large += 1
            error.text = f"{too_large(request.client_max_size)}\n"
            raise

    def _forget(self, key: str) -> None:
        self._by_address[key] -= 1
        if not self._by_address[key]:
            del self._by_address[key]


def refusal(sentence: str) -> web.HTTPServiceUnavailable:
    """Return the response for one too many."""
    return web.HTTPServiceUnavailable(text=f"{sentence}\n", headers={"Retry-After": "5"})


def _key(address: str) -> str:
    """Return what is counted as one address: of IPv6, all that one customer is given."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
