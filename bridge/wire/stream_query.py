"""What the query of `GET /stream?subjects=…` asks for: the same as a request, and a limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from bridge.wire.requests import Request, parse_request
from bridge.wire.responses import Refusal, shorten
from bridge.wire.wants import WANTS

SUBJECTS, LIMIT = "subjects", "limit"
_REPEATED = (SUBJECTS, "meta")
"""Keys that may come again and again."""
_KEYS = (SUBJECTS, *WANTS, LIMIT)
_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,15})?", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,14}", re.ASCII)


class StreamQuery(NamedTuple):
    """What is asked for. `limit`: messages after which the response ends; None if it does not."""

    request: Request
    limit: int | None = None


def read_query(pairs: Iterable[tuple[str, str]]) -> StreamQuery:
    """Read a query. Raises Refusal (`bad_request`) with a sentence that says what is wrong."""
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
    asked = {key: _value(key, values) for key, values in given.items()}
    request = parse_request(msgspec.json.encode(asked))
    return StreamQuery(request, None if limit is None else int(limit[0]))


def _value(key: str, values: list[str]) -> object:
    """Return what a key of a request would have as its value."""
    if key == SUBJECTS:
        return values
    if key == "meta":
        return [word for value in values for word in value.split(",")]
    return float(values[0]) if _NUMBER.fullmatch(values[0]) else values[0]
