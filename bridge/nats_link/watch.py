"""Whether messages flow: known here, told to those concerned, logged, and kept true by a canary."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.nats_link.canary import Canary
from bridge.nats_link.failure import Failure, refuses_credentials, shown
from bridge.nats_link.localhost import LocalhostHint
from bridge.telemetry import events
from bridge.telemetry.logs import say, tell
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.wire.codes import NotReady

if TYPE_CHECKING:
    from bridge.nats_link.client import NATSLink
    from bridge.telemetry.counters import Counters


class NatsWatch:
    """Takes what the NATS client reports. `servers` returns the URLs that are tried.

    Its three coroutines never raise: nats-py would stop reconnecting, or reading, for ever.
    """

    def __init__(self, servers: Callable[[], Iterable[str]], counters: Counters) -> None:
        self.on_change: list[Callable[[bool], None]] = []
        """Called with True when messages flow, with False when they stop."""
        self.kind = "connected"
        """Said of the server when messages flow."""
        self._servers = servers
        self._counters = counters
        self._link: NATSLink | None = None
        self._canary: Canary | None = None
        self._up = False
        self._signed_out = False
        """Whether the NATS server has refused our credentials since messages last flowed."""
        self._url = ""
        """Of the server that messages come from, or came from last."""
        self._since = time.monotonic()
        """When messages began to be missed."""
        self._throttled = ThrottledLog()
        self._hint = LocalhostHint()

    @property
    def trouble(self) -> NotReady | None:
        """Why no messages flow: `NATS_DOWN`, `NATS_AUTH`; None if they do."""
        if self._up and self._link is not None and self._link.is_connected:
            return None
        return NotReady.NATS_AUTH if self._signed_out else NotReady.NATS_DOWN

    @property
    def server(self) -> str:
        """The URL of the server we are connected to, without a password; empty if there is none."""
        url = self._link.connected_url if self._link is not None else None
        return shown(url) if url else ""

    @property
    def round_trip(self) -> float:
        """Seconds the server took to answer last; NaN if it never did."""
        return self._canary.round_trip if self._canary is not None else math.nan

    @property
    def subscriptions(self) -> int:
        """How many subscriptions are held at the server."""
        return self._link.subscriptions if self._link is not None else 0

    def begin(self, link: NATSLink) -> Canary:
        """Watch over a client that has just connected; the canary returned is to be run."""
        self._link = link
        self._canary = Canary(link, self._counters)
        self._tell(up=True)
        return self._canary

    async def error(self, error: Exception) -> None:
        """Log what went wrong, each thing once a minute."""
        text = str(error) or type(error).__name__
        urls = [error.url] if isinstance(error, Failure) else list(self._servers())
        # Once messages have flowed, the URL is known to be right.
        hint = "" if self._link else self._hint(error, urls)
        url = ", ".join(map(without_password, urls))
        self._throttled.tell(events.NATS_ERROR, key=f"{url} {text}", url=url, reason=text + hint)
        if refuses_credentials(text):
            self._signed_out = True

    async def lost(self) -> None:
        """Tell that messages are being missed."""
        self._tell(up=False)

    async def back(self) -> None:
        """Tell that every subscription is back, once it is."""
        self._counters.reconnects += 1
        if self._link is not None:
            await self._link.restored()
            if not self._link.is_connected:
                return  # lost again meanwhile: there is another `back` to come
        self._tell(up=True)

    def _tell(self, *, up: bool) -> None:
        if up == self._up or self._link is None:
            return
        self._up = up
        if up:
            self._signed_out = False
            self._throttled.forget(events.NATS_ERROR)
            self._url = self.server
            seconds = round(time.monotonic() - self._since, 3)
            line = f"NATS  {self._url} ({self.kind})"
            say(line, events.NATS_UP, url=self._url, state=self.kind, seconds=seconds)
        else:
            self._since = time.monotonic()
            say("NATS  lost, trying to get it back", events.NATS_DOWN, url=self._url)
        for listener in self.on_change:
            try:
                listener(up)
            except Exception as failure:
                tell(events.LISTENER_FAILED, failure)


def without_password(url: str) -> str:
    """Return `url` without user, password or token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
