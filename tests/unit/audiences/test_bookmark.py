"""The ids of what is written to a connection: the cursor of each stream that it follows."""

from __future__ import annotations

from typing import Any

from bridge.audiences.bookmark import Bookmark
from bridge.wire.event_stream import message_event, notice_event, with_id
from bridge.wire.framing import EVENTS_UNCHUNKED, JSON_LINES_UNCHUNKED, Framing


class Connection:
    """Takes what is written while there is `room`."""

    def __init__(self, framing: Framing = EVENTS_UNCHUNKED) -> None:
        self.framing = framing
        self.places: dict[str, bytes] = {}
        self.room = True
        self.joined: list[bytes] = []

    def offer(self, pieces: list[bytes], joined: bytes) -> bool:
        assert joined == self.framing.join(pieces)
        if self.room:
            self.joined.append(joined)
        return self.room

    def respond(self, line: bytes, *, cursor: bytes = b"") -> None:
        self.joined.append(with_id(notice_event(line), cursor))

    def bookmark(self, stream: str) -> Bookmark:
        member: Any = self
        return Bookmark(member, stream)


def piece(cursor: bytes) -> bytes:
    return with_id(message_event(b"1"), cursor)


def offer(bookmark: Bookmark, *pieces: bytes) -> bytes:
    joined = b"".join(pieces)
    bookmark.offer(list(pieces), joined)
    return joined


def test_the_pieces_of_one_stream_are_written_as_they_were_made_for_all() -> None:
    connection = Connection()
    bookmark = connection.bookmark("A")
    joined = offer(bookmark, piece(b"A.x.1"), piece(b"A.x.2"))
    assert connection.joined[0] is joined
    assert connection.places == {"A": b"A.x.2"}


def test_with_several_streams_an_id_has_the_cursors_of_all() -> None:
    connection = Connection()
    a, b = connection.bookmark("A"), connection.bookmark("B")
    a.put("x", 0)
    b.put("y", 7)
    offer(a, piece(b"A.x.1"), piece(b"A.x.2"))
    offer(b, piece(b"B.y.8"))
    b.respond(b"2", "y", 9)
    assert b"".join(connection.joined) == (
        b"id: A.x.1/B.y.7\ndata: 1\n\nid: A.x.2/B.y.7\ndata: 1\n\nid: A.x.2/B.y.8\ndata: 1\n\n"
        b"id: A.x.2/B.y.9\nevent: notice\ndata: 2\n\n"
    )
    a.remove()
    a.remove()
    offer(b, piece(b"B.y.10"))
    assert connection.joined[-1] == piece(b"B.y.10")


def test_what_found_no_room_moves_nothing() -> None:
    connection = Connection()
    a, b = connection.bookmark("A"), connection.bookmark("B")
    a.put("x", 1)
    b.put("y", 1)
    connection.room = False
    offer(a, piece(b"A.x.2"))
    connection.room = True
    offer(b, piece(b"B.y.2"))
    assert connection.joined == [piece(b"A.x.1/B.y.2")]


def test_what_has_no_id_moves_nothing_and_gets_none() -> None:
    connection = Connection()
    a, b = connection.bookmark("A"), connection.bookmark("B")
    a.put("x", 1)
    b.put("y", 1)
    event = message_event(b"1")
    offer(a, event)
    assert connection.joined == [event]
    assert connection.places == {"A": b"A.x.1", "B": b"B.y.1"}


def test_where_pieces_have_no_ids_it_is_not_in_between() -> None:
    connection = Connection(JSON_LINES_UNCHUNKED)
    bookmark = connection.bookmark("A")
    assert bookmark.offer == connection.offer
    bookmark.put("x", 1)
    bookmark.respond(b"1", "x", 2)
    bookmark.remove()
    assert connection.places == {}
