"""Finds the stream of a pattern for one connection, and opens what it has of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.audiences.beside import Owed, find_owed, plain_beside
from bridge.history.errors import HistoryError, NoHistoryError, UnansweredError
from bridge.telemetry import stream_events
from bridge.wire.responses import shorten
from bridge.wire.subjects import overlap
from bridge.wire.wishes import New

if TYPE_CHECKING:
    from bridge.audiences.follower import Follower
    from bridge.fanout.hub import Hub
    from bridge.fanout.member import Member
    from bridge.history.history import History
    from bridge.history.reading import Reading
    from bridge.wire.wishes import Past


async def stream_of(
    history: History | None,
    member: Member,
    pattern: str,
    past: Past,
    others: Sequence[Follower],
    *,
    is_off: bool,
) -> str | HistoryError:
    """Return the stream of a pattern, or why it has none for this member.

    `others`: what the member follows already. `is_off`: whether nobody has any history.
    """
    if is_off or member.callback is not None:
        return NoHistoryError("off", "this gateway reads no streams")
    if history is None:
        return UnansweredError("NATS is away")
    if not member.may_read(pattern):
        if not past.is_optional:
            history.throttled.tell(
                stream_events.HISTORY_REFUSED, connection=member.id, pattern=shorten(pattern)
            )
        return NoHistoryError("off", "it may not be read")
    if past.is_optional and history.js.is_silent:
        return UnansweredError("JetStream does not answer")
    try:
        stream: str = (await history.stream_of(pattern, past.stream, member)).name
    except HistoryError as error:
        return error
    for follower in others:
        if follower.stage.tail.stream != stream:
            for other in follower.patterns:
                if overlap(other, pattern):
                    text = f"this connection follows {shorten(other)!r} of another stream"
                    return NoHistoryError("several_streams", text)
    return stream


async def open_reading(
    history: History, member: Member, patterns: list[str], past: Past, hub: Hub
) -> tuple[Reading, Owed | None]:
    """Open the past of patterns of one stream; also return what the member has had of it.

    For the turn in which this returns, if there is such. Raises what `History.open` does.
    """
    reading = await history.open(patterns, past.wish, past.stream, member)
    beside = plain_beside(member, patterns)
    if not beside:
        return reading, None
    try:
        owed = await find_owed(member, patterns, beside, reading, hub)
    except BaseException:
        reading.end()
        raise
    if isinstance(past.wish, New):
        reading.start = replace(reading.start, after=dict.fromkeys(patterns, owed.after))
    return reading, owed
