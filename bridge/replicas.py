"""Gateways beside the same NATS servers: each can be asked for the connections of all.

They share nothing but NATS. Each has a name, with which the ids of its connections begin; so a
request that comes to another one can be sent to it, as a NATS request.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from nats import errors

from bridge import events, messages
from bridge.access import CONTROL
from bridge.logs import tell
from bridge.messages import Refusal

ANSWER_TIMEOUT = 1
"""Seconds for another replica to answer (Panini wants a whole number)."""
MOST_AT_ONCE = 1000
"""Requests of other replicas carried out at a time."""

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

    `answer` carries out a request for a connection of ours, and returns status and responses;
    its arguments are the request and who it is from.
    """

    def __init__(
        self,
        app: Any,
        answer: Callable[[bytes, tuple[str, ...]], Awaitable[tuple[int, list[bytes]]]],
    ) -> None:
        self.name = secrets.token_hex(4)
        self._app = app
        self._answer = answer
        self._in_progress = 0
        app.listen(_subject(self.name), data_type=bytes)(self._take)

    def new_connection_id(self) -> str:
        """Return an id that cannot be guessed, and names this replica."""
        return self.name + secrets.token_hex(12)

    async def answer_post(self, body: bytes, identity: tuple[str, ...]) -> tuple[int, list[bytes]]:
        """Have a request carried out by the replica that holds its connection.

        Returns status and responses; 404 if none says within a second that it does, 503 while
        NATS cannot be asked.
        """
        try:
            request = messages.parse_request(body)
        except Refusal as refusal:
            return 400, [refusal.line()]
        named = _ID.fullmatch(request.connection_id or "")
        if named is None or named[1] == self.name:
            return await self._answer(body, identity)
        if self._app.trouble is not None:
            text = "Another gateway holds this connection, and NATS is not reachable to ask it."
            return 503, [Refusal("nats_down", text, request.subjects, request.id).line()]
        forwarded = _encode(_Forwarded(identity, msgspec.Raw(body)))
        try:
            reply = await self._app.request(
                _subject(named[1]), forwarded, timeout=ANSWER_TIMEOUT, response_data_type=bytes
            )
            answer = _decode_answer(reply)
        except (errors.Error, msgspec.MsgspecError, OSError, TimeoutError):
            # Among others: nobody listens there, which the NATS server says at once.
            return 404, [messages.no_such_connection(request.id)]
        return answer.status, [bytes(each) for each in answer.responses]

    async def _take(self, msg: Any) -> bytes:
        """Carry out what another replica was asked; Panini sends back what this returns."""
        if self._in_progress >= MOST_AT_ONCE:
            # Panini starts a task for each message, however many there are.
            return _encode(_Answer(503))
        self._in_progress += 1
        try:
            forwarded = _decode_forwarded(msg.data)
            status, lines = await self._answer(bytes(forwarded.request), forwarded.identity)
            return _encode(_Answer(status, [msgspec.Raw(line) for line in lines]))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return _encode(_Answer(400))
        except Exception as failure:
            tell(events.REQUEST_FAILED, failure)
            return _encode(_Answer(500))
        finally:
            self._in_progress -= 1


def _subject(replica: str) -> str:
    return f"{CONTROL}.request.{replica}"
