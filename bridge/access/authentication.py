"""Who a connection is for: the token in its request or in its first frame, and how long it counts.

A token never comes in the URL, which is written to logs on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from aiohttp import WSMsgType, web

from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import TokenError, Tokens, Visitor
from bridge.telemetry import events
from bridge.telemetry.metrics import Counters
from bridge.telemetry.throttled_log import Refusals
from bridge.wire import messages
from bridge.wire.messages import CloseCode, Refusal

COOKIE = "nats_bridge_token"
CLOSE_SECONDS = 2.0
LOOK_EVERY = 30.0
"""Seconds between two looks at the clock on the wall, which may be set, and at revoked tokens."""


class Visit:
    """The visitor of one connection, and the end of the token that was shown for it."""

    def __init__(self, visitor: Visitor, tokens: Tokens | None = None) -> None:
        self.visitor = visitor
        self.address = ""
        """Where it comes from, if that is known."""
        self._tokens = tokens
        self._end: Callable[[str], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, end: Callable[[str], None]) -> None:
        """Call `end` with a reason once the token counts no more."""
        self._end = end
        self._look()

    def stop(self) -> None:
        """Watch no more. Twice is harmless."""
        self._end = None
        if self._timer is not None:
            self._timer.cancel()

    def renew(self, token: str) -> None:
        """Take a fresh token. Raises TokenError; one of somebody else does not count either."""
        if self._tokens is None:
            raise TokenError("no token is asked for here")
        visitor = self._tokens.visitor(token, time.time())
        if self.visitor.identity not in ((), visitor.identity):
            raise TokenError("the token is for somebody else than the one before")
        self.visitor = visitor
        if self._timer is not None:
            self._timer.cancel()
        self._look()

    def _look(self) -> None:
        self._timer = None
        if self._end is None or self._tokens is None or not self.visitor.identity:
            return
        left = self.visitor.expires - time.time()
        if left <= 0:
            self._end("the token has expired")
        elif self._tokens.revoked(self.visitor):
            self._end("the token has been revoked")
        else:
            wait = min(left, LOOK_EVERY)
            self._timer = asyncio.get_running_loop().call_later(wait, self._look)


class Admission:
    """Lets connections in: anyone while there are no `tokens`, or if `anonymous`; else holders.

    `policy`: what may be followed without a token. `token_timeout`: seconds for the first frame.
    `address_of`: returns whose a request is, for the log.
    """

    def __init__(
        self,
        policy: SubjectPolicy,
        counters: Counters,
        tokens: Tokens | None = None,
        *,
        anonymous: bool = False,
        token_timeout: float = 5.0,
        refusals: Refusals | None = None,
        address_of: Callable[[web.Request], str] = lambda request: request.remote or "",
    ) -> None:
        self._counters = counters
        self._refusals = refusals or Refusals()
        self._address_of = address_of
        self._nobody = Visitor(policy)
        self._tokens = tokens
        self._anonymous = anonymous or tokens is None
        self._token_timeout = token_timeout
        self._waiting: dict[web.WebSocketResponse, web.BaseRequest] = {}

    @property
    def waiting(self) -> int:
        """How many connections have been accepted and have not shown their token yet."""
        return len(self._waiting)

    def visitor(self, request: web.Request) -> Visitor | str:
        """Return who asks for a WebSocket, by header or cookie.

        A string if a token has to be asked for: what is wrong with the one in the cookie, or
        nothing if there is none. A page sees no 401, but a connection that was lost, and would try
        for ever; nor can it take such a cookie away, but its user may have another token. Raises
        HTTPUnauthorized if there is one in the header that does not count: no page sets that.
        """
        fault = ""
        try:
            visitor = self._shown(request)
        except TokenError as error:
            if bearer_of(request) is not None:
                raise self._unauthorized(request, str(error)) from None
            visitor, fault = None, str(error)
        if visitor is None and self._anonymous:
            return self._nobody
        return visitor or fault

    def visitor_of_post(self, request: web.Request) -> Visitor:
        """Return who asks. Raises HTTPUnauthorized if a token is missing or does not count."""
        try:
            visitor = self._shown(request)
        except TokenError as error:
            raise self._unauthorized(request, str(error)) from None
        if visitor is None and not self._anonymous:
            raise self._unauthorized(request, "a token is needed")
        return visitor or self._nobody

    def _shown(self, request: web.Request) -> Visitor | None:
        """Return the holder of the token in a request; None without one. Raises TokenError."""
        token = bearer_of(request)
        if token is None and "Origin" in request.headers:
            # A browser sends a cookie along whoever wrote the page, but then it says which page
            # that is, and the origin has been checked.
            token = request.cookies.get(COOKIE)
        if token is None or self._tokens is None:
            return None
        return self._tokens.visitor(token, time.time())

    async def visit(
        self, ws: web.WebSocketResponse, request: web.Request, visitor: Visitor | str
    ) -> Visit | None:
        """Return the visit that begins; ask for a token if there is no visitor yet.

        None, after the connection was closed with 4501, if none comes that counts.
        """
        if isinstance(visitor, Visitor):
            return Visit(visitor, self._tokens)
        assert self._tokens is not None
        self._waiting[ws] = request
        try:
            await ws.send_str(messages.token_required(visitor).decode())
            return Visit(await self._first_frame(ws, self._tokens), self._tokens)
        except TimeoutError:
            self._counters.refused_token_late += 1
            await self._close(ws, request, CloseCode.TOKEN, "no token came in time")
        except TokenError as error:
            self.refuse(request, str(error))
            await self._close(ws, request, CloseCode.TOKEN, str(error))
        except ConnectionError:
            pass  # it left
        finally:
            del self._waiting[ws]
        return None

    async def _first_frame(self, ws: web.WebSocketResponse, tokens: Tokens) -> Visitor:
        async with asyncio.timeout(self._token_timeout):
            frame = await ws.receive()
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise ConnectionResetError("it left without a token")
        try:
            text = frame.type is WSMsgType.TEXT
            token = messages.parse_request(frame.data).token if text else None
        except Refusal:
            token = None
        if token is None:
            raise TokenError("a token has to come first")
        return tokens.visitor(token, time.time())

    async def close(self) -> None:
        """Close the connections that have not shown a token yet, since the service stops."""
        reason = "the service stops"
        waiting = tuple(self._waiting.items())
        await asyncio.gather(*(self._close(*each, CloseCode.RESTART, reason) for each in waiting))

    @staticmethod
    async def _close(
        ws: web.WebSocketResponse, request: web.BaseRequest, code: CloseCode, reason: str
    ) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await ws.close(code=code, message=reason.encode())
        if request.transport is not None:
            request.transport.abort()

    def refuse(self, request: web.Request, reason: str) -> None:
        """Count and tell that a token is missing, or does not count."""
        self._counters.refused_unauthorized += 1
        address = self._address_of(request)
        self._refusals.add(events.REFUSED_TOKEN, address=address, reason=reason)

    def _unauthorized(self, request: web.Request, reason: str) -> web.HTTPUnauthorized:
        self.refuse(request, reason)
        sentence = f"{reason[:1].upper()}{reason[1:]}.\n"
        return web.HTTPUnauthorized(text=sentence, headers={"WWW-Authenticate": "Bearer"})


def bearer_of(request: web.Request) -> str | None:
    """Return the token in the Authorization header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
