"""How far one connection has one stream, as the ids of its events tell a browser.

An id has the cursor of each stream that the connection follows with its past, so that one who comes
back with it gets the rest of each. The cursor of this stream stands in each piece that is made for
its audiences. Where a connection follows several streams, those of the others are put beside it as
it is written: by then it is known what has been written of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wire.cursor import cursor_text
from bridge.wire.event_stream import split_id
from bridge.wire.wishes import After

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.fanout.member import Member
    from bridge.wire.wishes import Past


class Bookmark:
    """Moves a connection's cursor in one stream with what is written to it.

    For a connection whose pieces have no ids it is the connection itself.
    """

    def __init__(self, member: Member, stream: str) -> None:
        self._member = member
        self._stream = stream
        self._mark = member.framing.mark
        self.offer = member.offer if self._mark is None else self._offer

    def put(self, epoch: str, sequence: int) -> None:
        """Take note that the connection has all up to a sequence, or will not get it any more."""
        if self._mark is not None:
            self._member.places[self._stream] = cursor_text(self._stream, epoch, sequence).encode()

    def respond(self, line: bytes, epoch: str, sequence: int) -> None:
        """Write a notice that moves the cursor."""
        if self._mark is None:
            self._member.respond(line)
            return
        self.put(epoch, sequence)
        self._member.respond(line, cursor=b"/".join(self._member.places.values()))

    def remove(self) -> None:
        """Take note that the stream is not followed any more. Idempotent."""
        if self._mark is not None:
            self._member.places.pop(self._stream, None)

    def _offer(self, pieces: list[bytes], joined: bytes) -> bool:
        member, places = self._member, self._member.places
        cursor, _ = split_id(pieces[-1])
        if cursor and places.keys() - {self._stream}:
            pieces = self._with_others(pieces)
            joined = member.framing.join_alone(pieces)
        if not member.offer(pieces, joined):
            return False
        if cursor:
            places[self._stream] = cursor
        return True

    def _with_others(self, pieces: list[bytes]) -> list[bytes]:
        """Return pieces whose ids have the cursors of all streams."""
        mark = self._mark
        assert mark is not None
        places = dict(self._member.places)
        marked = []
        for piece in pieces:
            places[self._stream], event = split_id(piece)
            marked.append(mark(event, b"/".join(places.values())))
        return marked


def come_back(member: Member, past: Past) -> None:
    """Take note of what a member has had: some of it may be followed later than the rest."""
    if isinstance(past.wish, After) and member.framing.mark is not None:
        for cursor in past.wish.cursors:
            member.places.setdefault(cursor.stream, str(cursor).encode())


def forget_others(member: Member, streams: Iterable[str]) -> None:
    """Forget where a member is in all but these."""
    if member.framing.mark is None:
        return
    for stream in member.places.keys() - set(streams):
        del member.places[stream]
