"""Strings as nats-server writes them in its errors: quoted as Go's `%q` does."""

from __future__ import annotations

import re

QUOTED = r'"(?:[^"\\]|\\.)*"'
"""A quoted string, as a regular expression without groups."""

_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_LETTERS = dict(zip(b"abfnrtv", b"\a\b\f\n\r\t\v", strict=True))


def unquote(quoted: str) -> str:
    """Return what Go quoted; what is not valid UTF-8 in it as the replacement character."""
    return _ESCAPE.sub(_plain, quoted[1:-1].encode()).decode(errors="replace")


def _plain(escape: re.Match[bytes]) -> bytes:
    byte, short, long, letter = escape.groups()
    if byte:
        return bytes([int(byte, 16)])
    if letter:
        return bytes([_LETTERS.get(letter[0], letter[0])])
    return chr(int(short or long, 16)).encode(errors="replace")
