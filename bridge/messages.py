"""What goes over the wire: requests in, responses and messages out. Pure functions, no I/O.

Every function that makes something for a browser returns a *line*: one JSON object as UTF-8 bytes
without line breaks, so that several lines can share a frame (`?batch=1`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import repeat
from typing import Any, Literal

import msgspec

from bridge.frames import MOST, frame_head, text_frame

SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
MAX_REQUEST_BYTES = MOST
MAX_REQUEST_SUBJECTS = 128

Code = Literal[
    "bad_request", "bad_subject", "not_subscribed", "denied", "limit", "nats_down", "rate_limited"
]


class CloseCode(IntEnum):
    """Why we close: 4000 to 4499 ask the browser to come back later, 4500 and up not to."""

    BUG = 1011
    RESTART = 1012
    TOOK_NOTHING = 4008
    FLOOD = 4029
    TOO_MANY_BAD_REQUESTS = 4400


_encode = msgspec.json.encode
_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_check_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_NO_ID = msgspec.Raw()
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _RequestShape(msgspec.Struct):
    """The JSON of a request before its values are checked; `id` keeps its exact spelling."""

    subjects: Any = msgspec.UNSET
    action: Any = SUBSCRIBE
    id: msgspec.Raw = _NO_ID
    connection_id: Any = None


_decode_shape = msgspec.json.Decoder(_RequestShape).decode


@dataclass(frozen=True, slots=True)
class Request:
    """What a browser asks for, checked for shape only: its subjects may still be invalid."""

    action: str
    subjects: tuple[str, ...]
    id: bytes = b""
    connection_id: str | None = None


class Refusal(Exception):
    """A request, or one subject of it, that cannot be granted; its text is for the browser."""

    def __init__(
        self, code: Code, message: str, subjects: Sequence[str] = (), request_id: bytes = b""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subjects = tuple(subjects)
        self.request_id = request_id

    def line(self) -> bytes:
        """Return the `refused` response."""
        head = {"success": False, "message": str(self), "code": self.code}
        return _response({**head, "subjects": self.subjects}, self.request_id)


def parse_request(text: str | bytes) -> Request:
    """Read one request. Raises Refusal (`bad_request`) with a sentence that says what is wrong."""
    try:
        shape = _decode_shape(text)
        if isinstance(text, bytes):
            text.decode()
    except msgspec.ValidationError:
        raise Refusal("bad_request", "A request is a JSON object with 'subjects'.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("bad_request", "The request is not valid JSON.") from None
    except RecursionError:
        raise Refusal("bad_request", "The request is nested too deeply.") from None
    request_id = bytes(shape.id).strip()
    if request_id and request_id[:1] not in b'"-0123456789':
        raise Refusal("bad_request", "id has to be a string or a number.")
    fault = _shape_fault(shape)
    if fault:
        raise Refusal("bad_request", fault, request_id=request_id)
    subjects = [shape.subjects] if isinstance(shape.subjects, str) else shape.subjects
    unique = tuple(dict.fromkeys(subjects))
    return Request(shape.action, unique, request_id, shape.connection_id)


def _shape_fault(shape: _RequestShape) -> str | None:
    if shape.action not in (SUBSCRIBE, UNSUBSCRIBE):
        return (
            "The user has to specify action in message ('subscribe' or 'unsubscribe'), "
            f"got {shorten(str(shape.action))} instead"
        )
    subjects = shape.subjects
    if subjects is msgspec.UNSET:
        return "subjects required"
    if not isinstance(shape.connection_id, str | None):
        return "connection_id has to be a string."
    if isinstance(subjects, str):
        return None
    if not isinstance(subjects, list) or not all(isinstance(each, str) for each in subjects):
        return "subjects has to be a list of strings, or one string."
    if not 1 <= len(subjects) <= MAX_REQUEST_SUBJECTS:
        return f"subjects has to hold 1 to {MAX_REQUEST_SUBJECTS} subjects, got {len(subjects)}."
    return None


def shorten(text: str, most: int = 80) -> str:
    """Cut `text` to `most` characters for use within a sentence."""
    return text if len(text) <= most else text[: most - 1] + "…"


def greeting(connection_id: str) -> bytes:
    """Return the first line of every connection."""
    greet = {"success": True, "data": "Successfully connected", "connection_id": connection_id}
    return _encode(greet)


def subscribed(subjects: Sequence[str], request_id: bytes = b"") -> bytes:
    """Return the acknowledgement of one request: the NATS server has accepted `subjects`."""
    names = ", ".join(repr(subject) for subject in subjects)
    head = {"success": True, "message": f"Successfully connected to events: {names}"}
    return _response({**head, "action": SUBSCRIBE, "subjects": subjects}, request_id)


def unsubscribed(subject: str, request_id: bytes = b"") -> bytes:
    """Return the acknowledgement for one subject that is no longer followed."""
    head = {"success": True, "message": f"Successfully unsubscribed from event: {subject}"}
    return _response({**head, "action": UNSUBSCRIBE, "subjects": [subject]}, request_id)


def dropped(count: int) -> bytes:
    """Return the notice that a connection was too slow for `count` messages."""
    return b'{"dropped":%d}' % count


NATS_DOWN = b'{"status":"nats_down"}'
NATS_UP = b'{"status":"nats_up","gap":true}'


def _response(fields: dict[str, object], request_id: bytes) -> bytes:
    line = _encode(fields)
    if not request_id:
        return line
    return b'%b,"id":%b}' % (line[:-1], request_id)


class Envelope:
    """Encodes the messages of one subject, each once for all who get it."""

    def __init__(self, subject: str) -> None:
        self._head = b'{"subject":%b,"data":' % _encode(subject)
        self._starts = _Starts(self._head)

    def frames(self, payloads: list[bytes]) -> list[bytes]:
        """Return messages as finished WebSocket frames."""
        if _as_json(payloads) is None:
            return [self._frame(payload) for payload in payloads]
        starts = map(self._starts.__getitem__, map(len, payloads))
        return list(map(b"".join, zip(starts, payloads, repeat(b"}"))))

    def lines(self, payloads: list[bytes]) -> list[bytes]:
        """Return messages as lines, to share a frame with others."""
        joined = _as_json(payloads)
        if joined is None or joined.count(b"\n") >= len(payloads) or b"\r" in joined:
            return [self._line(payload) for payload in payloads]
        return list(map(b"".join, zip(repeat(self._head), payloads, repeat(b"}"))))

    def _frame(self, payload: bytes) -> bytes:
        if not _is_json(payload):
            return text_frame(self._not_json(payload))
        return b"%b%b}" % (self._starts[len(payload)], payload)

    def _line(self, payload: bytes) -> bytes:
        if not _is_json(payload):
            return self._not_json(payload)
        if b"\n" in payload or b"\r" in payload:
            # Between tokens only, since JSON strings hold no raw line breaks: values stay exact.
            payload = payload.replace(b"\n", b" ").replace(b"\r", b" ")
        return b"%b%b}" % (self._head, payload)

    def _not_json(self, payload: bytes) -> bytes:
        try:
            data, encoding = _encode(payload.decode()), b"text"
        except UnicodeDecodeError:
            data, encoding = b'"%b"' % base64.b64encode(payload), b"base64"
        return b'%b%b,"encoding":"%b"}' % (self._head, data, encoding)


class _Starts(dict[int, bytes]):
    """What a frame begins with, by the size of the payload: its head, and `head` of the line."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def __missing__(self, size: int) -> bytes:
        if len(self) >= 1000:
            self.clear()
        start = self[size] = frame_head(len(self._head) + size + 1) + self._head
        return start


def _is_json(payload: bytes) -> bool:
    return _as_json([payload]) is not None


def _as_json(payloads: list[bytes]) -> bytes | None:
    """Return `payloads` joined if each is JSON, and of one line if there are several.

    Several are checked as one list. A payload such as `1,2` is two values of it; but where the only
    line breaks are those between the payloads, and the values joined alike are the same text, each
    value is a payload.
    """
    joined = b",\n".join(payloads)
    try:
        # msgspec checks the whole syntax without building values, but not the UTF-8.
        if len(payloads) == 1:
            _check_json(joined)
        else:
            values = _check_list(b"[%b]" % joined)
            breaks = joined.count(b"\n")
            if not breaks == len(payloads) - 1 == len(values) - 1 or b",\n".join(values) != joined:
                return None
        if not joined.isascii():
            joined.decode()
    except _NOT_JSON:
        return None
    return joined


class Message:
    """A NATS message as a `manager.callback` sees it: `subject`, and `data` decoded."""

    def __init__(self, subject: str, payload: bytes) -> None:
        self.subject = subject
        self.payload = payload

    @cached_property
    def frame(self) -> bytes:
        """The message as a finished WebSocket frame."""
        return Envelope(self.subject).frames([self.payload])[0]

    @cached_property
    def line(self) -> bytes:
        """The message as a line, to share a frame with others."""
        return Envelope(self.subject).lines([self.payload])[0]

    @cached_property
    def data(self) -> Any:
        """The payload as a Python value: parsed JSON, text, or base64 text, as on the wire."""
        try:
            return json.loads(self.line)["data"]
        except RecursionError:
            return self.payload.decode()
