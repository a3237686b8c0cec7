"""What a browser asks for: one JSON object, checked for shape. Pure functions, no I/O."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.wire.codes import PING, PUBLISH, REQUEST, SUBJECTS, SUBSCRIBE, UNSUBSCRIBE
from bridge.wire.publications import Publication, PublicationError, read_publication
from bridge.wire.responses import Refusal, shorten
from bridge.wire.wants import PLAIN, WANTS, Wants, read_wants
from bridge.wire.wishes import PAST, Past, read_past

MAX_REQUEST_SUBJECTS = 128
MAX_ID_BYTES = 200
"""Of an `id` as it is spelled: each response to the request repeats it."""

_NO_ID = msgspec.Raw()

PING_FORM = 'A ping is {"action": "ping"}.'
"""For clients whose library sends a word, or a type, that it calls a ping."""


class _Head(msgspec.Struct):
    """What every request may have; `id` keeps its exact spelling."""

    action: Any = SUBSCRIBE
    id: msgspec.Raw = _NO_ID
    connection_id: Any = None


class _LooseShape(_Head):
    """The JSON of a request before its values are checked."""

    subjects: Any = msgspec.UNSET
    token: Any = msgspec.UNSET
    type: Any = None
    meta: Any = None
    max_rate: Any = None
    history: Any = None
    stream: Any = None


class _Shape(_LooseShape, forbid_unknown_fields=True):
    pass


_decode_head = msgspec.json.Decoder(_Head).decode
_decode = msgspec.json.Decoder(_Shape).decode
_decode_loosely = msgspec.json.Decoder(_LooseShape).decode
_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
OPTIONS = (*WANTS, *PAST)
"""The keys that belong to subscribe."""
_KEYS = ("subjects", "action", "id", "connection_id", "token", *OPTIONS)


class Request(msgspec.Struct, frozen=True):
    """What a browser asks for, checked for shape only: its subjects may still be invalid.

    With a `token` it shows that and asks for nothing. A ping has no subjects. What is to be
    published has one, and is a `publication`.
    """

    action: str
    subjects: tuple[str, ...]
    id: bytes = b""
    connection_id: str | None = None
    token: str | None = None
    wants: Wants = PLAIN
    past: Past | None = None
    publication: Publication | None = None

    def __repr__(self) -> str:
        """Show neither token nor payload."""
        return f"Request({self.action!r}, {self.subjects!r}, {self.id!r})"


def parse_request(text: str | bytes) -> Request:
    """Read one request. Raises Refusal (`bad_request`) with a sentence that says what is wrong."""
    shape = _read_shape(text)
    request_id = bytes(shape.id).strip()
    if request_id and request_id[:1] not in b'"-0123456789':
        raise Refusal("bad_request", "id has to be a string or a number.")
    if len(request_id) > MAX_ID_BYTES:
        raise Refusal("bad_request", f"id has to be of {MAX_ID_BYTES} bytes at most.")
    if not isinstance(shape, _LooseShape):
        return _with_publication(shape, text, request_id)
    wants = read_wants(shape.meta, shape.max_rate)
    past = read_past(shape.history, shape.stream, is_rated=shape.max_rate is not None)
    fault = _shape_fault(shape) or _unknown_key(shape, text)
    fault = fault or next((each for each in (wants, past) if isinstance(each, str)), "")
    if fault or isinstance(wants, str) or isinstance(past, str):
        raise Refusal("bad_request", fault, request_id=request_id)
    if shape.token is not msgspec.UNSET:
        return Request(shape.action, (), request_id, token=shape.token)
    if shape.action == PING:
        return Request(PING, (), request_id, shape.connection_id)
    subjects = [shape.subjects] if isinstance(shape.subjects, str) else shape.subjects
    unique = tuple(dict.fromkeys(subjects))
    return Request(shape.action, unique, request_id, shape.connection_id, wants=wants, past=past)


def _with_publication(shape: _Head, text: str | bytes, request_id: bytes) -> Request:
    try:
        publication = read_publication(shape.action, text, request_id)
        if not isinstance(shape.connection_id, str | None):
            raise PublicationError("connection_id has to be a string.")
    except PublicationError as fault:
        raise Refusal("bad_request", str(fault), request_id=request_id) from None
    named = (publication.subject,)
    return Request(shape.action, named, request_id, shape.connection_id, publication=publication)


def _read_shape(text: str | bytes) -> _Head:
    """Read the JSON of a request; a `_Shape` if there is no key in it that nobody knows.

    Of what is to be published the head alone: the rest of it is read by its own rules.
    """
    try:
        if isinstance(text, bytes):
            text.decode()
        try:
            head = _decode_head(text)
            return head if head.action in (PUBLISH, REQUEST) else _decode(text)
        except msgspec.ValidationError:
            return _decode_loosely(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal("bad_request", _unreadable(text, error)) from None
    except RecursionError:
        raise Refusal("bad_request", "The request is nested too deeply.") from None


def _unknown_key(shape: _LooseShape, text: str | bytes) -> str:
    """Say which key of a request nobody knows: a misspelt option would go unseen."""
    keys = () if isinstance(shape, _Shape) and shape.type is None else _names(text)
    unknown = next((key for key in keys if key not in _KEYS), None)
    if unknown is None:
        return ""
    return f"{shorten(unknown)!r} is no key of a request. Its keys are {', '.join(_KEYS)}."


def _unreadable(text: str | bytes, error: Exception) -> str:
    """Say why a request that no JSON object could be made of is refused."""
    word = text.decode(errors="replace") if isinstance(text, bytes) else text
    if word[:16].strip().strip('"').lower() == PING:
        return f"The request is not a JSON object. {PING_FORM}"
    if isinstance(error, msgspec.ValidationError):
        return "A request is a JSON object with 'subjects'."
    return "The request is not valid JSON."


def _shape_fault(shape: _LooseShape) -> str | None:
    if shape.token is not msgspec.UNSET:
        # Not over HTTP, where it goes into a header.
        alone = shape.subjects is msgspec.UNSET and shape.connection_id is None
        good = isinstance(shape.token, str) and alone
        return None if good else "A token is a string, and comes in a request of its own."
    subjects = shape.subjects
    if shape.action == PING:
        alone = subjects is msgspec.UNSET and isinstance(shape.connection_id, str | None)
        return None if alone else f"A ping has no subjects. {PING_FORM}"
    if shape.action not in (SUBSCRIBE, UNSUBSCRIBE, SUBJECTS):
        return (
            "The user has to specify action in message ('subscribe' or 'unsubscribe'), "
            f"got {_shown(shape.action)} instead"
        )
    if subjects is msgspec.UNSET:
        return f"subjects required. {PING_FORM}" if shape.type == PING else "subjects required"
    option = next((key for key in OPTIONS if getattr(shape, key) is not None), None)
    if option is not None and shape.action != SUBSCRIBE:
        return f"'{option}' belongs to subscribe."
    if not isinstance(shape.connection_id, str | None):
        return "connection_id has to be a string."
    if isinstance(subjects, str):
        return None
    if not isinstance(subjects, list) or not all(isinstance(each, str) for each in subjects):
        return "subjects has to be a list of strings, or one string."
    if not 1 <= len(subjects) <= MAX_REQUEST_SUBJECTS:
        return f"subjects has to hold 1 to {MAX_REQUEST_SUBJECTS} subjects, got {len(subjects)}."
    return None


def _shown(value: object) -> str:
    """Return what stands for a value in a sentence: a list may be nested too deeply to be shown."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return shorten(str(value))
