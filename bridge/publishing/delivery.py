"""One message on its way: what the NATS server and those who answer say of it, as a response."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

from bridge.wire import responses
from bridge.wire.codes import REQUEST
from bridge.wire.envelope import written
from bridge.wire.metadata import read_headers
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from bridge.nats_link.sending import Sending
    from bridge.telemetry.counters import Published
    from bridge.wire.publications import Publication

ACK_TIMEOUT_SECONDS = 5.0
"""For a stream to say that it has stored a message."""
_NO_RESPONDERS = b"NATS/1.0 503"

_Refused = Literal["denied", "timeout", "no_responders", "not_stored"]


class Outcome(msgspec.Struct, frozen=True):
    """What became of a publication."""

    line: bytes
    """The response; empty if its sender has left."""
    result: Published
    """The code of a refusal, or what it is counted as."""
    reply: bytes = b""
    """The payload of the answer to a request."""


class _Error(msgspec.Struct):
    err_code: int = 0
    description: str = ""


class _Ack(msgspec.Struct):
    """What JetStream answers (ADR-1 of the NATS architecture documents)."""

    stream: str = ""
    seq: int = 0
    duplicate: bool = False
    error: _Error | None = None


_read_ack = msgspec.json.Decoder(_Ack).decode


class Delivery:
    """A publication that is sent. `finish` is called once, with what became of it.

    `timeout`: seconds for the answer to a request.
    """

    def __init__(
        self,
        publication: Publication,
        request_id: bytes,
        sending: Sending,
        finish: Callable[[Delivery, Outcome], None],
        timeout: float,
    ) -> None:
        self.subject = publication.subject
        self.reply = ""
        self.is_request = publication.action == REQUEST
        """Whether somebody is asked, rather than told."""
        self.waits = self.is_request or publication.ack
        """Whether there is an answer to wait for, beside that of the server."""
        self._publication = publication
        self._id = request_id
        self._sending = sending
        self._finish = finish
        self._timeout = timeout if self.is_request else ACK_TIMEOUT_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._is_over = False

    def go(self) -> None:
        """Send it."""
        publication = self._publication
        if self.waits:
            self._sending.answers.expect(self)
            self._timer = asyncio.get_running_loop().call_later(self._timeout, self._time_out)
        self._sending.send(self, publication.payload, publication.headers)

    def abandon(self) -> None:
        """Wait no more: nobody is there to be told. Idempotent."""
        self._end(Outcome(b"", "left"))

    # What it is told

    def sent(self) -> None:
        """Take note that the server has it."""
        if not self.waits:
            self._end(Outcome(responses.published(self.subject, self._id), "sent"))

    def denied(self, *, inbox: bool = False) -> None:
        """Take note that the NATS user may not publish there, or not be answered."""
        what = "take answers" if inbox else f"publish on {self._name}"
        self._refuse("denied", f"NATS does not let this gateway {what}.")

    def lost(self) -> None:
        """Take note that the connection was lost; an answer may still come by the next one."""
        if not self.waits:
            text = f"NATS was lost before it confirmed {self._name}: it may have the message."
            self._refuse("timeout", text)

    def answer(self, payload: bytes, headers: bytes) -> None:
        """Take what came to its reply subject."""
        if not payload and headers.startswith(_NO_RESPONDERS):
            who = "answers requests" if self.is_request else "stores what is published"
            self._refuse("no_responders", f"Nobody {who} on {self._name}.")
        elif self.is_request:
            head = b"{"
            if self._publication.with_headers:
                pairs = read_headers(headers)[0] if headers else []
                head += b'"headers":%b,' % msgspec.json.encode(pairs) if pairs else b""
            reply = written(payload, head + b'"data":')
            line = responses.replied(self.subject, reply, self._id)
            self._end(Outcome(line, "answered", reply=payload))
        else:
            self._take_ack(payload)

    def _take_ack(self, payload: bytes) -> None:
        """Take the answer of a stream; pass over whatever else comes."""
        try:
            ack = _read_ack(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        if ack.error is not None:
            code, reason = ack.error.err_code, shorten(ack.error.description, 200)
            text = f"The stream did not store it: {reason}."
            self._refuse("not_stored", text, err_code=code)
        elif ack.stream and ack.seq > 0:
            name, stream, seq, duplicate = self.subject, ack.stream, ack.seq, ack.duplicate
            line = responses.stored(name, stream, seq, self._id, duplicate=duplicate)
            self._end(Outcome(line, "duplicate" if duplicate else "stored"))

    def _time_out(self) -> None:
        within = f"within {self._timeout:g} s"
        if self.is_request:
            self._refuse("timeout", f"No answer on {self._name} {within}.")
        else:
            text = (
                f"No stream said {within} whether it has it: it may, or none stores {self._name}."
            )
            self._refuse("timeout", text)

    @property
    def _name(self) -> str:
        return repr(shorten(self.subject))

    def _refuse(self, code: _Refused, text: str, **more: object) -> None:
        refusal = Refusal(code, text, [self.subject], self._id, more=more)
        self._end(Outcome(refusal.line(), code))

    def _end(self, outcome: Outcome) -> None:
        if self._is_over:
            return
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._sending.answers.forget(self)
        self._finish(self, outcome)
