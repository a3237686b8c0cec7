"""What is answered to who asks for patterns with their past."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from bridge.history.errors import (
    TOO_MANY_CONSUMERS,
    ApiError,
    HistoryError,
    NoHistoryError,
    UnansweredError,
)
from bridge.wire.responses import Refusal, shorten
from bridge.wire.wishes import After

if TYPE_CHECKING:
    from bridge.history.reading import Reading
    from bridge.wire.wishes import Past


class Begun(NamedTuple):
    """A pattern whose past is on its way."""

    pattern: str
    history: dict[str, object]
    """What its response says of it."""
    start: Callable[[], object]
    """Has to be called before the response is sent: nothing comes before the next turn."""


class Followed(NamedTuple):
    """What became of patterns that were asked for with their past."""

    begun: list[Begun]
    plain: list[str]
    """Those that have no history, of which none had to be."""
    refused: dict[str, Refusal]

    def refuse(
        self,
        pattern: str,
        past: Past,
        error: HistoryError,
        *,
        is_connected: bool,
    ) -> None:
        """Note why a pattern has no history; `auto` means that it need not have one.

        Where JetStream alone is silent, messages flow all the same; who comes back would miss some.
        """
        is_resume = isinstance(past.wish, After)
        may_wait = isinstance(error, UnansweredError) and (is_resume or not is_connected)
        if past.is_optional and not may_wait:
            self.plain.append(pattern)
        else:
            self.refused[pattern] = refusal(pattern, error)


def described(reading: Reading, pattern: str, past: Past) -> dict[str, object]:
    """Return what a response says of a pattern's past."""
    start, tail = reading.start, reading.keeper.tail
    said: dict[str, object] = {
        "stream": tail.stream,
        "epoch": tail.epoch,
        # The latest ones of each subject are older, and have no place that is known before.
        "after": 0 if reading.has_latest else start.after[pattern],
        "messages": start.messages,
    }
    if isinstance(past.wish, After):
        said["resumed"] = start.reason is None
    if start.reason is not None:
        said["reason"] = start.reason
    return said


def refusal(pattern: str, error: HistoryError) -> Refusal:
    """Return why a pattern cannot be followed with its past."""
    name = repr(shorten(pattern))
    if isinstance(error, NoHistoryError):
        text = f"{name} has no history here: {error}."
        return Refusal("no_history", text, [pattern], more={"reason": error.reason})
    if isinstance(error, ApiError) and error.number == TOO_MANY_CONSUMERS:
        text = f"{name} cannot be followed with its past: its stream has no room for a consumer."
        return Refusal("limit", text, [pattern])
    if isinstance(error, UnansweredError):
        text = f"JetStream does not answer; {name} is followed as soon as it does."
        return Refusal("nats_down", text, [pattern])
    text = f"{name} has no history here: {error}."
    return Refusal("no_history", text, [pattern], more={"reason": "no_stream"})
