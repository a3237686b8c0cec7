"""The life of every WebSocket connection, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from bridge.access.authentication import Visit
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Visitor
from bridge.connections.actions import Requests
from bridge.connections.callback import Callback
from bridge.connections.connection import Connection
from bridge.connections.limits import Limits
from bridge.connections.stall_watch import StallWatch
from bridge.fanout.hub import Feeds
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.telemetry.metrics import Counters
from bridge.wire import messages
from bridge.wire.envelope import Message
from bridge.wire.messages import CloseCode, Refusal

html = (Path(__file__).parent / "page" / "index.html").read_text(encoding="utf-8")


class WSSManager:
    """Manages every WebSocket connection and the NATS subjects it follows.

    `app` is a Panini app; the NATS client it holds is used once there are requests.

    `callback`, if it is set, is called for each message for each client instead of the manager's
    own delivery: `async def callback(subscriber, msg)`, or a plain function. `subscriber` has
    `send_str`; `msg` has `subject` and `data` (decoded).
    """

    def __init__(
        self,
        app: Any,
        limits: Limits | None = None,
        policy: SubjectPolicy | None = None,
        counters: Counters | None = None,
    ) -> None:
        self.app = app
        self.callback: Callable[[Any, Any], Awaitable[None] | None] | None = None
        self.connections: dict[str, Connection] = {}
        self.counters = counters or Counters()
        self._limits = limits or Limits()
        self._policy = policy or SubjectPolicy()
        self._feeds = Feeds(self._client, self.counters)
        self._requests = Requests(
            self.connections, self._feeds, self._limits, self.counters, self._nats_is_up
        )
        self._told_down = False
        self._stall_watch = StallWatch(self._limits.write_timeout)

    @property
    def ssid_map(self) -> dict[int, dict[str, Callable[[Message], None]]]:
        """NATS subscription id to its followers: connection id to what takes a message there."""
        return self._feeds.ssid_map

    @property
    def pending_messages(self) -> int:
        """How many messages wait for their connections."""
        return sum(each.pending_messages for each in self.connections.values())

    # The life of a connection

    async def client_listener(
        self,
        ws: web.WebSocketResponse,
        connection_id: str,
        *,
        batch: bool = False,
        visit: Visit | None = None,
    ) -> web.WebSocketResponse:
        """Answer the requests of one connection until it ends.

        `batch`: several lines may share a frame. `visit`: who it is for, if not just anyone.
        Raises ValueError if the id is taken.
        """
        if connection_id in self.connections:
            raise ValueError(f"connection_id {connection_id} is in use")
        try:
            visit = visit or Visit(Visitor(self._policy))
            connection = self._open(ws, connection_id, visit, batch=batch)
        except ConnectionResetError:
            return ws
        try:
            visit.watch(connection.hang_up)
            if not self._nats_is_up():
                connection.respond(messages.NATS_DOWN)
            await self._listen(ws, connection)
        except Exception as failure:
            tell(events.CONNECTION_FAILED, failure, connection=connection_id)
            await connection.close(CloseCode.BUG, "internal error")
        finally:
            await self._leave(connection)
        return ws

    def _open(
        self, ws: web.WebSocketResponse, connection_id: str, visit: Visit, *, batch: bool
    ) -> Connection:
        """Make a connection known. Raises ConnectionResetError if the browser has left."""
        limits, counters, watch = self._limits, self.counters, self._stall_watch
        connection = Connection(ws, connection_id, limits, visit, counters, watch, batch=batch)
        deliver = self.get_callback(connection)
        if isinstance(deliver, Callback):
            connection.callback = deliver
        self.connections[connection_id] = connection
        self.counters.accepted += 1
        who, address = visit.visitor.name, visit.address
        tell(events.CONNECTION_OPENED, connection=connection_id, address=address, who=who)
        return connection

    async def _listen(self, ws: web.WebSocketResponse, connection: Connection) -> None:
        while True:
            frame = await ws.receive()
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            for line in await self._requests.answer_frame(connection, frame.data):
                connection.respond(line)
            if connection.conduct.verdict:
                await self._hang_up(connection)
                return
            # Responses are never dropped, so who does not take them may not ask for more.
            while connection.is_full:
                await asyncio.sleep(0.05)

    async def _leave(self, connection: Connection) -> None:
        connection.visit.stop()
        connection.settle()  # or what is pending would be in no figure until the release
        del self.connections[connection.id]
        self.counters.count_end(connection.our_code, connection.close_code)
        async with connection.changes:
            self._requests.forget(connection)
            await self._feeds.unfollow_all(connection)
        connection.release()
        tell(
            events.CONNECTION_CLOSED,
            connection=connection.id,
            address=connection.visit.address,
            who=connection.visit.visitor.name,
            code=connection.close_code,
            reason=connection.close_reason,
            delivered=connection.delivered,
            dropped=connection.dropped,
            seconds=round(asyncio.get_running_loop().time() - connection.since, 3),
        )

    async def _hang_up(self, connection: Connection) -> None:
        code = connection.conduct.verdict
        if code is not None:
            await connection.close(code, code.name.lower().replace("_", " "))

    async def close(self) -> None:
        """Close every connection with 1012; returns when all have taken it or time is up."""
        self._feeds.flush()
        self._requests.stop()
        connections = list(self.connections.values())
        closing = (each.close(CloseCode.RESTART, "the service stops") for each in connections)
        await asyncio.gather(*closing)
        while any(connection.pending_bytes for connection in connections):
            await asyncio.sleep(0.02)

    def nats_changed(self, up: bool) -> None:
        """Tell every connection that messages are being missed, or that they flow again."""
        self._feeds.flush()
        self._told_down = not up
        for connection in self.connections.values():
            connection.respond(messages.NATS_UP if up else messages.NATS_DOWN)

    # Requests

    async def answer_post(
        self, body: bytes, identity: tuple[str, ...] = ()
    ) -> tuple[int, list[bytes]]:
        """Carry out a request that came by HTTP for a live connection; return status, responses.

        Only a connection that is for the same visitor can be reached.
        """
        try:
            request = messages.parse_request(body)
            if request.connection_id is None:
                raise Refusal("bad_request", "connection_id required", (), request.id)
        except Refusal as refusal:
            return 400, [refusal.line()]
        connection = self.connections.get(request.connection_id)
        if connection is None or connection.visit.visitor.identity != identity:
            return 404, [messages.no_such_connection(request.id)]
        lines = await self._requests.answer(connection, request)
        await self._hang_up(connection)
        return 200, lines

    def get_callback(self, subscriber: Any) -> Callable[[Message], None]:
        """Return what takes a message to one client: `callback` wrapped, or its own `send`."""
        if self.callback is None:
            send: Callable[[Message], None] = subscriber.send
            return send
        return Callback(self.callback, subscriber, self._limits.max_pending_bytes)

    def _client(self) -> Any:
        """Return the NATS client of the app; None until the app has one."""
        return getattr(self.app.nats, "client", None)

    def _nats_is_up(self) -> bool:
        """Tell whether messages flow, as far as connections have been told."""
        client = self._client()
        return client is not None and bool(client.is_connected) and not self._told_down
