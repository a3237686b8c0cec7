"""What a connection asks for: judged, carried out, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from bridge.access.tokens import TokenError
from bridge.connections.waiting import Waiting
from bridge.wire import responses, subjects
from bridge.wire.codes import SUBSCRIBE, CloseCode
from bridge.wire.requests import Request, parse_request
from bridge.wire.responses import Refusal

if TYPE_CHECKING:
    from bridge.connections.connection import Connection
    from bridge.connections.limits import Limits
    from bridge.fanout.hub import Hub
    from bridge.telemetry.counters import Counters, Refused


class Actions:
    """Carries out the requests of all connections, those of one of them one by one.

    `connections`: those there are, by id. `nats_is_up` tells whether following can succeed.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        hub: Hub,
        limits: Limits,
        counters: Counters,
        nats_is_up: Callable[[], bool],
    ) -> None:
        self._connections = connections
        self._hub = hub
        self._limits = limits
        self._counters = counters
        self.waiting = Waiting(self._follow, nats_is_up)

    def read(self, data: str | bytes) -> Request:
        """Read a request, from a frame or the body of a POST. Raises Refusal, counted."""
        try:
            return parse_request(data)
        except Refusal:
            self._count_bad()
            raise

    def read_post(self, body: bytes) -> Request:
        """Read a request by HTTP, which has to name its connection. Raises Refusal, counted."""
        request = self.read(body)
        if request.connection_id is None:
            self._count_bad()
            raise Refusal("bad_request", "connection_id required", (), request.id)
        return request

    async def answer_frame(self, connection: Connection, data: str | bytes) -> list[bytes]:
        """Carry out what came in a frame; return the responses."""
        try:
            if isinstance(data, bytes):
                self._count_bad()
                raise Refusal("bad_request", "Send requests as text, not as binary frames.")
            request = self.read(data)
        except Refusal as refusal:
            connection.limiter.count_bad_request(_now())
            return [refusal.line()]
        return await self.answer(connection, request)

    async def answer_post(
        self, request: Request, identity: tuple[str, ...] = ()
    ) -> tuple[int, list[bytes]]:
        """Carry out a request that came by HTTP for a live connection; return status, responses.

        Only a connection that is for the same principal can be reached.
        """
        connection = self._connections.get(request.connection_id or "")
        if connection is None or connection.login.principal.identity != identity:
            return 404, [responses.no_such_connection(request.id)]
        lines = await self.answer(connection, request)
        await connection.close_if_excessive()
        return 200, lines

    async def answer(self, connection: Connection, request: Request) -> list[bytes]:
        """Carry out a request; return the responses.

        Nothing is done for a connection that has ended, or that asks too often: see
        `Connection.limiter`.
        """
        self._count(request)
        if not connection.limiter.allows_request(_now()):
            self._counters.refused["rate"] += 1
            text = f"At most {self._limits.requests_per_second:g} requests a second, please."
            return [Refusal("rate_limited", text, request.subjects, request.id).line()]
        if request.token is not None:
            return await self._take_token(connection, request.token, request.id)
        subscribing = request.action == SUBSCRIBE
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
                    # `rate_limited`, which has no figure of this name, does not come here.
                    self._counters.refused[cast("Refused", refusal.counted_as)] += 1
                    if refusal.code == "nats_down":
                        self.waiting.add(connection, subject, request.id)
        if subscribing:
            return [responses.subscribed(done, request.id), *refused] if done else refused
        return [responses.unsubscribed(subject, request.id) for subject in done] + refused

    def _count(self, request: Request) -> None:
        if request.token is not None:
            self._counters.requests["token"] += 1
        elif request.action == SUBSCRIBE:
            self._counters.requests["subscribe"] += 1
        else:
            self._counters.requests["unsubscribe"] += 1

    def _count_bad(self) -> None:
        self._counters.requests["bad"] += 1
        self._counters.refused["bad_request"] += 1

    async def _take_token(
        self, connection: Connection, token: str, request_id: bytes
    ) -> list[bytes]:
        async with connection.changes:
            try:
                connection.login.renew(token)
            except TokenError as error:
                await connection.close(CloseCode.TOKEN, str(error))
                return []
            policy = connection.login.principal.policy
            lost = await self._hub.change_policy(connection, policy)
        gone = (_denied(pattern).line() for pattern in lost)
        return [responses.signed_in(request_id), *gone]

    async def _follow(self, connection: Connection, pattern: str) -> None:
        if pattern in connection.patterns:
            return
        name = repr(responses.shorten(pattern))
        fault = subjects.fault(pattern)
        if fault:
            raise Refusal("bad_subject", f"{name} is not a valid subject: {fault}.", [pattern])
        if not connection.policy.may_follow(pattern):
            raise _denied(pattern)
        most = self._limits.max_subjects
        # One that waits already has its place.
        if len(connection.patterns) + self.waiting.count_others(connection, pattern) >= most:
            text = f"A connection may follow {most} patterns, {name} would be one more."
            raise Refusal("limit", text, [pattern], counted_as="patterns")
        await self._hub.follow(connection, pattern)
        self.waiting.discard(connection, pattern)

    async def _unfollow(self, connection: Connection, pattern: str) -> None:
        if not self.waiting.discard(connection, pattern):
            await self._hub.unfollow(connection, pattern)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _denied(pattern: str) -> Refusal:
    name = repr(responses.shorten(pattern))
    return Refusal("denied", f"{name} may not be followed here.", [pattern])
