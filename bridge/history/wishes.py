"""What somebody wants of the past, as it is written in a request."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from bridge.history.cursor import MAX_SEQUENCE, read_cursors
from bridge.history.starts import (
    After,
    All,
    Auto,
    FromSequence,
    Last,
    LastPerSubject,
    New,
    Since,
    Wish,
)

_NAMED: dict[str, Wish] = {
    "new": New(),
    "auto": Auto(),
    "all": All(),
    "last_per_subject": LastPerSubject(),
}
_AGO = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MAX_AGO = timedelta(days=36500)


def read_wish(value: Any) -> Wish:
    """Return what a JSON value asks for. Raises ValueError with a sentence for people."""
    if isinstance(value, str) and value in _NAMED:
        return _NAMED[value]
    if isinstance(value, dict) and len(value) == 1:
        ((name, wanted),) = value.items()
        if name == "last":
            return Last(_number(name, wanted))
        if name == "seq":
            return FromSequence(_number(name, wanted))
        if name == "since" and isinstance(wanted, str):
            return Since(_time(wanted))
        if name == "after" and isinstance(wanted, str):
            return After(tuple(read_cursors(wanted)))
    raise ValueError(
        'history is "new", "auto", "all", "last_per_subject", or an object with one of '
        '"last", "since", "seq" and "after".'
    )


def _number(name: str, wanted: Any) -> int:
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 < wanted <= MAX_SEQUENCE:
        raise ValueError(f'"{name}" in history is a whole number from 1 on.')
    return wanted


def _time(wanted: str) -> datetime | timedelta:
    found = _AGO.fullmatch(wanted)
    if found is not None:
        ago = timedelta(**{_UNITS[found[2]]: int(found[1])})
        if ago <= MAX_AGO:
            return ago
    elif len(wanted) < 64:
        try:
            time = datetime.fromisoformat(wanted)
        except ValueError:
            pass
        else:
            if time.tzinfo is not None:
                return time
    raise ValueError(
        '"since" in history is a time like "2026-03-01T12:00:00Z", or how long ago: "90s", "5m", '
        '"2h", "1d".'
    )
