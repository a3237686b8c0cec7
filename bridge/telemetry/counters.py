"""What the service counts: plain numbers, since some are raised for every message."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal, get_args

# fmt: off  one line for each kind
Closed = Literal[
    "left",
    "lost",
    "stalled",
    "flood",
    "bad_requests",
    "protocol",
    "token",
    "too_large",
    "bug",
    "restart",
    "other",
]
"""How a WebSocket ended: the browser said goodbye or was lost, or why we closed it."""
Requested = Literal[
    "subscribe",
    "unsubscribe",
    "publish",
    "request",
    "subjects",
    "token",
    "ping",
    "bad",
]
"""What a request asked for; `bad` could not be read."""
Refused = Literal[
    "origin",
    "address",
    "full",
    "unauthorized",
    "token_late",
    "too_late",
    "too_soon",
    "too_large",
    "rate",
    "bad_request",
    "bad_subject",
    "not_subscribed",
    "denied",
    "patterns",
    "limit",
    "nats_down",
    "no_history",
    "already_followed",
    "stream_gone",
]
"""Why a connection, a request or one subject of it was refused."""
Published = Literal[
    "sent",
    "stored",
    "duplicate",
    "answered",
    "left",
    "bad_request",
    "bad_subject",
    "denied",
    "too_large",
    "rate_limited",
    "limit",
    "nats_down",
    "no_responders",
    "not_stored",
    "timeout",
]
"""What became of a message that a browser wanted published; `left`: it did not wait to be told."""
# fmt: on
Read = Literal["direct", "consumer", "check"]
"""How stored messages were asked for; `check` is a question to the leader of a stream."""
Missed = Literal["expired", "too_many", "stream_new", "ahead"]
"""Why messages of a stream will not come."""
Dropped = Literal["slow", "closed", "callback"]
"""Why a message that was expected was not delivered."""

BUCKET_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The upper end of each bucket of a histogram; the last bucket has none."""


class Histogram:
    """Counts durations by bucket.

    prometheus_client's own takes a lock and ten times as long, for threads that are not here.
    """

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKET_SECONDS) + 1)
        self.sum = 0.0
        """Seconds in all."""

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BUCKET_SECONDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper end, as Prometheus writes it, and how many took no longer."""
        ends = (*map(str, BUCKET_SECONDS), "+Inf")
        total, found = 0, []
        for end, count in zip(ends, self._counts, strict=True):
            total += count
            found.append((end, float(total)))
        return found


@dataclass(slots=True)
class Counters:
    """Counts since the start.

    `expected` = `delivered` + `filtered` + `dropped` + what is pending; with a callback, if that
    sends one message for each.
    """

    accepted: int = 0
    closed: dict[Closed, int] = field(default_factory=lambda: dict.fromkeys(get_args(Closed), 0))
    requests: dict[Requested, int] = field(
        default_factory=lambda: dict.fromkeys(get_args(Requested), 0)
    )
    refused: dict[Refused, int] = field(default_factory=lambda: dict.fromkeys(get_args(Refused), 0))
    received: int = 0
    received_bytes: int = 0
    expected: int = 0
    """Messages received, times the followers of each."""
    delivered: int = 0
    sent_bytes: int = 0
    uncompressed_bytes: int = 0
    """Of what was compressed, before it: once, however many connections get it."""
    compressed_bytes: int = 0
    filtered: int = 0
    dropped: dict[Dropped, int] = field(default_factory=lambda: dict.fromkeys(get_args(Dropped), 0))
    slow_episodes: int = 0
    overlapping: int = 0
    unreadable: int = 0
    malformed_headers: int = 0
    publishes: dict[Published, int] = field(
        default_factory=lambda: dict.fromkeys(get_args(Published), 0)
    )
    history_messages: int = 0
    """Of those delivered: read for one connection, not shared as what is live."""
    history_reads: dict[Read, int] = field(default_factory=lambda: dict.fromkeys(get_args(Read), 0))
    history_stale: int = 0
    history_consumers: int = 0
    history_fell_behind: int = 0
    history_missed: dict[Missed, int] = field(
        default_factory=lambda: dict.fromkeys(get_args(Missed), 0)
    )
    reconnects: int = 0
    missed_probes: int = 0
    answered: Histogram = field(default_factory=Histogram)
    fan_out: Histogram = field(default_factory=Histogram)
    event_loop_lag: Histogram = field(default_factory=Histogram)

    def note_compressed(self, before: int, after: int) -> None:
        """Count bytes that were compressed."""
        self.uncompressed_bytes += before
        self.compressed_bytes += after
