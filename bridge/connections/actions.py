"""What a connection asks for: judged, carried out, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bridge.access.tokens import TokenError
from bridge.connections.waiting import Waiting
from bridge.wire import messages, subjects
from bridge.wire.messages import CloseCode, Refusal, Request

if TYPE_CHECKING:
    from bridge.connections.connection import Connection
    from bridge.connections.limits import Limits
    from bridge.fanout.hub import Feeds
    from bridge.telemetry.metrics import Counters


class Requests:
    """Carries out the requests of all connections, those of one of them one by one.

    `connections`: those there are, by id. `nats_is_up` tells whether following can succeed.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        feeds: Feeds,
        limits: Limits,
        counters: Counters,
        nats_is_up: Callable[[], bool],
    ) -> None:
        self._connections = connections
        self._feeds = feeds
        self._limits = limits
        self._counters = counters
        self._waiting = Waiting(self._follow, nats_is_up)

    async def answer_frame(self, connection: Connection, data: str | bytes) -> list[bytes]:
        """Carry out what came in a frame; return the responses."""
        try:
            if isinstance(data, bytes):
                raise Refusal("bad_request", "Send requests as text, not as binary frames.")
            request = messages.parse_request(data)
        except Refusal as refusal:
            self._counters.requests_bad += 1
            self._counters.refused_bad_request += 1
            connection.conduct.count_bad_request(_now())
            return [refusal.line()]
        return await self.answer(connection, request)

    async def answer(self, connection: Connection, request: Request) -> list[bytes]:
        """Carry out a request; return the responses.

        Nothing is done for a connection that has ended, or that asks too often: see
        `Connection.conduct`.
        """
        self._count(request)
        if not connection.conduct.allows_request(_now()):
            self._counters.refused_rate += 1
            text = f"At most {self._limits.requests_per_second:g} requests a second, please."
            return [Refusal("rate_limited", text, request.subjects, request.id).line()]
        if request.token is not None:
            return await self._take_token(connection, request.token, request.id)
        subscribing = request.action == messages.SUBSCRIBE
        change = self._follow if subscribing else self._unfollow
        done: list[str] = []
        refused: list[bytes] = []
        async with connection.changes:
            if connection.id not in self._connections:
                # It ended while a POST for it waited: following now would never be undone.
                return []
            for subject in request.subjects:
                try:
                    await change(connection, subject)
                    done.append(subject)
                except Refusal as refusal:
                    refusal.request_id = request.id
                    refused.append(refusal.line())
                    self._counters.count_refusal(refusal.counted_as)
                    if refusal.code == "nats_down":
                        self._waiting.add(connection, subject, request.id)
        if subscribing:
            return [messages.subscribed(done, request.id), *refused] if done else refused
        return [messages.unsubscribed(subject, request.id) for subject in done] + refused

    def _count(self, request: Request) -> None:
        if request.token is not None:
            self._counters.requests_token += 1
        elif request.action == messages.SUBSCRIBE:
            self._counters.requests_subscribe += 1
        else:
            self._counters.requests_unsubscribe += 1

    async def _take_token(
        self, connection: Connection, token: str, request_id: bytes
    ) -> list[bytes]:
        async with connection.changes:
            try:
                connection.visit.renew(token)
            except TokenError as error:
                await connection.close(CloseCode.TOKEN, str(error))
                return []
            policy = connection.visit.visitor.policy
            lost = await self._feeds.change_policy(connection, policy)
        gone = (_denied(pattern).line() for pattern in lost)
        return [messages.signed_in(request_id), *gone]

    def forget(self, connection: Connection) -> None:
        """Forget what a connection that has ended still waits for."""
        self._waiting.forget(connection)

    def stop(self) -> None:
        """Take up nothing more of what waits. Twice is harmless."""
        self._waiting.stop()

    async def _follow(self, connection: Connection, pattern: str) -> None:
        if pattern in connection.patterns:
            return
        name = repr(messages.shorten(pattern))
        fault = subjects.fault(pattern)
        if fault:
            raise Refusal("bad_subject", f"{name} is not a valid subject: {fault}.", [pattern])
        if not connection.policy.may_follow(pattern):
            raise _denied(pattern)
        most = self._limits.max_subjects
        # One that waits already has its place.
        if len(connection.patterns) + self._waiting.count(connection, but=pattern) >= most:
            text = f"A connection may follow {most} patterns, {name} would be one more."
            raise Refusal("limit", text, [pattern], counted_as="patterns")
        await self._feeds.follow(connection, pattern)
        self._waiting.discard(connection, pattern)

    async def _unfollow(self, connection: Connection, pattern: str) -> None:
        if not self._waiting.discard(connection, pattern):
            await self._feeds.unfollow(connection, pattern)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _denied(pattern: str) -> Refusal:
    name = repr(messages.shorten(pattern))
    return Refusal("denied", f"{name} may not be followed here.", [pattern])
