"""What a stream is like, and whether it holds what somebody wants to follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bridge.history.cursor import epoch_of
from bridge.history.errors import UnansweredError

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream

Reason = Literal[
    "no_jetstream",
    "not_permitted",
    "no_stream",
    "partly",
    "several_streams",
    "retention",
]
"""Why a pattern has no history."""


class NoHistoryError(Exception):
    """A pattern whose past cannot be read; the text is for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the leader of a stream says of it."""

    name: str
    epoch: str
    subjects: tuple[str, ...]
    """What it stores; none of a mirror."""
    retention: str
    allow_direct: bool
    first: int
    last: int
    last_time: str


def read_info(answer: dict[str, Any]) -> StreamInfo:
    """Return what STREAM.INFO has answered."""
    config, state = answer["config"], answer["state"]
    return StreamInfo(
        config["name"],
        epoch_of(answer["created"]),
        tuple(config.get("subjects") or ()),
        config.get("retention", "limits"),
        bool(config.get("allow_direct")) or bool(config.get("mirror_direct")),
        state["first_seq"],
        state["last_seq"],
        state.get("last_ts", ""),
    )


async def ask_info(js: JetStream, stream: str, seconds: float) -> StreamInfo:
    """Ask the leader of a stream. Raises HistoryError."""
    answer = await js.ask(f"STREAM.INFO.{stream}", seconds=seconds)
    try:
        return read_info(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise UnansweredError(f"cannot read what is said of {stream!r}: {error!r}") from None
