"""The door: which TCP connections are taken, for how long they may take to ask, and what they see
when something fails.

A connection that is one too many gets a finished response at once, before it costs anything. What
comes through a trusted proxy has the proxy's address, so it is counted once its request is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bridge.assets import SECURITY_HEADERS
from bridge.metrics import Counters
from bridge.proxies import TrustedProxies, parse_address

SPARE_FILES = 64
"""Files kept back for NATS, log files and what else the process opens."""
LINGER = 1.0
"""Seconds a refused caller has to read why: an earlier end could take the answer with it."""
SAY_AGAIN = 60.0
"""Seconds between two lines that say the same."""

logger = logging.getLogger("bridge.door")


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
    ) -> None:
        self.request_timeout = request_timeout
        self._room = most
        """TCP connections."""
        self._most = most
        self._most_per_address = most_per_address
        self._proxies = proxies or TrustedProxies()
        self._counters = counters or Counters()
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
            logger.warning(
                "MAX_CONNECTIONS is %d, but with `ulimit -n` %d there is room for %d",
                *(self._most, files, self._room),
            )

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
            raise refusal("Try again later.")
        if not self._proxies.trusts(peer):
            yield  # `enter` has counted it
            return
        key = _key(caller)
        self._by_address[key] += 1
        try:
            if self._by_address[key] > self._most_per_address:
                self._counters.refused_address += 1
                raise refusal(self.full_for)
            yield
        finally:
            self._forget(key)

    async def body_of(self, request: web.Request) -> bytes:
        """Return the body of a request; 408 if it does not come in time."""
        try:
            async with asyncio.timeout(self.request_timeout):
                return await request.read()
        except TimeoutError:
            self._counters.too_late += 1
            raise web.HTTPRequestTimeout(text="The request did not come in time.\n") from None

    def _forget(self, key: str) -> None:
        self._by_address[key] -= 1
        if not self._by_address[key]:
            del self._by_address[key]


class Arrival(RequestHandler):
    """aiohttp's side of one TCP connection, made to go through the door.

    aiohttp ends one whose request does not come in `keepalive_timeout`, also the first one.
    """

    __slots__ = ("_address", "_counters", "_door", "_since")

    def __init__(self, server: web.Server, door: Door, counters: Counters) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=door.request_timeout,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own runner does the same
        )
        self._door, self._counters = door, counters
        self._address = ""
        self._since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say why not."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        room = self._door.enter(self._address)
        if not room:
            self._counters.refused_full += 1
            self._turn_away("Try again later.", linger=0)
        elif self._door.crowded(self._address):
            self._counters.refused_address += 1
            self._turn_away(self._door.full_for, linger=LINGER)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out."""
        lasted = self._loop.time() - self._since
        if not self._request_count and lasted >= self._door.request_timeout:
            self._counters.too_late += 1
        self._door.leave(self._address)
        super().connection_lost(exc)

    def _turn_away(self, sentence: str, linger: float) -> None:
        transport = self.transport
        if transport is None:
            return
        answer = refusal(sentence)
        text = answer.text or ""
        head = f"HTTP/1.1 503 {answer.reason}\r\nContent-Length: {len(text)}\r\nConnection: close"
        for name, value in answer.headers.items():
            if name not in ("Content-Length", "Connection"):
                head += f"\r\n{name}: {value}"
        transport.write(f"{head}\r\n\r\n{text}".encode())
        self.close()  # nothing that comes is read as a request any more
        self._loop.call_later(linger, transport.abort)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what failed without a word of why: that is in the log if it is a bug of ours."""
        if isinstance(exc, ConnectionError):
            raise exc  # the caller has left, which is no bug, and nobody is there to be answered
        if status == 500:
            logger.error("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("part of the response is sent already")
        text = "This is not a request.\n" if status == 400 else "Something went wrong.\n"
        response = web.Response(status=status, text=text, headers=SECURITY_HEADERS)
        response.force_close()
        return response


class LoopReports:
    """Logs what goes wrong in the event loop; of connections that cannot be taken, one line.

    asyncio tells of each one, thousands of times a second, and tries again after a second.
    """

    def __init__(self) -> None:
        self._said = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take a report, as `set_exception_handler` asks for."""
        if "out of system resource" not in str(context.get("message")):
            loop.default_exception_handler(context)
        elif loop.time() - self._said > SAY_AGAIN:
            self._said = loop.time()
            logger.error("no more files can be opened, new connections wait: see `ulimit -n`")


def refusal(sentence: str) -> web.HTTPServiceUnavailable:
    """Return the response for one too many."""
    return web.HTTPServiceUnavailable(text=f"{sentence}\n", headers={"Retry-After": "5"})


def _key(address: str) -> str:
    """Return what is counted as one address: of IPv6, all that one customer is given."""
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
