"""Gateways beside the same NATS servers: each can be asked for the connections of all.

They share nothing but NATS. Each has a name, with which the ids of its connections begin; so a
request that comes to another one can be sent to it, as a NATS request.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import TYPE_CHECKING, Any

import msgspec
from nats import errors

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire import responses
from bridge.wire.responses import Refusal
from bridge.wire.subjects import CONTROL

if TYPE_CHECKING:
    from bridge.connections.actions import Actions
    from bridge.replicas.presence import Presence
    from bridge.wire.requests import Request

ANSWER_TIMEOUT_SECONDS = 1
"""For another replica to answer (Panini wants a whole number)."""
LATE_SECONDS = 0.7
"""After this, another replica is told that a request takes longer: before it gives up."""
MAX_FORWARDED_REQUESTS = 1000
"""Requests of other replicas carried out at a time."""
SILENT = (
    "No gateway says within a second that it holds this connection_id; one that cannot answer now "
    "may still carry the request out."
)
LATE = "NATS has not confirmed it within a second; the request is still being carried out."
BUSY = "Too many requests for connections of that gateway at a time, please try again."

_ID = re.compile(r"([0-9a-f]{8})[0-9a-f]{24}")


class _Forwarded(msgspec.Struct):
    identity: tuple[str, ...]
    request: msgspec.Raw


class _Answer(msgspec.Struct):
    status: int
    responses: list[msgspec.Raw] = []


_encode = msgspec.json.encode
_decode_forwarded = msgspec.json.Decoder(_Forwarded).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode


class Replicas:
    """This replica among all. `app` is the Panini app that asks and listens.

    `actions` reads requests, and carries out those for connections of ours. `presence` knows which
    replicas there are.
    """

    def __init__(self, app: Any, actions: Actions, presence: Presence) -> None:
        self.name = presence.name
        self._app = app
        self._actions = actions
        self._presence = presence
        self._work: set[asyncio.Future[bytes]] = set()
        """Requests of other replicas that are carried out; asyncio itself holds on to no task."""
        app.listen(request_subject(self.name), data_type=bytes)(self._take)

    def new_connection_id(self) -> str:
        """Return an id that cannot be guessed, and names this replica."""
        return self.name + secrets.token_hex(12)

    async def answer_post(self, body: bytes, identity: tuple[str, ...]) -> tuple[int, list[bytes]]:
        """Have a request carried out by the replica that holds its connection.

        Returns status and responses; 404 if none says within a second that it does, 504 if that
        one needs longer, 503 while NATS cannot be asked.
        """
        try:
            request = self._actions.read_post(body)
        except Refusal as refusal:
            return 400, [refusal.line()]
        named = _ID.fullmatch(request.connection_id or "")
        if named is None or named[1] == self.name:
            return await self._actions.answer_post(request, identity)
        if self._app.trouble is not None:
            text = "Another gateway holds this connection, and NATS is not reachable to ask it."
            return 503, [Refusal("nats_down", text, request.subjects, request.id).line()]
        return await self._forward(named[1], request, _Forwarded(identity, msgspec.Raw(body)))

    async def _forward(
        self, replica: str, request: Request, forwarded: _Forwarded
    ) -> tuple[int, list[bytes]]:
        try:
            reply = await self._app.request(
                request_subject(replica),
                _encode(forwarded),
                timeout=ANSWER_TIMEOUT_SECONDS,
                response_data_type=bytes,
            )
            answer = _decode_answer(reply)
        except errors.NoRespondersError:
            return 404, [responses.no_such_connection(request.id)]
        except (errors.Error, msgspec.MsgspecError, OSError, TimeoutError):
            if not self._presence.is_there(replica):
                return 404, [responses.no_such_connection(request.id)]
            return 404, [Refusal("bad_request", SILENT, (), request.id).line()]
        return answer.status, [bytes(each) for each in answer.responses]

    async def _take(self, msg: Any) -> bytes:
        """Carry out what another replica was asked; Panini sends back what this returns."""
        if len(self._work) >= MAX_FORWARDED_REQUESTS:
            # Panini starts a task for each message, however many there are.
            return _answer(503, Refusal("rate_limited", BUSY).line())
        try:
            forwarded = _decode_forwarded(msg.data)
            request = self._actions.read_post(bytes(forwarded.request))
        except (msgspec.MsgspecError, RecursionError):
            return _answer(400)
        except Refusal as refusal:
            return _answer(400, refusal.line())
        work = asyncio.ensure_future(self._carry_out(request, forwarded.identity))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        # Not cancelled if it takes longer: it is carried out, and the browser will see that.
        await asyncio.wait({work}, timeout=LATE_SECONDS)
        if work.done():
            return work.result()
        return _answer(504, Refusal("nats_down", LATE, request.subjects, request.id).line())

    async def _carry_out(self, request: Request, identity: tuple[str, ...]) -> bytes:
        try:
            status, lines = await self._actions.answer_post(request, identity)
            return _answer(status, *lines)
        except Exception as failure:
            tell(events.REQUEST_FAILED, failure)
            return _answer(500)


def _answer(status: int, *lines: bytes) -> bytes:
    return _encode(_Answer(status, [msgspec.Raw(line) for line in lines]))


def request_subject(replica: str) -> str:
    """Return the subject on which a replica takes requests of others."""
    return f"{CONTROL}.request.{replica}"
