"""The NATS client that Panini connects with: nats-py, hardened for traffic nobody vouches for.

nats-py closes a connection for good on most errors the server reports, and lets one message that
it cannot decode end its read loop while it still says CONNECTED. A gateway shares one connection
between all browsers, so neither may happen. The overrides below hold for nats-py 2.6.0 to 2.16.0,
and each may go once the cause it names is gone.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from nats import errors
from nats.aio.client import PING_PROTO
from nats.aio.msg import Msg

from bridge.nats_link.parser import TapParser
from bridge.nats_link.reconnect import ReconnectingClient
from bridge.nats_link.sending import Sending
from bridge.nats_link.server_errors import ServerError, denied_subscription, meaning_of
from bridge.nats_link.sign_in import SignIn, sign_in_of
from bridge.nats_link.subscriptions import Subscriptions
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.throttled_log import ThrottledLog

if TYPE_CHECKING:
    from bridge.nats_link.whole_tap import AnyTap


class NATSLink(ReconnectingClient):
    """A NATS connection that a browser, a publisher or an error of the server cannot end.

    A coroutine given to `subscribe` as `cb` is awaited where messages are read: in their order,
    with no queue and no task between. So it must not wait for anything NATS has yet to send.
    """

    def __init__(
        self,
        counters: Counters,
        sign_in: SignIn | None = None,
        throttled: ThrottledLog | None = None,
    ) -> None:
        super().__init__()
        self.counters = counters
        self._sign_in = sign_in or SignIn()
        self._in_url: SignIn | None = None
        self._tapped = Subscriptions(self)
        self.sending = Sending(self, self._tapped.answered)
        self._ps: TapParser = TapParser(self, counters, self._tapped.taps)
        self.throttled = throttled or ThrottledLog()

    def _setup_server_pool(self, connect_url: Any) -> None:
        """Take %40 in a user or password for @, as in any URL; nats-py sends it as it stands."""
        super()._setup_server_pool(connect_url)
        for server in self._server_pool:
            signed, at, host = server.uri.netloc.rpartition("@")
            server.uri = server.uri._replace(netloc=unquote(signed) + at + host)
            self._in_url = self._in_url or sign_in_of(server.uri)

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """What TLS is made with; asked for at each connection."""
        return self._sign_in.tls_context()

    def wants_tls(self, server: Any) -> bool:
        """Tell whether nothing may be shown to a server without TLS, by its URL or a setting."""
        return self._sign_in.wants_tls or super().wants_tls(server)

    def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> Any:
        """Have TLS where it is asked for; leave a server that says that it stops."""
        # A balancer may make TLS for a server that knows nothing of it.
        has_tls = info.get("tls_available") or getattr(self._transport, "had_tls_first", False)
        if has_tls and self.wants_tls(self._current_server):
            info["tls_required"] = True
        self._forget_servers(info.get("connect_urls"))
        if info.get("ldm") and not initial_connection:
            self.throttled.tell(events.NATS_LAME_DUCK)
            self.leave()
        return super()._process_info(info, initial_connection)

    def _connect_command(self) -> bytes:
        """Return CONNECT with the credentials; never in plain text where TLS is asked for."""
        if self.wants_tls(self._current_server) and not self._server_info.get("tls_required"):
            raise errors.Error("nats: the server does not offer TLS; tls:// and NATS_TLS_… need it")
        verb, _, options = super()._connect_command().partition(b" ")
        # nats-py reads an nkey only once, and a creds file without a JWT for ever.
        shown = self._sign_in.credentials(self._server_info.get("nonce"))
        if self._current_server is not None and self._current_server.discovered and self._in_url:
            # Nobody wrote a URL for a server that the cluster named; nats-py would show nothing.
            shown |= self._in_url.credentials(None)
        return b"%b %b\r\n" % (verb, json.dumps(json.loads(options) | shown).encode())

    @property
    def subscriptions(self) -> int:
        """How many there are, those for answers to ourselves among them."""
        return len(self._subs) + len(self._tapped.taps) + self.sending.answers.count

    async def subscribe_all(self, taps: Sequence[AnyTap]) -> list[int]:
        """Hand the payloads of these patterns straight to their taps; return the ids in order.

        All SUBs are queued before anything is waited for. `refuse` is called for each tap that the
        server does not accept before this returns, and that one is not subscribed then. Raises
        nats.errors.Error, OSError or TimeoutError if the connection is lost or no answer comes in
        time; then none of them is.
        """
        return await self._tapped.subscribe_all(taps)

    def unsubscribe(self, sid: int) -> None:
        """End a subscription of `subscribe_all`. Idempotent; never waits and never raises."""
        self._tapped.unsubscribe(sid)

    async def round_trip(self) -> None:
        """Wait until all has come that the server sent before it answered; raises as above.

        All who ask in one turn of the event loop, and all SUBs of that turn, share one PING.
        """
        await self._tapped.round_trip()

    def next_sid(self) -> int:
        """Return an id that no subscription has had."""
        self._sid += 1
        return self._sid

    def queue(self, command: bytes) -> None:
        """Queue a command. nats-py's own way may wait, and with it what is to come next."""
        self._pending.append(command)
        self._pending_data_size += len(command)
        # One kick is enough: the flusher writes all there is.
        if self._flush_queue is not None and self._flush_queue.empty():
            self._flush_queue.put_nowait(asyncio.get_running_loop().create_future())

    def queue_ping(self, answered: asyncio.Future[bool]) -> None:
        """Queue a PING after all that is pending."""
        self._pongs.append(answered)
        self.queue(PING_PROTO)

    async def restored(self) -> None:
        """Wait until a new connection has all subscriptions that the server accepts."""
        await self._tapped.restored()

    async def _process_connect_init(self) -> None:
        """Sign in, and queue the SUBs that the new connection has to have."""
        await super()._process_connect_init()
        self._tapped.replay()
        self.sending.answers.replay()

    async def _attempt_reconnect(self) -> None:
        self._tapped.lost()
        await super()._attempt_reconnect()

    async def _process_err(self, err_msg: str) -> None:
        """Take an error of the server as what it is: rarely a reason to close (nats-py: always)."""
        text = err_msg.strip("'")
        meaning = meaning_of(text)
        if meaning is ServerError.DENIED:
            denied = denied_subscription(text)
            if denied is None:
                self.sending.denied(text)
            elif not (
                self.sending.answers.refuse(denied.subject) or self._is_our_own(denied.subject)
            ):
                self._tapped.refused("denied", denied.subject, denied.sid)
            # A SUB or a PUB, on a subject that a browser made up, and as often as it likes.
            self.throttled.tell(events.NATS_DENIES, reason=text)
            return
        if meaning is ServerError.TOO_MANY_SUBSCRIPTIONS:
            self._tapped.refused("limit")
        elif meaning is ServerError.LINE_TOO_LONG:
            self._tapped.too_long()
            self.sending.too_long()
        elif meaning is ServerError.STALE:
            await self._process_op_err(errors.StaleConnectionError())
        elif meaning is ServerError.SIGNED_OUT:
            # Sign in again, with credentials read again, rather than close.
            await self._process_op_err(errors.AuthorizationError())
        else:
            # Known ones that are not about a SUB end the connection.
            self._tapped.refused("denied")
        self.throttled.tell(events.NATS_SAYS, key=text, reason=text)

    def _is_our_own(self, subject: str) -> bool:
        return any(each.subject == subject for each in self._subs.values())

    async def _process_pong(self) -> None:
        """Take an answer to a `flush` that gave up already: nats-py's read loop would end on it."""
        if self._pongs and self._pongs[0].done():
            self._pongs.pop(0)
            self._pings_outstanding = 0
        else:
            await super()._process_pong()
            self.sending.settle()  # not in a turn of its own

    async def flush(self, timeout: int = 10) -> None:  # noqa: ASYNC109  nats-py's signature
        """Wait until the server has all that was sent; nats-py says so too while it is away."""
        if not self.is_connected:
            raise errors.ConnectionReconnectingError()
        await super().flush(timeout)

    async def _send_ping(self, future: asyncio.Future[bool] | None = None) -> None:
        """Send PING after all that is pending; nats-py's own overtakes the SUB it is to confirm."""
        if not self.is_connected:
            # Sent after the reconnect, it would make each answer confirm the flush before its own.
            raise errors.ConnectionReconnectingError()
        self._pongs.append(future or asyncio.get_running_loop().create_future())
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        """Hand a message to its callback at once; one that cannot be read is counted and skipped.

        Headers are only read in answers to our own requests, so a malformed one harms nobody.
        """
        subscription = self._subs.get(sid)
        try:
            if self.sending.answers.take(sid, subject, data, headers):
                return
            if subscription is None or subscription._cb is None or subscription._jsi:
                await super()._process_msg(sid, subject, reply, data, headers)
                return
            self.stats["in_msgs"] += 1
            self.stats["in_bytes"] += len(data)
            ours = bool(headers) and subject.startswith(self._inbox_prefix)
            read = await self._process_headers(headers) if ours else None
            name, answer_to = subject.decode(), reply.decode()
            await subscription._cb(
                Msg(_client=self, subject=name, reply=answer_to, data=data, headers=read)
            )
        except Exception as failure:
            # Whatever a publisher sent or a callback did, the read loop has to go on.
            self.skip(failure)

    def skip(self, failure: Exception) -> None:
        """Count a message that cannot be read."""
        self.throttled.tell(events.MESSAGE_UNREADABLE, failure)
        self.counters.unreadable += 1

    async def _read_loop(self) -> None:
        """Read until the connection ends; nats-py's loop can also end with the link still up."""
        await super()._read_loop()
        if self.is_connected and asyncio.current_task() is self._reading_task:
            await self._process_op_err(errors.UnexpectedEOF())
