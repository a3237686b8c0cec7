"""What somebody wants of the past: the keys `history` and `stream` of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bridge.wire.cursor import MAX_SEQUENCE, Cursor, read_cursors


@dataclass(frozen=True, slots=True)
class New:
    """Nothing of the past."""


@dataclass(frozen=True, slots=True)
class Auto(New):
    """The same, if there is a stream."""


@dataclass(frozen=True, slots=True)
class All:
    """Everything stored."""


@dataclass(frozen=True, slots=True)
class LastPerSubject:
    """The latest message of each subject."""


@dataclass(frozen=True, slots=True)
class Last:
    """The newest `count` under each pattern."""

    count: int


@dataclass(frozen=True, slots=True)
class Since:
    """What was stored at `time` or later; a duration counts back by the server's clock."""

    time: datetime | timedelta


@dataclass(frozen=True, slots=True)
class FromSequence:
    """What has this sequence or a greater one."""

    sequence: int


@dataclass(frozen=True, slots=True)
class After:
    """What came after one of these cursors; of a stream that none is of, what `otherwise` says."""

    cursors: tuple[Cursor, ...]
    otherwise: Wish = New()

    def cursor(self, stream: str) -> Cursor | None:
        """Return the cursor that is of a stream."""
        return next((each for each in self.cursors if each.stream == stream), None)


Place = New | All | Last | Since | FromSequence | After
"""What has a place in the stream."""
Wish = Place | LastPerSubject


@dataclass(frozen=True, slots=True)
class Past:
    """What somebody wants of the past of the patterns in a request."""

    wish: Wish
    stream: str | None = None
    """The stream that has it; None: the one that holds the pattern."""
    is_optional: bool = False
    """Whether a pattern that no stream holds is followed all the same."""


NAMED: dict[str, Wish] = {
    "new": New(),
    "auto": Auto(),
    "all": All(),
    "last_per_subject": LastPerSubject(),
}
"""What has a name of its own."""
_AGO = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
MAX_AGO = timedelta(days=36500)
PAST = ("history", "stream")
"""The keys of a request that say what is wanted of the past."""
_STREAM_NAME = re.compile(r"[^\s./*>\\]{1,255}")


def read_past(history: Any, stream: Any, *, is_rated: bool = False) -> Past | str | None:
    """Return what the value of each key asks for, None if it is not there; or what is wrong."""
    if history is None:
        return None if stream is None else "stream goes with history."
    if stream is not None and not (isinstance(stream, str) and _STREAM_NAME.fullmatch(stream)):
        return "stream has to be the name of a stream."
    try:
        wish = read_wish(history)
    except ValueError as fault:
        return str(fault)
    if is_rated:
        # Where messages are left out, a sequence says nothing of what somebody has.
        return None if isinstance(wish, Auto) else 'With max_rate, history can be "auto" only.'
    return Past(wish, stream, is_optional=isinstance(wish, Auto))


def read_wish(value: Any) -> Wish:
    """Return what a JSON value asks for. Raises ValueError with a sentence for people."""
    if isinstance(value, str) and value in NAMED:
        return NAMED[value]
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
