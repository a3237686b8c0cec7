"""Publishing over HTTP, without a connection: what curl and services need."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bridge.access.login import who_is
from bridge.publishing.publisher import wait_for
from bridge.publishing.sender import Callers
from bridge.wire.codes import PUBLISH, REQUEST
from bridge.wire.envelope import is_json
from bridge.wire.publications import (
    Publication,
    PublicationError,
    header_lines,
    orders_in,
    read_timeout,
)
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from bridge.access.tokens import Principal
    from bridge.publishing.publisher import Publisher
    from bridge.publishing.sender import PublishLimits
    from bridge.telemetry.counters import Counters

STATUSES = {
    "bad_request": 400,
    "bad_subject": 400,
    "denied": 403,
    "not_stored": 409,
    "too_large": 413,
    "rate_limited": 429,
    "limit": 429,
    "nats_down": 503,
    "no_responders": 503,
    "timeout": 504,
}
"""The status for each refusal; everything else is 200."""
JSON = "application/json"
_OPTIONS = {PUBLISH: ("ack",), REQUEST: ("timeout",)}
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


class Answer(NamedTuple):
    """What is answered; a body of text is in UTF-8."""

    status: int
    body: bytes
    content_type: str = JSON


class Call(NamedTuple):
    """A POST as it came in. `query` and `headers` are those of the HTTP request."""

    subject: str
    body: bytes
    query: Mapping[str, str]
    headers: Mapping[str, str]
    principal: Principal
    address: str


class OverHttp:
    """Publishes, and asks, for callers who have no connection: each replica can do it."""

    def __init__(self, publisher: Publisher, limits: PublishLimits, counters: Counters) -> None:
        self._publisher = publisher
        self._counters = counters
        self._callers = Callers(limits)

    async def publish(self, call: Call) -> Answer:
        """Publish the body; answer as a connection is answered."""
        return await self._carry_out(PUBLISH, call)

    async def request(self, call: Call) -> Answer:
        """Ask whoever answers on a subject; answer with the payload of the reply."""
        return await self._carry_out(REQUEST, call)

    async def _carry_out(self, action: str, call: Call) -> Answer:
        try:
            publication = _read(action, call)
        except PublicationError as fault:
            self._counters.requests["bad"] += 1
            self._counters.refused["bad_request"] += 1
            refusal = Refusal("bad_request", str(fault), [call.subject])
            return Answer(400, refusal.line() + b"\n")
        self._counters.requests["publish" if action == PUBLISH else "request"] += 1
        who = call.principal
        now = asyncio.get_running_loop().time()
        sender = self._callers.sender(who_is(who, call.address), now)
        outcome = await wait_for(partial(self._publisher.publish, publication, sender, who))
        if outcome.result == "answered":
            return Answer(200, outcome.reply, _type_of(outcome.reply))
        return Answer(STATUSES.get(outcome.result, 200), outcome.line + b"\n")


def _read(action: str, call: Call) -> Publication:
    """Make a publication of a POST. Raises PublicationError."""
    allowed = _OPTIONS[action]
    for key in call.query:
        if key not in allowed:
            raise PublicationError(f"{shorten(key)!r} is no option here; {allowed[0]} is.")
    ack = _FLAGS.get(call.query.get("ack", "0").lower())
    if ack is None:
        raise PublicationError("ack has to be 1 or 0.")
    headers = header_lines(orders_in(call.headers), ack=ack)
    seconds = read_timeout(_number(call.query.get("timeout")))
    return Publication(action, call.subject, call.body, headers, ack, seconds)


def _number(text: str | None) -> float | str | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text  # which is then refused


def _type_of(payload: bytes) -> str:
    """Return what a payload is: never a page, which a browser would run."""
    if is_json(payload):
        return JSON
    try:
        payload.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"
