"""What the query of `GET /stream?subjects=…` asks for: the same as a request, and when it ends."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import msgspec
from msgspec import structs

from bridge.wire.cursor import read_cursors
from bridge.wire.requests import Request, parse_request
from bridge.wire.responses import Refusal, shorten
from bridge.wire.wants import WANTS
from bridge.wire.wishes import NAMED, PAST, After, New, Past

SUBJECTS, LIMIT = "subjects", "limit"
HISTORY, AFTER, LIVE = "history", "after", "live"
LAST_EVENT_ID = "Last-Event-ID"
"""What an EventSource that comes back has had (HTML standard, section 9.2.4)."""
_REPEATED = (SUBJECTS, "meta")
"""Keys that may come again and again."""
_KEYS = (SUBJECTS, *WANTS, *PAST, AFTER, LIVE, LIMIT)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,14}", re.ASCII)
_SEQUENCE = re.compile(r"\d{1,19}", re.ASCII)


class StreamQuery(NamedTuple):
    """What is asked for. `limit`: messages after which the response ends; None if it does not.

    `goes_on`: whether it does behind what is stored.
    """

    request: Request
    limit: int | None = None
    goes_on: bool = True


def read_query(pairs: Iterable[tuple[str, str]], last_event_id: str = "") -> StreamQuery:
    """Read a query. Raises Refusal (`bad_request`) with a sentence that says what is wrong.

    `last_event_id`: that of the last event which whoever comes back has had.
    """
    given: dict[str, list[str]] = {}
    for key, value in pairs:
        given.setdefault(key, []).append(value)
    for key, values in given.items():
        if key not in _KEYS:
            text = f"{shorten(key)!r} is no key of this query. Its keys are {', '.join(_KEYS)}."
            raise Refusal("bad_request", text)
        if len(values) > 1 and key not in _REPEATED:
            raise Refusal("bad_request", f"{key} may come once.")
    limit = given.pop(LIMIT, None)
    if limit is not None and not _COUNT.fullmatch(limit[0]):
        raise Refusal("bad_request", "limit has to be a number of messages, 1 or more.")
    goes_on = _goes_on(given)
    after = given.pop(AFTER, None)
    if after is not None:
        given.setdefault(HISTORY, ["new"])
    asked = {key: _value(key, values) for key, values in given.items()}
    request = parse_request(msgspec.json.encode(asked))
    if last_event_id and request.wants.max_rate is None:
        request = _resumed(request, LAST_EVENT_ID, last_event_id)
    elif after is not None:
        request = _resumed(request, AFTER, after[0])
    return StreamQuery(request, None if limit is None else int(limit[0]), goes_on)


def _goes_on(given: dict[str, list[str]]) -> bool:
    live = given.pop(LIVE, ["true"])[0]
    if live == "true":
        return True
    if live != "false":
        raise Refusal("bad_request", "live is true or false.")
    if HISTORY not in given and AFTER not in given:
        raise Refusal("bad_request", "live=false goes with history or after: it ends behind them.")
    return False


def _resumed(request: Request, name: str, cursors: str) -> Request:
    """Return a request for what came after cursors; of other streams comes what it asked for."""
    if request.wants.max_rate is not None:
        raise Refusal("bad_request", f"With max_rate there is no {name}: it leaves messages out.")
    # One that asks for no past may have been given some by a POST: it has to go on as it was.
    past = request.past or Past(New(), is_optional=True)
    try:
        wish = After(tuple(read_cursors(cursors)), past.wish)
    except ValueError as fault:
        raise Refusal("bad_request", f"{name}: {fault}") from None
    return structs.replace(request, past=replace(past, wish=wish))


def _value(key: str, values: list[str]) -> object:
    """Return what a key of a request would have as its value."""
    if key == SUBJECTS:
        return values
    if key == "meta":
        return [word for value in values for word in value.split(",")]
    if key == HISTORY:
        return _history(values[0])
    if key in WANTS and _NUMBER.fullmatch(values[0]):
        return float(values[0])
    return values[0]


def _history(text: str) -> object:
    """Return what stands for a value of `history` in a request."""
    name, colon, value = text.partition(":")
    if name in NAMED and not colon:
        return name
    if name == "since" and colon:
        # In a query, a plus sign means a space.
        return {name: re.sub(r" (\d\d:?\d\d)$", r"+\1", value)}
    if name in ("last", "seq") and colon:
        return {name: int(value) if _SEQUENCE.fullmatch(value) else value}
    raise Refusal(
        "bad_request",
        "history is new, auto, all, last_per_subject, last:100, since:5m, "
        "since:2026-03-01T12:00:00Z or seq:1234.",
    )
