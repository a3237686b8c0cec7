"""What operators are told of the streams that are followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.history.errors import NO_STREAM, ApiError
from bridge.telemetry import events, stream_events

if TYPE_CHECKING:
    from bridge.history.errors import HistoryError
    from bridge.history.js_api import JetStream
    from bridge.history.tail import Loss

_WORDS: dict[Loss, str] = {
    "expired": "they have expired",
    "stream_new": "it was deleted and made again",
    "ahead": "it was restored from before, or has lost them",
}


class Troubles:
    """Logs what befalls the tail of one stream, each thing once a minute."""

    def __init__(self, js: JetStream, stream: str) -> None:
        self._js = js
        self._stream = stream

    def lost(self, why: Loss | None) -> None:
        """Tell that messages will not come, if there is a reason for that."""
        if why is not None:
            self._js.throttled.tell(
                stream_events.STREAM_LOST,
                key=self._stream,
                stream=self._stream,
                reason=_WORDS[why],
            )

    def deleted(self) -> None:
        """Tell that the stream was deleted."""
        self._js.throttled.tell(stream_events.STREAM_DELETED, key=self._stream, stream=self._stream)

    def broken(self, failure: Exception) -> None:
        """Tell of what nobody has foreseen."""
        self._js.throttled.tell(events.BACKGROUND_FAILED, failure, key=self._stream)

    def failed(self, error: HistoryError) -> None:
        """Tell that no consumer can be had for a while, unless that is told otherwise."""
        is_missing = isinstance(error, ApiError) and error.number == NO_STREAM
        if self._js.link.is_connected and not is_missing:
            self._js.throttled.tell(
                stream_events.STREAM_UNREACHABLE,
                key=self._stream,
                stream=self._stream,
                reason=str(error),
            )
