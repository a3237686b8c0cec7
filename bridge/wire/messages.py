"""What goes over the wire: requests in, responses out. Pure functions, no I/O.

Every function that makes something for a browser returns a *line*: one JSON object as UTF-8 bytes
without line breaks, so that several lines can share a frame (`?batch=1`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import msgspec

SUBSCRIBE = "subscribe"
UNSUBSCRIBE = "unsubscribe"
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
    TOKEN = 4501


_encode = msgspec.json.encode
_NO_ID = msgspec.Raw()


class _RequestShape(msgspec.Struct):
    """The JSON of a request before its values are checked; `id` keeps its exact spelling."""

    subjects: Any = msgspec.UNSET
    action: Any = SUBSCRIBE
    id: msgspec.Raw = _NO_ID
    connection_id: Any = None
    token: Any = msgspec.UNSET


_decode_shape = msgspec.json.Decoder(_RequestShape).decode


@dataclass(frozen=True, slots=True)
class Request:
    """What a browser asks for, checked for shape only: its subjects may still be invalid.

    With a `token` it shows that and asks for nothing.
    """

    action: str
    subjects: tuple[str, ...]
    id: bytes = b""
    connection_id: str | None = None
    token: str | None = field(default=None, repr=False)


class Refusal(Exception):
    """A request, or one subject of it, that cannot be granted; its text is for the browser.

    `counted_as`: the reason in the figures, if that is not the code.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        subjects: Sequence[str] = (),
        request_id: bytes = b"",
        *,
        counted_as: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.counted_as = counted_as or code
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
    if shape.token is not msgspec.UNSET:
        return Request(shape.action, (), request_id, token=shape.token)
    subjects = [shape.subjects] if isinstance(shape.subjects, str) else shape.subjects
    unique = tuple(dict.fromkeys(subjects))
    return Request(shape.action, unique, request_id, shape.connection_id)


def _shape_fault(shape: _RequestShape) -> str | None:
    if shape.token is not msgspec.UNSET:
        # Not over HTTP, where it goes into a header.
        alone = shape.subjects is msgspec.UNSET and shape.connection_id is None
        good = isinstance(shape.token, str) and alone
        return None if good else "A token is a string, and comes in a request of its own."
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


def too_large(most: int) -> str:
    """Return the sentence for who sends a request of more than `most` bytes."""
    return f"A request may have {most} bytes at most."


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


def signed_in(request_id: bytes = b"") -> bytes:
    """Return the acknowledgement of a fresh token."""
    head = {"success": True, "message": "Successfully signed in"}
    return _response({**head, "action": "token", "subjects": ()}, request_id)


def token_required(fault: str) -> bytes:
    """Return the notice that a token has to come; `fault`: what is wrong with one that did."""
    notice = {"status": "token_required"}
    return _encode({**notice, "reason": fault} if fault else notice)


def no_such_connection(request_id: bytes = b"") -> bytes:
    """Return the response to a request for a connection that is unknown, or somebody else's."""
    text = "No connection has this connection_id."
    return Refusal("bad_request", text, (), request_id).line()


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
