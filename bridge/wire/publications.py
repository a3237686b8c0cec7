"""What a browser wants published, or asked of whoever answers: shape, payload and headers.

Pure functions, no I/O.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from bridge.wire.codes import PUBLISH, REQUEST
from bridge.wire.responses import shorten

MESSAGE_ID = "Nats-Msg-Id"
EXPECTED = (
    "Nats-Expected-Stream",
    "Nats-Expected-Last-Sequence",
    "Nats-Expected-Last-Msg-Id",
    "Nats-Expected-Last-Subject-Sequence",
)
"""What a stream is to look at before it stores; only of use to who waits for its answer."""
_LET_THROUGH = {each.lower(): each for each in (MESSAGE_ID, *EXPECTED)}

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, section 5.6.2."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VERSION = b"NATS/1.0\r\n"

Pairs = Iterable[tuple[str, str]]


class PublicationError(ValueError):
    """What is wrong with the shape of a publication, in a sentence for the browser."""


class Publication(msgspec.Struct, frozen=True):
    """A message to be published, checked for shape only: its subject may still be invalid.

    `headers` are as they go over the wire of NATS; empty if there are none.
    """

    action: str
    subject: str
    payload: bytes = b""
    headers: bytes = b""
    ack: bool = False
    """Whether the answer of a stream is waited for."""
    timeout: float | None = None
    """Seconds to wait for the answer to a request, if it names them."""
    with_headers: bool = False
    """Whether those of the answer are wanted."""


MAX_HEADERS_BYTES = 4096
"""Of `headers` as they are spelled in a request."""
OUT_OF_RANGE = "A number in the request is out of range."
_NOTHING = msgspec.Raw()


class _Common(msgspec.Struct, forbid_unknown_fields=True):
    """The keys that all have; those that are Raw at the end have been read before."""

    subject: Any = None
    data: msgspec.Raw = _NOTHING
    encoding: Any = None
    headers: msgspec.Raw = _NOTHING
    action: msgspec.Raw = _NOTHING
    id: msgspec.Raw = _NOTHING
    connection_id: msgspec.Raw = _NOTHING


class _Publish(_Common):
    ack: Any = None
    msg_id: Any = None


class _Request(_Common):
    timeout: Any = None
    meta: Any = None


_decode_publish = msgspec.json.Decoder(_Publish).decode
_decode_request = msgspec.json.Decoder(_Request).decode
_KEYS = {PUBLISH: _Publish.__struct_fields__, REQUEST: _Request.__struct_fields__}
_names = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode


def read_publication(action: str, text: str | bytes, request_id: bytes) -> Publication:
    """Read a request that is known to be a JSON object with this `action`.

    Raises PublicationError.
    """
    try:
        if action == PUBLISH:
            return _publish(_decode_publish(text))
        return _request(_decode_request(text), request_id)
    except RecursionError:
        raise PublicationError("The request is nested too deeply.") from None
    except msgspec.ValidationError:
        raise PublicationError(_unknown_key(action, text) or OUT_OF_RANGE) from None


def _publish(shape: _Publish) -> Publication:
    ack, message_id = _flag("ack", shape.ack), _optional("msg_id", shape.msg_id)
    headers = header_lines(_pairs(shape.headers), message_id, ack=ack)
    return Publication(PUBLISH, _subject(shape), _payload(shape.data, shape.encoding), headers, ack)


def _request(shape: _Request, request_id: bytes) -> Publication:
    headers = header_lines(_pairs(shape.headers), ack=False)
    subject, payload = _subject(shape), _payload(shape.data, shape.encoding)
    if not request_id:
        raise PublicationError("A request needs an id, by which its answer is known.")
    seconds, meta = read_timeout(shape.timeout), _meta(shape.meta)
    return Publication(REQUEST, subject, payload, headers, False, seconds, meta)


def _unknown_key(action: str, text: str | bytes) -> str:
    """Say which key nobody knows; empty if all are known."""
    unknown = next((key for key in _names(text) if key not in _KEYS[action]), None)
    if unknown is None:
        return ""
    return f"{shorten(unknown)!r} is no key of {action}. Its keys are {', '.join(_KEYS[action])}."


def read_timeout(milliseconds: Any) -> float | None:
    """Return the seconds that a request waits, if it names them. Raises PublicationError."""
    if milliseconds is None:
        return None
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    if not is_number or not 1 <= milliseconds <= 1e9:
        raise PublicationError("timeout has to be a number of milliseconds, 1 or more.")
    return float(milliseconds) / 1000


def header_lines(pairs: Pairs, message_id: str | None = None, *, ack: bool) -> bytes:
    """Return headers as they go over the wire of NATS. Raises PublicationError.

    Those that begin with `Nats-` are orders to the server, which has more of them with each
    version: one empties a bucket, another makes it publish elsewhere. So all are refused but five,
    which are spelt as the server does, since it knows them in no other way.
    """
    found = [*pairs, (MESSAGE_ID, message_id)] if message_id is not None else [*pairs]
    if not found:
        return b""
    lines, orders = [], set[str]()
    for name, value in found:
        if not _NAME.fullmatch(name):
            raise PublicationError(f"{shorten(name)!r} is not a name of a header.")
        if _CONTROL.search(value):
            raise PublicationError(f"The header {shorten(name)!r} has a control character.")
        if name.lower().startswith("nats-"):
            name = _order(name, ack=ack)
            if name in orders:
                raise PublicationError(f"The header {name!r} comes more than once.")
            orders.add(name)
        lines.append(f"{name}: {value}\r\n")
    try:
        return b"%b%b\r\n" % (_VERSION, "".join(lines).encode())
    except UnicodeEncodeError:
        raise PublicationError("A header is not valid Unicode.") from None


def orders_in(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return those headers of an HTTP request that are meant for the NATS server."""
    return [(name, value) for name, value in headers.items() if name.lower().startswith("nats-")]


def _order(name: str, *, ack: bool) -> str:
    order = _LET_THROUGH.get(name.lower())
    if order is None:
        allowed = ", ".join(_LET_THROUGH.values())
        raise PublicationError(f"The header {shorten(name)!r} is not let through; {allowed} are.")
    if order in EXPECTED and not ack:
        raise PublicationError(f"The header {order!r} needs ack: only the stream can answer it.")
    return order


def _subject(shape: _Common) -> str:
    if not isinstance(shape.subject, str):
        raise PublicationError("subject has to be a string.")
    return shape.subject


def _pairs(raw: msgspec.Raw) -> Pairs:
    """Return headers, given as an object or as the pairs that come with messages.

    Looking at thousands of them would hold everybody up.
    """
    spelt = bytes(raw)
    if len(spelt) > MAX_HEADERS_BYTES:
        raise PublicationError(f"headers may have {MAX_HEADERS_BYTES} bytes at most.")
    headers = msgspec.json.decode(spelt) if spelt else None
    if headers is None:
        return ()
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        raise PublicationError("headers has to be an object of strings, or a list of pairs.")
    return [(name, value) for name, value in pairs]


def _is_pair(pair: Any) -> bool:
    is_one = isinstance(pair, list | tuple) and len(pair) == 2
    return is_one and all(isinstance(each, str) for each in pair)


def _payload(data: msgspec.Raw, encoding: Any) -> bytes:
    """Return the bytes that `data` stands for: as JSON, those of the request itself."""
    spelt = bytes(data)
    if encoding is None or not spelt:
        if encoding not in (None, "text", "base64"):
            raise PublicationError("encoding has to be 'text' or 'base64'.")
        return spelt
    try:
        value = _text(data)
        if encoding == "text":
            return value.encode()
        if encoding == "base64":
            return base64.b64decode(value, validate=True)
    except ValueError:  # msgspec's own errors are such, too
        raise PublicationError(f"data has to be a string of {encoding}.") from None
    raise PublicationError("encoding has to be 'text' or 'base64'.")


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool | None):
        raise PublicationError(f"{key} has to be true or false.")
    return bool(value)


def _optional(key: str, value: Any) -> str | None:
    if value is not None and not (isinstance(value, str) and value):
        raise PublicationError(f"{key} has to be a string that is not empty.")
    return value


def _meta(value: Any) -> bool:
    if value not in (None, [], ["headers"]):
        raise PublicationError("meta has to be ['headers'].")
    return bool(value)
