"""The other end of the wire: a WebSocket client that is not aiohttp's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.servers import PATIENCE


class Browser:
    """One connection to the gateway. Use with `async with`. `token` goes into the first frame."""

    def __init__(self, stream: str, token: str | None = None, **options: Any) -> None:
        self._token = token
        options = {"compression": None} | options
        self._connect = connect(stream, max_size=None, max_queue=None, proxy=None, **options)
        self.ws: ClientConnection
        self.connection_id = ""

    async def __aenter__(self) -> Browser:
        self.ws = await self._connect.__aenter__()
        if self._token is not None:
            assert await self.next() == {"status": "token_required"}
            await self.send({"token": self._token})
        greeting = await self.next()
        assert greeting["success"] is True
        self.connection_id = greeting.get("connection_id", "")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.ws.close()

    async def frame(self) -> str:
        """Return the next frame as it came."""
        async with asyncio.timeout(PATIENCE):
            text = await self.ws.recv()
        assert isinstance(text, str)
        return text

    async def next(self) -> Any:
        """Return the next frame as a Python value."""
        return json.loads(await self.frame())

    async def send(self, request: object) -> None:
        """Send a request without waiting for its response."""
        await self.ws.send(request if isinstance(request, str) else json.dumps(request))

    async def ask(self, request: object) -> Any:
        """Send a request and return the first response; messages in between are passed over."""
        await self.send(request)
        while "success" not in (answer := await self.next()):
            pass
        return answer

    async def subscribe(self, *subjects: str) -> None:
        """Follow `subjects`; fail if one is refused."""
        answer = await self.ask({"subjects": list(subjects)})
        assert answer["success"] is True, answer

    async def subscribe_at_last(self, *subjects: str) -> None:
        """Follow `subjects`, maybe at a worker that has not found NATS yet."""
        answer = await self.ask({"subjects": list(subjects)})
        while answer.get("code") == "nats_down" or "success" not in answer:
            answer = await self.next()
        assert answer["success"] is True, answer

    async def received_and_dropped(self, sent: int) -> tuple[int, int]:
        """Read until `sent` messages are accounted for; return how many came, and were dropped."""
        received = dropped = 0
        while received + dropped < sent:
            frame = await self.next()
            received += "data" in frame
            dropped += frame.get("dropped", 0)
        return received, dropped

    async def quiet(self) -> None:
        """Fail if anything was sent before the answer to a request made now."""
        await self.send({"action": "unsubscribe", "subjects": ["nobody.follows.this"]})
        answer = await self.next()
        assert answer.get("code") == "not_subscribed", answer

    async def closed(self) -> int | None:
        """Wait for the end of the connection; return the close code."""
        async with asyncio.timeout(PATIENCE):
            await self.ws.wait_closed()
        return self.ws.close_code

    def kill(self) -> None:
        """Cut the connection as a crash does: no close frame, no FIN handshake."""
        self.ws.transport.abort()
