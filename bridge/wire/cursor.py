"""Where a browser is in a stream: `STREAM.EPOCH.SEQUENCE`, the same at every replica.

`page/js/client.js` makes such a text, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

MAX_STREAMS = 64
"""Cursors in one text, each of another stream."""
MAX_SEQUENCE = 2**63 - 1

_CURSOR = re.compile(r"([^\s./*>\\]{1,255})\.([0-9a-z]{1,13})\.([0-9]{1,19})", re.ASCII)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Cursor:
    """A stream, which incarnation of it, and the sequence up to which somebody has everything."""

    stream: str
    epoch: str
    sequence: int

    def __str__(self) -> str:
        return cursor_text(self.stream, self.epoch, self.sequence)


def cursor_text(stream: str, epoch: str, sequence: int) -> str:
    """Return a cursor as it is written."""
    return f"{stream}.{epoch}.{sequence}"


def read_cursors(text: str) -> list[Cursor]:
    """Return the cursors of a text, which are joined by `/`. Raises ValueError with a sentence."""
    parts = text.split("/", MAX_STREAMS)
    if len(parts) > MAX_STREAMS:
        raise ValueError(f"A cursor names at most {MAX_STREAMS} streams.")
    cursors = [_read(part) for part in parts]
    if len({each.stream for each in cursors}) < len(cursors):
        raise ValueError("A cursor names each stream once.")
    return cursors


def _read(part: str) -> Cursor:
    found = _CURSOR.fullmatch(part)
    if found is None or int(found[3]) > MAX_SEQUENCE:
        raise ValueError("A cursor is a stream, an epoch and a sequence: ORDERS.mik3x0aa.1234.")
    return Cursor(found[1], found[2], int(found[3]))


def epoch_of(created: str) -> str:
    """Return the epoch of a stream made at `created` (RFC 3339): its milliseconds in base 36."""
    day, _, fraction = created.partition(".")
    digits = re.match(r"\d*", fraction)
    assert digits is not None
    whole = datetime.fromisoformat(day.rstrip("Z") + (fraction[digits.end() :] or "Z"))
    return _base36(int(whole.timestamp()) * 1000 + int(digits[0][:3].ljust(3, "0")))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
