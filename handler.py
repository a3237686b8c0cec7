"""The life of every connection, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal
from bridge.audiences.looking import Looking
from bridge.audiences.stream_hub import StreamHub
from bridge.connections import reader
from bridge.connections.actions import Actions
from bridge.connections.callback import Callback
from bridge.connections.connection import Connection
from bridge.connections.following import Following
from bridge.connections.limits import Limits
from bridge.connections.stall_watch import StallWatch
from bridge.fanout.hub import Hub
from bridge.history.history import History
from bridge.publishing.publisher import Publisher
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import tell
from bridge.web.http_stream import HttpStream, refused
from bridge.web.transport import Written
from bridge.wire import responses
from bridge.wire.codes import CloseCode
from bridge.wire.envelope import Message
from bridge.wire.framing import FRAMES, Framing
from bridge.wire.responses import Refusal

# asyncio does not say when the transport below TLS has room again, so these two are polled.
FULL_CHECK_SECONDS = 0.05
CLOSE_CHECK_SECONDS = 0.02

html = (Path(__file__).parent / "page" / "index.html").read_text(encoding="utf-8")


class WSSManager:
    """Manages every WebSocket connection and the NATS subjects it follows.

    `app` is a Panini app; its NATS client is used once there are requests. Without a `publisher`
    nothing is published for browsers; without `history`, which reads them, no streams are followed.

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
        publisher: Publisher | None = None,
        history: Callable[[Any], History] | None = None,
    ) -> None:
        self.app = app
        self.callback: Callable[[Any, Any], Awaitable[None] | None] | None = None
        self.connections: dict[str, Connection] = {}
        self.counters = counters or Counters()
        self._limits, self._policy = limits or Limits(), policy or SubjectPolicy()
        self._hub = Hub(self._client, self.counters)
        self.streams = StreamHub(history, self._client, self._hub)
        self.actions = Actions(
            self.connections,
            Following(self._hub, self.streams, self._limits, self._nats_is_up),
            self._limits,
            self.counters,
            publisher or Publisher(self._client, self.counters),
            Looking(self._hub, self.streams.history),
        )
        self._told_down = False
        self._stall_watch = StallWatch(self._limits.write_timeout)

    @property
    def ssid_map(self) -> dict[int, dict[str, Callable[[Message], None]]]:
        """NATS subscription id to its followers: connection id to what takes a message there."""
        return self._hub.ssid_map

    @property
    def patterns(self) -> int:
        """How many patterns are followed, each by one NATS subscription."""
        return self._hub.patterns

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
        framing: Framing = FRAMES,
        login: Login | None = None,
    ) -> web.WebSocketResponse:
        """Answer the requests of one connection until it ends.

        `framing`: how it is written to. `login`: who it is for, if not just anyone.
        Raises ValueError if the id is taken.
        """
        login = login or Login(Principal(self._policy))
        try:
            connection = self._open(ws, connection_id, login, framing=framing)
        except ConnectionResetError:
            return ws
        try:
            connection.tell_opened()
            while True:
                try:
                    frame = await ws.receive()
                except ConnectionError:
                    break  # it left, and aiohttp was about to answer a ping
                if not await self._take(frame, connection):
                    break
                del frame  # or an idle connection would hold it
        except Exception as failure:
            await self._fail(connection, failure)
        finally:
            await self._leave(connection)
        return ws

    async def stream_listener(
        self,
        stream: HttpStream,
        connection_id: str,
        query: Iterable[tuple[str, str]],
        *,
        login: Login,
    ) -> web.StreamResponse:
        """Write what the query of a GET asks for into its response, until one of them ends.

        Returns another response if nothing of it can be granted. Raises ConnectionError if the
        caller has left.
        """
        try:
            asked = self.actions.read_query(query, stream.last_event_id)
            if stream.is_head_only:
                return stream
            stream.greet(responses.greeting(connection_id))
            how = {"framing": stream.framing, "limit": asked.limit, "goes_on": asked.goes_on}
            connection = self._open(stream, connection_id, login, **how)
            try:
                await reader.read(stream, connection, self.actions, asked)
            except Refusal:
                raise
            except Exception as failure:
                await self._fail(connection, failure)
            finally:
                await self._leave(connection)
        except Refusal as refusal:
            return refused(refusal)
        return stream

    async def _fail(self, connection: Connection, failure: Exception) -> None:
        """End a connection that met a bug; the others go on."""
        tell(events.CONNECTION_FAILED, failure, connection=connection.id)
        await connection.close(CloseCode.BUG, "internal error")

    def _open(self, ws: Written, connection_id: str, login: Login, **how: Any) -> Connection:
        """Make a connection known; `how`: what else it takes.

        Raises ConnectionResetError if the browser has left.
        """
        if connection_id in self.connections:
            raise ValueError(f"connection_id {connection_id} is in use")
        parts = self._limits, login, self.counters, self._stall_watch
        connection = Connection(ws, connection_id, *parts, **how)
        deliver = self.get_callback(connection)
        connection.callback = deliver if isinstance(deliver, Callback) else None
        self.connections[connection_id] = connection
        connection.login.watch(connection.hang_up)
        if not self._nats_is_up():
            connection.respond(responses.NATS_DOWN)
        return connection

    async def _take(self, frame: WSMessage, connection: Connection) -> bool:
        """Answer a request; return whether another one may come."""
        if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return False
        lines = await self.actions.answer_frame(connection, frame.data)
        connection.respond(*lines)
        if await connection.close_if_excessive():
            return False
        if lines:  # else it was published, and the publisher sees to that
            await asyncio.sleep(0)  # or frames that are at hand would all be taken before others
        # Responses are never dropped, so a browser that takes none may not ask for more.
        while connection.outbox.is_full:
            await asyncio.sleep(FULL_CHECK_SECONDS)
        return True

    async def _leave(self, connection: Connection) -> None:
        connection.login.stop()
        connection.sender.leave()
        connection.settle()  # or what is pending would be in no metric until the release
        del self.connections[connection.id]
        if connection.is_told:
            self.counters.closed[connection.ending] += 1
        async with connection.changes:
            self.actions.following.leave(connection)
        connection.release()
        connection.tell_closed()

    async def close(self) -> None:
        """Close every connection with 1012; returns when all have taken it or time is up."""
        self._hub.flush()
        connections = list(self.connections.values())
        closing = (each.close(CloseCode.RESTART, "the service stops") for each in connections)
        await asyncio.gather(self.actions.following.stop(), *closing)
        while any(connection.pending_bytes for connection in connections):
            await asyncio.sleep(CLOSE_CHECK_SECONDS)

    def nats_changed(self, up: bool) -> None:
        """Tell every connection that messages are being missed, or that they flow again."""
        self._told_down = not up
        self.actions.following.nats_changed(up=up)
        for connection in self.connections.values():
            connection.respond(self.streams.nats_line(connection, up=up))

    # What the app brings

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
