"""What a connection asks for: judged, carried out, and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from bridge.access.tokens import TokenError
from bridge.connections.waiting import How
from bridge.publishing.publisher import wait_for
from bridge.wire import responses
from bridge.wire.codes import PING, SUBJECTS, SUBSCRIBE
from bridge.wire.requests import Request, parse_request
from bridge.wire.responses import Refusal
from bridge.wire.stream_query import StreamQuery, read_query

if TYPE_CHECKING:
    from bridge.audiences.looking import Looking
    from bridge.connections.connection import Connection
    from bridge.connections.following import Following
    from bridge.connections.limits import Limits
    from bridge.publishing.delivery import Outcome
    from bridge.publishing.publisher import Done, Publisher
    from bridge.telemetry.counters import Counters, Refused, Requested


class Actions:
    """Carries out the requests of all connections, those of one of them one by one.

    `connections`: those there are, by id. `following`: what they follow.
    """

    def __init__(
        self,
        connections: Mapping[str, Connection],
        following: Following,
        limits: Limits,
        counters: Counters,
        publisher: Publisher,
        looking: Looking,
    ) -> None:
        self._connections = connections
        self._publisher = publisher
        self._limits = limits
        self._counters = counters
        self._looking = looking
        self.following = following

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

    def read_query(self, query: Iterable[tuple[str, str]], last_event_id: str = "") -> StreamQuery:
        """Read what a GET asks for in its query and its header. Raises Refusal, counted."""
        try:
            return read_query(query, last_event_id)
        except Refusal:
            self._count_bad()
            raise

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
        if request.publication is not None:
            await self._publish(connection, request)
            return []  # told once it is known what became of it; others are not held up
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
        if request.publication is not None:
            outcome = await wait_for(partial(self._publish, connection, request))
            lines = [outcome.line] if outcome.line else []
        else:
            lines = await self.answer(connection, request)
        await connection.close_if_excessive()
        return 200, lines

    async def _publish(
        self, connection: Connection, request: Request, done: Done | None = None
    ) -> None:
        """Publish what a connection wants to; it is told by `done`, or else by a response."""
        assert request.publication is not None
        self._count(request)
        done = done or partial(self._tell, connection, request)
        publication, principal = request.publication, connection.login.principal
        await self._publisher.publish(publication, connection.sender, principal, done, request.id)

    def _tell(self, connection: Connection, request: Request, outcome: Outcome) -> None:
        if not outcome.line or connection.id not in self._connections:
            return
        line = outcome.line
        if outcome.result == "answered" and not connection.outbox.has_room(len(line)):
            # As large as NATS lets them be, and made by others: not to be held without a bound.
            self._counters.refused["limit"] += 1
            line = _no_room(request).line()
        connection.respond(line)

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
        if request.action == PING:
            return [responses.pong(request.id)]
        if request.action == SUBJECTS:
            return await self._look(connection, request)
        async with connection.changes:
            if connection.id not in self._connections:
                # It ended while a POST for it waited: following now would never be undone.
                return []
            if request.action == SUBSCRIBE:
                return await self._subscribe(connection, request)
            return await self._unsubscribe(connection, request)

    async def _look(self, connection: Connection, request: Request) -> list[bytes]:
        """Say which subjects there are."""
        past = connection.login.principal.history
        try:
            line = await self._looking.look(request.subjects, connection.policy, past)
            if not connection.outbox.has_room(len(line)):
                raise _no_room(request)
        except Refusal as refusal:
            return self._refuse([refusal], request)
        return [responses.with_id(line, request.id)]

    async def _subscribe(self, connection: Connection, request: Request) -> list[bytes]:
        how = How(request.wants, request.past)
        patterns = request.subjects
        outcome = await self.following.subscribe(connection, patterns, how, request.id)
        accepted = outcome.lines(patterns, request.id)
        return accepted + self._refuse(outcome.refused.values(), request)

    async def _unsubscribe(self, connection: Connection, request: Request) -> list[bytes]:
        refused = await self.following.unsubscribe(connection, request.subjects)
        done = [each for each in request.subjects if each not in refused]
        lines = [responses.unsubscribed(subject, request.id) for subject in done]
        return lines + self._refuse(refused.values(), request)

    def _refuse(self, refusals: Iterable[Refusal], request: Request) -> list[bytes]:
        """Count refusals, and return the responses for them."""
        lines = []
        for refusal in refusals:
            refusal.request_id = request.id
            lines.append(refusal.line())
            self._counters.refused[cast("Refused", refusal.counted_as)] += 1
        return lines

    def _count(self, request: Request) -> None:
        action = request.action if request.token is None else "token"
        self._counters.requests[cast("Requested", action)] += 1

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
                await connection.close(error.code, str(error))
                return []
            who = connection.login.principal
            lost = self.following.change_policy(connection, who.policy)
        signed_in = responses.signed_in(
            request_id,
            allow=who.policy.allow,
            deny=who.policy.deny,
            publish=self._publisher.is_open_to(who),
            history=who.history.is_open,
        )
        return [signed_in, *(refusal.line() for refusal in lost)]


def _no_room(request: Request) -> Refusal:
    text = "There is no room for the answer; please read what is pending, and ask again."
    return Refusal("limit", text, request.subjects, request.id)


def _now() -> float:
    return asyncio.get_running_loop().time()
