"""The gate: who comes in by HTTP, and what the others are told.

Every route that a browser can do something with begins here: origin, token, capacity, size and time
of what it sends are judged, and only then it is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from bridge.access.tokens import NotYet, Principal, TokenError
from bridge.telemetry import events
from bridge.web.capacity import STOPPING, no_room
from bridge.web.cross_origin import preflight_response
from bridge.web.first_frame import FirstFrame
from bridge.web.handshake import accepted_form, require_websocket
from bridge.web.heartbeat import Heartbeat
from bridge.web.http_stream import EVENT_STREAM, IDLE_SECONDS, HttpStream
from bridge.web.pages import Pages
from bridge.web.tcp import UNREADABLE
from bridge.web.visit import Visit
from bridge.web.websocket import WebSocket
from bridge.wire.codes import CloseCode
from bridge.wire.responses import too_large

HELD_SECONDS = 1.0
"""For whoever comes too soon: refused at once, it would be back at once, and cost as much again."""

if TYPE_CHECKING:
    from bridge.access.authentication import Authentication, Operators
    from bridge.access.login import Login
    from bridge.access.origins import OriginPolicy
    from bridge.access.proxies import Caller, TrustedProxies
    from bridge.telemetry.counters import Counters
    from bridge.telemetry.throttled_log import ThrottledLog
    from bridge.web.capacity import Capacity, Place
    from bridge.wire.compression import Compression

Who = TypeVar("Who")


class Gate:
    """The one door of a service. What it refuses is counted, and logged through `throttled`.

    `token_timeout`: seconds for a token to come in the first frame.
    """

    def __init__(
        self,
        *,
        origins: OriginPolicy,
        proxies: TrustedProxies,
        authentication: Authentication,
        operators: Operators,
        capacity: Capacity,
        counters: Counters,
        throttled: ThrottledLog,
        max_request_bytes: int,
        token_timeout: float,
        compression: Compression,
    ) -> None:
        self._proxies = proxies
        self._pages = Pages(origins, proxies, counters, throttled)
        self._authentication, self._operators = authentication, operators
        self._capacity, self._counters, self._throttled = capacity, counters, throttled
        self._max_request_bytes, self._compression = max_request_bytes, compression
        self._first_frame = FirstFrame(authentication, counters, token_timeout)
        self.heartbeat, self.idle_heartbeat = Heartbeat(), Heartbeat(IDLE_SECONDS)
        """Those of WebSockets, and of responses that go on."""
        self._shut = False

    async def websocket(self, request: web.Request) -> Visit:
        """Let a WebSocket in, and hold its place until its login stops, or the end of its visit.

        The login is None if a token had to come and none did: the connection is closed then.
        Raises HTTPException for whom it does not let in.
        """
        caller = self._caller_of(request)
        await self._refuse(request, caller)
        principal, place = self._admit(request, caller, self._authentication.of_websocket)
        most, counters = self._max_request_bytes, self._counters
        ws = WebSocket(most, counters, place.count_flood, self._compression)
        visit = Visit(ws, place, self.heartbeat)
        try:
            await self._upgrade(ws, request)
            self.heartbeat.add(ws)
            visit.login = await self._login(ws, principal, caller, place)
        except BaseException:
            visit.end()
            raise
        return visit

    @asynccontextmanager
    async def http_stream(
        self, request: web.Request
    ) -> AsyncIterator[tuple[HttpStream, Login | None]]:
        """Let in who asks for messages by a GET, and hold a place as for a WebSocket.

        The login is None if the service stops: the response has ended then.
        Raises HTTPException for whom it does not let in.
        """
        caller = self._caller_of(request)
        await self._refuse(request, caller)
        form = accepted_form(request)
        has_token = self._authentication.has_bearer(request)
        self._pages.refuse_unnamed(request, caller, has_token=has_token)
        if self._shut and form is EVENT_STREAM and request.method == "GET":
            # After a 503 an EventSource does not come back: it is told what the others are told.
            stream = HttpStream(request, form, self._compression)
            await stream.close(code=CloseCode.RESTART, message=b"the service stops")
            stream.release()
            yield stream, None
            return
        principal, place = self._admit(request, caller, self._authentication.of_http)
        with ExitStack() as stack:
            stack.callback(place.give_back)
            stream = HttpStream(request, form, self._compression)
            stack.callback(stream.release)
            self.idle_heartbeat.add(stream)
            stack.callback(self.idle_heartbeat.discard, stream)
            yield stream, self._authentication.login(principal, caller.address, place.leave)

    async def post(self, request: web.Request) -> tuple[bytes, Principal]:
        """Return the body of a POST and who makes it. Raises HTTPException for whom it refuses."""
        caller = self._caller_of(request)
        self._pages.refuse_foreign(request, caller)
        try:
            principal = self._authentication.of_http(request)
        except TokenError as error:
            raise self._unauthorized(caller, error) from None
        return await self._body_of(request), principal

    def address_of(self, request: web.Request) -> str:
        """Return the address that a request comes from; what a trusted proxy says counts."""
        return self._caller_of(request).address

    def preflight(self, request: web.Request) -> web.Response:
        """Answer what a browser asks before a page POSTs. Raises HTTPForbidden if it is foreign."""
        self._pages.refuse_foreign(request, self._caller_of(request))
        return preflight_response()

    def operator(self, request: web.Request) -> None:
        """Let operators in. Raises HTTPForbidden if there are none, or HTTPUnauthorized."""
        if not self._operators:
            raise web.HTTPForbidden(text="Set OPERATOR_TOKEN to see this.\n")
        if not self._operators.include(request):
            error = TokenError("the token of an operator is needed")
            raise self._unauthorized(self._caller_of(request), error)

    def shut(self) -> None:
        """Let nobody be connected any more."""
        self._shut = True

    async def close(self) -> None:
        """Close the connections that have not shown a token yet."""
        self.shut()
        await self._first_frame.close()

    async def _refuse(self, request: web.Request, caller: Caller) -> None:
        """Answer who comes too soon, or from a page of another origin, instead of connecting it."""
        wait = self._capacity.wait(caller.address)
        if wait and self._capacity.half_empty:
            await asyncio.sleep(HELD_SECONDS)
        self._pages.refuse_foreign(request, caller)
        if wait:
            raise self._capacity.too_soon(caller.address, wait)

    def _admit(
        self, request: web.Request, caller: Caller, who_asks: Callable[[web.Request], Who]
    ) -> tuple[Who, Place]:
        """Return who asks to be connected, as `who_asks` tells, and a place."""
        try:
            principal = who_asks(request)
        except TokenError as error:
            raise self._unauthorized(caller, error) from None
        if self._shut:
            raise no_room(STOPPING)
        return principal, self._capacity.take_place(caller.address, request.remote or "")

    def _caller_of(self, request: web.Request) -> Caller:
        """Return who makes a request and how, from a trusted proxy's headers if there is one."""
        peer = request.remote or ""
        return self._proxies.caller(peer, request.scheme, request.host, request.headers)

    def _unauthorized(self, caller: Caller, error: TokenError) -> web.HTTPException:
        reason = str(error)
        self._refuse_token(caller, reason)
        sentence = f"{reason[:1].upper()}{reason[1:]}."
        if isinstance(error, NotYet):
            return no_room(sentence)
        return web.HTTPUnauthorized(text=f"{sentence}\n", headers={"WWW-Authenticate": "Bearer"})

    def _refuse_token(self, caller: Caller, reason: str) -> None:
        self._counters.refused["unauthorized"] += 1
        self._throttled.tell(events.REFUSED_TOKEN, address=caller.address, reason=reason)

    async def _upgrade(self, ws: WebSocket, request: web.Request) -> None:
        require_websocket(request)
        try:
            await ws.prepare(request)
        except ValueError:
            # aiohttp decodes some headers, and repeats others, without a look at whether it can.
            raise web.HTTPBadRequest(text="This is not a request.\n") from None

    async def _login(
        self, ws: WebSocket, principal: Principal | str | TokenError, caller: Caller, place: Place
    ) -> Login | None:
        """Return the login of a connection; ask for a token if it is not known yet who it is."""
        if not isinstance(principal, Principal):
            try:
                principal = await self._first_frame.principal(ws, principal)
            except TokenError as error:
                self._refuse_token(caller, str(error))
                await self._first_frame.refuse(ws, error)
                return None
            except ConnectionError:
                return None  # it left, or no token came in time
        return self._authentication.login(principal, caller.address, stopped=place.leave)

    async def _body_of(self, request: web.Request) -> bytes:
        """Return the body of a request; 408 if it does not come in time, 413 if it is too large."""
        try:
            async with asyncio.timeout(self._capacity.request_timeout):
                return await request.read()
        except TimeoutError:
            self._counters.refused["too_late"] += 1
            raise web.HTTPRequestTimeout(text="The request did not come in time.\n") from None
        except web.HTTPRequestEntityTooLarge as error:
            self._counters.refused["too_large"] += 1
            error.text = f"{too_large(request.client_max_size)}\n"
            raise
        except UNREADABLE:
            self._counters.refused["bad_request"] += 1
            raise web.HTTPBadRequest(text="The body of the request cannot be read.\n") from None
