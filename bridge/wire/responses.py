"""What the gateway answers: every line that is not a message. Pure functions, no I/O.

Every function that makes something for a browser returns a *line*: one JSON object as UTF-8 bytes
without line breaks, so that several lines can share a frame (`?batch=1`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from bridge.wire.codes import PUBLISH, REQUEST, SUBJECTS, SUBSCRIBE, UNSUBSCRIBE, Code

_encode = msgspec.json.encode


class Refusal(Exception):
    """A request, or one subject of it, that cannot be granted; its text is for the browser.

    `counted_as`: the reason in the figures, if that is not the code. `more`: further keys of the
    response.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        subjects: Sequence[str] = (),
        request_id: bytes = b"",
        *,
        counted_as: str = "",
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.counted_as = counted_as or code
        self.subjects = tuple(subjects)
        self.request_id = request_id
        self._more = more or {}

    def line(self) -> bytes:
        """Return the `refused` response."""
        head = {"success": False, "message": str(self), "code": self.code, **self._more}
        return _response({**head, "subjects": self.subjects}, self.request_id)


MOST_TOLD = 128
"""Grants and denials in a greeting; of more it says nothing."""


def shorten(text: str, most: int = 80) -> str:
    """Cut `text` to `most` characters for use within a sentence."""
    return text if len(text) <= most else text[: most - 1] + "…"


def too_large(most: int) -> str:
    """Return the error text for a request of more than `most` bytes."""
    return f"A request may have {most} bytes at most."


def greeting(
    connection_id: str,
    *,
    allow: Sequence[str] = (">",),
    deny: Sequence[str] = (),
    publish: bool = False,
    history: bool = False,
    test_subject: str = "",
) -> bytes:
    """Return the first line of every connection.

    `allow` and `deny`: what it may follow. `publish`: whether it may publish anything. `history`:
    whether it may read any past. `test_subject`: on which the gateway itself publishes, "" for
    none.
    """
    greet = {"success": True, "data": "Successfully connected", "connection_id": connection_id}
    test = {"test_subject": test_subject} if test_subject else {}
    return _encode(greet | _rights(allow, deny) | _open(publish, history) | test)


def subscribed(
    subjects: Sequence[str], request_id: bytes = b"", history: Mapping[str, object] | None = None
) -> bytes:
    """Return the acknowledgement of one request: the NATS server has accepted `subjects`.

    `history`: what is known of their past, where that was asked for.
    """
    names = ", ".join(repr(subject) for subject in subjects)
    head = {"success": True, "message": f"Successfully connected to events: {names}"}
    more = {"history": history} if history else {}
    return _response({**head, "action": SUBSCRIBE, "subjects": subjects, **more}, request_id)


def unsubscribed(subject: str, request_id: bytes = b"") -> bytes:
    """Return the acknowledgement for one subject that is no longer followed."""
    head = {"success": True, "message": f"Successfully unsubscribed from event: {subject}"}
    return _response({**head, "action": UNSUBSCRIBE, "subjects": [subject]}, request_id)


def subjects_found(
    asked: Sequence[str],
    stored: Sequence[Mapping[str, object]],
    seen: Sequence[str],
    more: int,
    *,
    complete: bool,
    reason: str = "",
) -> bytes:
    """Return the answer to the question what there is; it has no id yet.

    `stored`: an object for each stream. `seen`: subjects that only came by. `more`: of these, how
    many are left out. `complete`: whether all streams were read to their end; if not, `reason` may
    say why.
    """
    head = {"success": True, "action": SUBJECTS, "subjects": asked, "stored": stored}
    tail = {"more": more, "complete": complete, **({"reason": reason} if reason else {})}
    return _encode({**head, "seen": seen, **tail})


def published(subject: str, request_id: bytes = b"") -> bytes:
    """Return the acknowledgement of a publication that the NATS server has."""
    head = {"success": True, "action": PUBLISH, "subject": subject}
    return _response(head, request_id)


def stored(
    subject: str, stream: str, seq: int, request_id: bytes = b"", *, duplicate: bool
) -> bytes:
    """Return the acknowledgement of a publication that a stream has stored, or had already."""
    head = {"success": True, "action": PUBLISH, "subject": subject}
    stored = {"stream": stream, "seq": seq, "duplicate": duplicate}
    return _response({**head, **stored}, request_id)


def replied(subject: str, reply: bytes, request_id: bytes = b"") -> bytes:
    """Return the answer to a request: `reply` is an object of JSON with its data."""
    head = {"success": True, "action": REQUEST, "subject": subject}
    return _response({**head, "reply": msgspec.Raw(reply)}, request_id)


def pong(request_id: bytes = b"") -> bytes:
    """Return the answer to a ping."""
    head = {"success": True, "message": "pong", "action": "pong", "subjects": ()}
    return _response(head, request_id)


def signed_in(
    request_id: bytes = b"",
    *,
    allow: Sequence[str] = (">",),
    deny: Sequence[str] = (),
    publish: bool = False,
    history: bool = False,
) -> bytes:
    """Return the acknowledgement of a fresh token, with what it allows as in a greeting."""
    head = {"success": True, "message": "Successfully signed in"}
    may = _rights(allow, deny) | _open(publish, history)
    return _response({**head, "action": "token", "subjects": (), **may}, request_id)


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


def closed(code: int, reason: str) -> bytes:
    """Return the last notice by plain HTTP: what a WebSocket would be closed with."""
    return _encode({"status": "closed", "code": code, "reason": reason})


def live(stream: str, epoch: str, seq: int, subjects: Sequence[str]) -> bytes:
    """Return the notice that all up to `seq` has been sent, and what follows is new."""
    place = {"stream": stream, "epoch": epoch, "seq": seq}
    return _encode({"status": "live", **place, "subjects": subjects})


def behind(stream: str, subjects: Sequence[str]) -> bytes:
    """Return the notice that messages come later than they should, in their order."""
    return _encode({"status": "behind", "stream": stream, "subjects": subjects})


def missed(
    stream: str, epoch: str, after: int, until: int, reason: str, subjects: Sequence[str]
) -> bytes:
    """Return the notice that the messages of a stream between these sequences will not come."""
    place = {"stream": stream, "epoch": epoch, "after": after, "until": until}
    return _encode({"status": "missed", **place, "reason": reason, "subjects": subjects})


def stream_gone(pattern: str, stream: str) -> bytes:
    """Return the line that ends a pattern whose stream was deleted."""
    text = f"The stream {stream!r} is gone, and with it {shorten(pattern)!r}."
    return Refusal("stream_gone", text, [pattern]).line()


def not_permitted(pattern: str, text: str) -> bytes:
    """Return the line that ends a pattern whose past NATS does not let the gateway read."""
    text = f"{shorten(pattern)!r} has no history here: {text}."
    return Refusal("no_history", text, [pattern], more={"reason": "not_permitted"}).line()


NATS_DOWN = b'{"status":"nats_down"}'
NATS_UP = b'{"status":"nats_up","gap":true}'
NATS_UP_WITHOUT_GAP = b'{"status":"nats_up","gap":false}'
"""For who follows streams alone: what was missed comes yet."""


def _rights(allow: Sequence[str], deny: Sequence[str]) -> dict[str, object]:
    """What may be followed, where that is not everything, nor more than a reader wants to know."""
    is_everything = tuple(allow) == (">",) and not deny
    if is_everything or len(allow) + len(deny) > MOST_TOLD:
        return {}
    return {"allow": allow, "deny": deny}


def _open(publish: bool, history: bool) -> dict[str, object]:
    """What else there is to do at all; what there is not is left out."""
    return {what: True for what, may in (("publish", publish), ("history", history)) if may}


def _response(fields: dict[str, object], request_id: bytes) -> bytes:
    return with_id(_encode(fields), request_id)


def with_id(line: bytes, request_id: bytes) -> bytes:
    """Return a response with the id of its request, if that has one."""
    if not request_id:
        return line
    return b'%b,"id":%b}' % (line[:-1], request_id)
