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
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from nats import errors
from nats.aio.client import PING_PROTO
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from bridge.nats_link.parser import Lane, TapParser
from bridge.nats_link.reconnect import ReconnectingClient
from bridge.nats_link.server_errors import SUBSCRIPTION_DENIED, ServerError, meaning_of
from bridge.nats_link.sign_in import SignIn, sign_in_of
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.throttled_log import ThrottledLog


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
        self._counters = counters
        self._sign_in = sign_in or SignIn()
        self._in_url: SignIn | None = None
        self._ps: TapParser = TapParser(self, counters)
        self._refused: dict[int, Callable[[str], None]] = {}
        self._newest: Subscription | None = None
        self._throttled = throttled or ThrottledLog()

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

    @property
    def _wants_tls(self) -> bool:
        server = self._current_server
        return self._sign_in.wants_tls or (server is not None and server.uri.scheme == "tls")

    def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> Any:
        """Have TLS where it is asked for, also of a server that would do without."""
        if self._wants_tls and info.get("tls_available"):
            info["tls_required"] = True
        return super()._process_info(info, initial_connection)

    def _connect_command(self) -> bytes:
        """Return CONNECT with the credentials; never in plain text where TLS is asked for."""
        if self._wants_tls and not self._server_info.get("tls_required"):
            raise errors.Error("nats: the server does not offer TLS; tls:// and NATS_TLS_… need it")
        verb, _, options = super()._connect_command().partition(b" ")
        # nats-py reads an nkey only once, and a creds file without a JWT for ever.
        shown = self._sign_in.credentials(self._server_info.get("nonce"))
        if self._current_server is not None and self._current_server.discovered and self._in_url:
            # Nobody wrote a URL for a server that the cluster named; nats-py would show nothing.
            shown = self._in_url.credentials(None)
        return b"%b %b\r\n" % (verb, json.dumps(json.loads(options) | shown).encode())

    async def _send_subscribe(self, sub: Subscription) -> None:
        self._newest = sub
        await super()._send_subscribe(sub)

    @property
    def subscriptions(self) -> int:
        """How many there are, those for answers to ourselves among them."""
        return len(self._subs)

    def tap(
        self,
        subscription: Subscription,
        lane: Callable[[str], Lane],
        refused: Callable[[str], None],
    ) -> Callable[[], None]:
        """Hand the payloads of `subscription` straight to what `lane` returns for their subject.

        That must not wait and not raise. The function returned is to be called when `lane` would
        return something else than before. Messages with headers still go to `cb`. `refused` is
        called with `denied` or `limit` if the server does not accept the subscription, or takes
        the permission away later.
        """
        self._ps.taps[subscription._id] = lane
        self._refused[subscription._id] = refused
        return self._ps.forget

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._ps.taps.pop(sid, None)
        self._refused.pop(sid, None)
        self._ps.forget()

    async def _process_err(self, err_msg: str) -> None:
        """Take an error of the server as what it is: rarely a reason to close (nats-py: always)."""
        text = err_msg.strip("'")
        meaning = meaning_of(text)
        if meaning is ServerError.DENIED:
            denied = SUBSCRIPTION_DENIED.search(self._ps.error)
            if denied:
                self._refuse(self._named(*denied.groups()), "denied")
            # A SUB or a PUB, on a subject that a browser made up, and as often as it likes.
            self._throttled.tell(events.NATS_DENIES, reason=text)
            return
        if meaning is ServerError.TOO_MANY_SUBSCRIPTIONS:
            self._refuse([self._newest], "limit")
        elif meaning is ServerError.STALE:
            await self._process_op_err(errors.StaleConnectionError())
        elif meaning is ServerError.SIGNED_OUT:
            # Sign in again, with credentials read again, rather than close.
            await self._process_op_err(errors.AuthorizationError())
        self._throttled.tell(events.NATS_SAYS, key=text, reason=text)

    def _named(self, subject: str, sid: str | None) -> list[Subscription | None]:
        """Return the subscriptions an error is about: by id, by subject, or else the newest.

        The server names the id if it takes a permission away, and writes rare characters in a
        subject in a way of its own; then it is the answer to the SUB just sent.
        """
        if sid is not None:
            return [self._subs.get(int(sid))]
        # Exactly: `ORDERS.NEW`, which anybody may ask for, is not `orders.new`.
        named = [each for each in self._subs.values() if each.subject == subject]
        return [*named] or [self._newest]

    def _refuse(self, subscriptions: list[Subscription | None], code: str) -> None:
        for subscription in subscriptions:
            refused = subscription and self._refused.get(subscription._id)
            if refused:
                refused(code)

    async def _process_pong(self) -> None:
        """Take an answer to a `flush` that gave up already: nats-py's read loop would end on it."""
        if self._pongs and self._pongs[0].done():
            self._pongs.pop(0)
            self._pings_outstanding = 0
        else:
            await super()._process_pong()

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
            self._throttled.tell(events.MESSAGE_UNREADABLE, failure)
            self._counters.unreadable += 1

    async def _read_loop(self) -> None:
        """Read until the connection ends; nats-py's loop can also end with the link still up."""
        await super()._read_loop()
        if self.is_connected and asyncio.current_task() is self._reading_task:
            await self._process_op_err(errors.UnexpectedEOF())
