"""The NATS client that Panini connects with: nats-py, hardened for traffic nobody vouches for.

nats-py closes a connection for good on most errors the server reports, and lets one message that
it cannot decode end its read loop while it still says CONNECTED. A gateway shares one connection
between all browsers, so neither may happen. The overrides below hold for nats-py 2.6.0 to 2.16.0,
and each may go once the cause it names is gone.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

from nats import errors
from nats.aio.client import PING_PROTO, Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from bridge.metrics import Counters

logger = logging.getLogger("bridge.nats")

# As nats-py's parser hands them on: in lower case.
_DENIED_SUBSCRIPTION = re.compile(r'permissions violation for subscription to "([^"]*)"')
_TOO_MANY_SUBSCRIPTIONS = "maximum subscriptions exceeded"
_SIGNED_OUT = ("authorization", "authentication", "account")


class NATSLink(Client):
    """A NATS connection that a browser, a publisher or an error of the server cannot end.

    A coroutine given to `subscribe` as `cb` is awaited where messages are read: in their order,
    with no queue and no task between. So it must not wait for anything NATS has yet to send.
    """

    def __init__(self, counters: Counters) -> None:
        super().__init__()
        self._counters = counters
        self._newest: Subscription | None = None
        self._said = ""

    async def subscribe(self, *args: Any, **kwargs: Any) -> Subscription:
        """Subscribe; a refusal by the server is in `refused` of the result after a `flush`."""
        self._newest = await super().subscribe(*args, **kwargs)
        return self._newest

    def _connect_command(self) -> bytes:
        """Return CONNECT with the credentials; never for a `tls://` server without TLS."""
        server = self._current_server
        secure = (
            server is None or server.uri.scheme != "tls" or self._server_info.get("tls_required")
        )
        if not secure:
            raise errors.Error("nats: the server does not offer TLS, but its URL says tls://")
        return super()._connect_command()

    async def _process_err(self, err_msg: str) -> None:
        """Take an error of the server as what it is: rarely a reason to close (nats-py: always)."""
        denied = _DENIED_SUBSCRIPTION.search(err_msg)
        if denied:
            self._refuse_newest("denied", denied.group(1))
        elif _TOO_MANY_SUBSCRIPTIONS in err_msg:
            self._refuse_newest("limit")
        elif "stale connection" in err_msg:
            await self._process_op_err(errors.StaleConnectionError())
        elif any(word in err_msg for word in _SIGNED_OUT):
            # Sign in again, with credentials read anew, rather than close.
            await self._process_op_err(errors.AuthorizationError())
        if err_msg != self._said:
            self._said = err_msg
            logger.warning("the NATS server says: %s", err_msg.strip("'"))

    def _refuse_newest(self, code: str, lower_subject: str | None = None) -> None:
        newest = self._newest
        if newest is not None and lower_subject in (None, newest.subject.lower()):
            newest.refused = code  # type: ignore[attr-defined]

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
        except Exception:
            # Whatever a publisher sent or a callback did, the read loop has to go on.
            if not self._counters.poison:
                logger.warning("skipped a message from NATS that cannot be read", exc_info=True)
            self._counters.poison += 1

    async def _read_loop(self) -> None:
        """Read until the connection ends; nats-py's loop can also end with the link still up."""
        await super()._read_loop()
        if self.is_connected and asyncio.current_task() is self._reading_task:
            await self._process_op_err(errors.UnexpectedEOF())

    async def _attempt_reconnect(self) -> None:
        """Reconnect, and first let go of what belonged to the lost connection.

        A flush would wait for its whole time-out, and a SUB still pending would come back beside
        the replayed subscriptions, with nobody to end it.
        """
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_exception(errors.ConnectionReconnectingError())
                pong.exception()  # not every ping is waited for
        self._pending.clear()
        self._pending_data_size = 0
        await super()._attempt_reconnect()
