"""Who comes back with cursors while JetStream does not answer for all of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bridge.audiences.stream_hub import StreamHub
from bridge.history.errors import NoHistoryError, UnansweredError
from bridge.wire.cursor import Cursor
from bridge.wire.framing import EVENTS, FRAMES, Framing
from bridge.wire.wants import PLAIN
from bridge.wire.wishes import After, Auto, Past

CURSORS = (Cursor("A", "x", 7), Cursor("B", "y", 8))
COMES_BACK = Past(After(CURSORS, Auto()), is_optional=True)


class History:
    """Knows of no stream of `none`, and does not answer for other patterns."""

    js = SimpleNamespace(is_silent=False)

    async def stream_of(self, pattern: str, named: str | None, asker: object) -> Any:
        if pattern == "none":
            raise NoHistoryError("no_stream", "no stream holds it")
        raise UnansweredError("JetStream does not answer")


def stream_hub(*, is_connected: bool = True) -> StreamHub:
    hub: Any = SimpleNamespace(is_connected=is_connected)
    return StreamHub(lambda client: client, History, hub)


class Connection:
    """One that follows nothing yet."""

    callback = None

    def __init__(self, framing: Framing) -> None:
        self.framing = framing
        self.places: dict[str, bytes] = {}

    def may_read(self, pattern: str) -> bool:
        return True


def member(framing: Framing = EVENTS) -> Any:
    return Connection(framing)


async def test_it_waits_for_what_it_had_of_a_stream() -> None:
    """Without its stream it would have a gap that nobody tells it of."""
    found = await stream_hub().follow(member(), ["a"], PLAIN, COMES_BACK)
    assert [each.code for each in found.refused.values()] == ["nats_down"]
    first = Past(Auto(), is_optional=True)
    assert (await stream_hub().follow(member(), ["a"], PLAIN, first)).plain == ["a"]


async def test_its_cursors_are_kept_while_something_waits() -> None:
    connection = member()
    await stream_hub().follow(connection, ["a", "none"], PLAIN, COMES_BACK)
    assert connection.places == {"A": b"A.x.7", "B": b"B.y.8"}
    await stream_hub().follow(connection, ["none"], PLAIN, COMES_BACK)
    assert connection.places == {}, "nothing of them is followed, nor will be"


async def test_a_later_request_takes_no_cursor_back() -> None:
    connection = member()
    connection.places["A"] = b"A.x.9"
    await stream_hub().follow(connection, ["a"], PLAIN, COMES_BACK)
    assert connection.places["A"] == b"A.x.9"


async def test_who_has_no_ids_keeps_no_cursors() -> None:
    connection = member(FRAMES)
    await stream_hub().follow(connection, ["a"], PLAIN, COMES_BACK)
    assert connection.places == {}


@pytest.mark.parametrize("client", [None, History()])
async def test_before_nats_was_there_it_is_away(client: History | None) -> None:
    hub: Any = SimpleNamespace(is_connected=False)
    streams = StreamHub(lambda client: client, lambda: client, hub)
    found = await streams.follow(member(), ["a"], PLAIN, Past(Auto(), is_optional=True))
    assert [each.code for each in found.refused.values()] == ["nats_down"]
