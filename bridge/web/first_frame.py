"""The token that comes in the first frame, where a browser could put it nowhere else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSMsgType

from bridge.access.tokens import Principal, TokenError
from bridge.web.transport import close_or_abort
from bridge.wire import responses
from bridge.wire.codes import CloseCode
from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal

if TYPE_CHECKING:
    from bridge.access.authentication import Authentication
    from bridge.telemetry.counters import Counters
    from bridge.web.websocket import WebSocket


class FirstFrame:
    """Asks browsers for their tokens, each of which has `timeout` seconds to come."""

    def __init__(self, authentication: Authentication, counters: Counters, timeout: float) -> None:
        self._authentication = authentication
        self._counters = counters
        self._timeout = timeout
        self._waiting: set[WebSocket] = set()

    async def principal(self, ws: WebSocket, fault: str | TokenError) -> Principal:
        """Ask for a token, and return who holds it. `fault`: what is wrong with one that came.

        A TokenError is raised as it is: whoever has sent that token need not be asked.
        Raises TokenError if it is not valid; ConnectionError if the browser left, or if no token
        came in time, after it was closed with 4501.
        """
        if isinstance(fault, TokenError):
            raise fault
        self._waiting.add(ws)
        try:
            await ws.send_str(responses.token_required(fault).decode())
            return self._authentication.of_token(await self._token(ws))
        except TimeoutError:
            self._counters.refused["token_late"] += 1
            await self.refuse(ws, TokenError("no token came in time"))
            raise ConnectionAbortedError from None
        finally:
            self._waiting.discard(ws)

    async def _token(self, ws: WebSocket) -> str:
        async with asyncio.timeout(self._timeout):
            frame = await ws.receive()
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise ConnectionResetError("it left without a token")
        token = None
        if frame.type is WSMsgType.TEXT:
            try:
                token = parse_request(frame.data).token
            except Refusal:
                pass
        if token is None:
            raise TokenError("a token has to come first")
        return token

    async def refuse(self, ws: WebSocket, error: TokenError) -> None:
        """Close a connection whose token is missing or not valid."""
        await self._close(ws, error.code, str(error))

    async def close(self) -> None:
        """Close the connections that have not shown a token yet, since the service stops."""
        closing = (
            self._close(ws, CloseCode.RESTART, "the service stops") for ws in tuple(self._waiting)
        )
        await asyncio.gather(*closing)

    @staticmethod
    async def _close(ws: WebSocket, code: CloseCode, reason: str) -> None:
        if ws.transport is not None:
            await close_or_abort(ws, ws.transport, code, reason)
