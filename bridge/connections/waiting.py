"""Patterns that were asked for while NATS was away: followed as soon as it is back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire import responses
from bridge.wire.responses import Refusal

if TYPE_CHECKING:
    from bridge.audiences.answers import Begun
    from bridge.connections.connection import Connection
    from bridge.wire.wants import Wants
    from bridge.wire.wishes import Past

RETRY_SECONDS = 0.25
"""Until what NATS did not answer in time, though it is there, is tried again."""


class How(NamedTuple):
    """How patterns are wanted: what of each message, and what of the past."""

    wants: Wants
    past: Past | None = None


class Asked(NamedTuple):
    """How a pattern is wanted, and the id of the latest request for it."""

    how: How
    request_id: bytes


class Outcome(NamedTuple):
    """What became of patterns that were asked for; the others are followed."""

    begun: list[Begun]
    """Those whose past is on its way."""
    refused: dict[str, Refusal]

    def lines(self, patterns: Iterable[str], request_id: bytes) -> list[bytes]:
        """Return the responses for those of `patterns` that are followed."""
        done = [each for each in patterns if each not in self.refused]
        begun = {each.pattern: each.history for each in self.begun}
        plain = [each for each in done if each not in begun]
        lines = [responses.subscribed(plain, request_id)] if plain else []
        for pattern in done:
            if pattern in begun:
                lines.append(responses.subscribed([pattern], request_id, begun[pattern]))
        return lines


class Waiting:
    """What each connection was refused with `nats_down` and has not given up since.

    `follow` follows patterns as they are wanted and returns what became of them;
    `nats_is_up` tells whether that can succeed. Call the methods that take a connection only while
    `Connection.changes` is held.
    """

    def __init__(
        self,
        follow: Callable[[Connection, Collection[str], How], Awaitable[Outcome]],
        nats_is_up: Callable[[], bool],
    ) -> None:
        self._follow = follow
        self._nats_is_up = nats_is_up
        self._asked: dict[Connection, dict[str, Asked]] = {}
        """Connection to its patterns."""
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._is_down = False
        """Whether an outage has been told of, the end of which will be told of too."""
        self._back = asyncio.Event()

    def nats_changed(self, up: bool) -> None:
        """Take up what waits once NATS is back. Programs with Panini's own App never call this."""
        self._is_down = not up
        if up:
            self._back.set()

    def add(self, connection: Connection, pattern: str, asked: Asked) -> None:
        """Remember a request; a later one for the same pattern takes its place."""
        self._asked.setdefault(connection, {})[pattern] = asked
        if self._task is None and not self._is_stopped:
            self._task = asyncio.get_running_loop().create_task(self._take_up())

    def discard(self, connection: Connection, pattern: str) -> bool:
        """Forget a request; return whether there was one."""
        asked = self._asked.get(connection, {})
        found = asked.pop(pattern, None) is not None
        if not asked:
            self._asked.pop(connection, None)
        return found

    def forget(self, connection: Connection) -> None:
        """Forget all requests of a connection that has ended."""
        self._asked.pop(connection, None)

    def patterns(self, connection: Connection) -> tuple[str, ...]:
        """Return the patterns that wait for it."""
        return tuple(self._asked.get(connection, ()))

    def stop(self) -> None:
        """Take up nothing more. Idempotent."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _take_up(self) -> None:
        try:
            while self._asked:
                self._back.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(None if self._is_down else RETRY_SECONDS):
                        await self._back.wait()
                if self._nats_is_up():
                    await self._take_up_all()
        finally:
            self._task = None

    async def _take_up_all(self) -> None:
        """Do so for each. On its own, or those that end would be held until the next time."""
        # One that is busy with a request is passed over: it must hold up nobody else.
        idle = [each for each in self._asked if not each.changes.locked()]
        work = map(self._take_up_for, idle)
        for failure in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(failure, Exception):
                tell(events.BACKGROUND_FAILED, failure)

    async def _take_up_for(self, connection: Connection) -> None:
        """Follow what waits for one connection; respond as to the requests for it."""
        async with connection.changes:
            together: dict[How, dict[str, bytes]] = {}
            for pattern, asked in self._asked.get(connection, {}).items():
                together.setdefault(asked.how, {})[pattern] = asked.request_id
            for how, patterns in together.items():
                await self._take_up_patterns(connection, patterns, how)

    async def _take_up_patterns(
        self, connection: Connection, patterns: dict[str, bytes], how: How
    ) -> None:
        done: dict[bytes, list[str]] = {}
        outcome = await self._follow(connection, patterns, how)
        for pattern, request_id in patterns.items():
            refusal = outcome.refused.get(pattern)
            if refusal is None:
                done.setdefault(request_id, []).append(pattern)
            elif refusal.code == "nats_down":
                continue  # away again: this one waits on
            self.discard(connection, pattern)
            if refusal is not None:
                refusal.request_id = request_id
                connection.respond(refusal.line())
        for request_id, followed in done.items():
            for line in outcome.lines(followed, request_id):
                connection.respond(line)
