"""What is said in dialogues with gateways, noted as it is said."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.browser_client import Browser
from tests.support.servers import Gateway, NatsServer, http


@dataclass(frozen=True)
class Said:
    """One JSON value, and what AsyncAPI calls where it went: a channel, and receive or send."""

    channel: str
    action: str
    text: str
    status: int | None = None
    """The status of HTTP that it came with."""

    @property
    def value(self) -> Any:
        return json.loads(self.text) if self.text[0] in "[{" else self.text


@dataclass
class Scene:
    """The servers there are, and what was said so far: each thing once."""

    nats: NatsServer
    open: Gateway
    late: Gateway
    """A replica of it that has no time to wait for NATS."""
    guarded: Gateway
    tape: dict[Said, None] = field(default_factory=dict)

    def note(self, *said: Said) -> None:
        self.tape |= dict.fromkeys(said)

    def connect(self, gateway: Gateway | None = None, query: str = "", **options: Any) -> Taped:
        return Taped(self, f"{(gateway or self.open).stream}{query}", **options)

    async def post(self, body: object, gateway: Gateway | None = None) -> int:
        """Make a request over HTTP; return the status.

        One that cannot be read, as text, is not noted. Requests and responses are also noted as
        those of a WebSocket, since they are meant to be the same.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        address = f"{(gateway or self.open).url}/stream"
        status, answer = await asyncio.to_thread(http, address, text.encode())
        self.note(Said("requests", "send", answer, status))
        if not isinstance(body, str):
            self.note(Said("requests", "receive", text), Said("stream", "receive", text))
        if answer.startswith("["):
            self.note(*(Said("stream", "send", json.dumps(each)) for each in json.loads(answer)))
        return status

    async def post_to(self, channel: str, path: str, body: str, **headers: str) -> int:
        """Publish, or ask, without a connection; return the status."""
        address = f"{self.open.url}/{path}"
        status, answer = await asyncio.to_thread(http, address, body.encode(), **headers)
        self.note(Said(channel, "receive", body), Said(channel, "send", answer, status))
        return status


class Taped(Browser):
    """A connection of which every line is noted, in both directions."""

    def __init__(self, scene: Scene, stream: str, **options: Any) -> None:
        super().__init__(stream, **options)
        self._scene = scene

    async def frame(self) -> str:
        text = await super().frame()
        self._scene.note(*(Said("stream", "send", line) for line in text.split("\n")))
        return text

    async def send(self, request: object) -> None:
        """Send a request; text is sent as it is and not noted, as it may make no sense."""
        if not isinstance(request, str):
            self._scene.note(Said("stream", "receive", json.dumps(request)))
        await super().send(request)

    async def refused(self, code: str, request: object) -> None:
        answer = await self.ask(request)
        assert answer.get("code") == code, answer
