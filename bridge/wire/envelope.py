"""How a NATS message looks on our wire: `{"subject": …, "data": …}`, encoded once for all."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from functools import cached_property
from itertools import repeat
from operator import attrgetter
from typing import Any

import msgspec

from bridge.wire.frames import FRAME_HEADS, text_frame
from bridge.wire.metadata import Annotated, Pair, read_headers

_encode = msgspec.json.encode
_check_json = msgspec.json.Decoder(msgspec.Raw).decode
_check_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_DATA = b',"data":'
_subject_of = attrgetter("subject_key")
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Envelope:
    """Encodes the messages of one subject, each once for all who get it."""

    __slots__ = ("_around", "_head", "subject", "subject_key")

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.subject_key = b'{"subject":%b' % _encode(subject)
        """How a message begins."""
        self._head = self.subject_key + _DATA
        self._around = len(self._head) + 1
        """Bytes of a line beside its payload."""

    def frames(self, payloads: list[bytes]) -> list[bytes]:
        """Return messages as finished WebSocket frames."""
        if len(payloads) == 1 or _as_json(payloads) is None:
            return [self._frame(payload) for payload in payloads]
        sizes = map(self._around.__add__, map(len, payloads))
        heads = map(FRAME_HEADS.__getitem__, sizes)
        return list(map(b"".join, zip(heads, repeat(self._head), payloads, repeat(b"}"))))

    def lines(self, payloads: list[bytes]) -> list[bytes]:
        """Return messages as lines, to share a frame with others."""
        return lines_of(payloads, repeat(self._head))

    def records(self, payloads: list[bytes]) -> list[bytes]:
        """Return messages as `lines` does, but with the line breaks of their payloads."""
        return records_of(payloads, repeat(self._head))

    def _frame(self, payload: bytes) -> bytes:
        try:
            # As in _as_json; written out because where subjects are many, each message comes here.
            _check_json(payload)
            if not payload.isascii():
                payload.decode()
        except _NOT_JSON:
            return text_frame(_not_json(payload, self._head))
        return b"%b%b%b}" % (FRAME_HEADS[self._around + len(payload)], self._head, payload)


def heads(envelopes: Iterable[Envelope], keys: Iterable[bytes]) -> Iterable[bytes]:
    """Return the beginnings of messages that have further keys beside subject and payload."""
    return map(b"".join, zip(map(_subject_of, envelopes), keys, repeat(_DATA)))


def lines_of(payloads: list[bytes], heads: Iterable[bytes]) -> list[bytes]:
    """Return messages as lines that begin with `heads`, to share a frame with others."""
    joined = _as_json(payloads)
    if joined is None or b"\r" in joined or (len(payloads) == 1 and b"\n" in joined):
        return list(map(written, payloads, heads))
    return list(map(b"".join, zip(heads, payloads, repeat(b"}"))))


def records_of(payloads: list[bytes], heads: Iterable[bytes]) -> list[bytes]:
    """Return messages as `lines_of` does, but with the line breaks of their payloads."""
    if _as_json(payloads) is None:
        return list(map(_record, payloads, heads))
    return list(map(b"".join, zip(heads, payloads, repeat(b"}"))))


def written(payload: bytes, head: bytes) -> bytes:
    """Return the line of a message, which begins with `head`."""
    if (b"\n" in payload or b"\r" in payload) and is_json(payload):
        # Between tokens only, since JSON strings hold no raw line breaks: values stay exact.
        payload = payload.replace(b"\n", b" ").replace(b"\r", b" ")
    return _record(payload, head)


def _record(payload: bytes, head: bytes) -> bytes:
    return b"%b%b}" % (head, payload) if is_json(payload) else _not_json(payload, head)


def _not_json(payload: bytes, head: bytes) -> bytes:
    try:
        data, encoding = _encode(payload.decode()), b"text"
    except UnicodeDecodeError:
        data, encoding = b'"%b"' % base64.b64encode(payload), b"base64"
    return b'%b%b,"encoding":"%b"}' % (head, data, encoding)


def is_json(payload: bytes) -> bool:
    """Tell whether a payload is JSON in UTF-8."""
    try:
        _check_json(payload)
        if not payload.isascii():
            payload.decode()
    except _NOT_JSON:
        return False
    return True


def _as_json(payloads: list[bytes]) -> bytes | None:
    """Return `payloads` joined if each is JSON, and of one line if there are several.

    Several are checked as one list. A payload such as `1,2` is two values of it; but where no
    payload holds a line break, and the values joined by one are the same text as the payloads, each
    value is a payload.
    """
    joined = b",\n".join(payloads)
    try:
        # msgspec checks the whole syntax without building values, but not the UTF-8.
        if len(payloads) == 1:
            _check_json(joined)
        elif b"\n" in b"".join(payloads):
            return None
        else:
            values = _check_list(b"[%b]" % joined)
            if len(values) != len(payloads) or b",\n".join(values) != joined:
                return None
        if not joined.isascii():
            joined.decode()
    except _NOT_JSON:
        return None
    return joined


class Message:
    """A NATS message as a `manager.callback` sees it: `subject`, and `data` decoded.

    `reply` and `headers` are empty unless the client that it is for has asked for such. `meta` is
    what it asked for.
    """

    def __init__(self, subject: str, payload: bytes, meta: tuple[str, ...] = ()) -> None:
        self.subject = subject
        self.payload = payload
        self.meta = meta
        self.pieces: dict[object, bytes] = {}
        """What it looks like in each framing that was asked for: many may send the same one."""

    @cached_property
    def data(self) -> Any:
        """The payload as a Python value: parsed JSON, text, or base64 text, as on the wire."""
        try:
            return json.loads(Envelope(self.subject).lines([self.payload])[0])["data"]
        except (RecursionError, ValueError):  # Python reads no integer of 4301 digits
            return self.payload.decode()

    @property
    def reply(self) -> str:
        """Where whoever sent it waits for an answer."""
        answer_to = self.payload.reply if isinstance(self.payload, Annotated) else b""
        return answer_to.decode(errors="replace")

    @property
    def headers(self) -> list[Pair]:
        """Its headers, as they stand on the wire: pairs of name and value."""
        raw = self.payload.headers if isinstance(self.payload, Annotated) else b""
        return read_headers(raw)[0] if raw else []
