"""What Prometheus calls each figure.

The names keep to its rules: base units, `_total` for what only grows, and no label whose values
come from outside, be it a subject, an address or a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from bridge.telemetry.histogram import Histogram

if TYPE_CHECKING:
    from bridge.telemetry.metrics import Counters


@dataclass(frozen=True, slots=True)
class Family:
    """One name in /metrics. `counter`: its field, or with a `label` the beginning of its fields."""

    name: str
    counter: str
    help: str
    label: str = ""

    def shows(self, name: str) -> bool:
        """Tell whether the counter of this name is in it."""
        return name.startswith(self.counter) if self.label else name == self.counter

    def metric(self, counters: Counters) -> Metric:
        """Return it with what has been counted."""
        first = getattr(counters, self.counter, None)
        if isinstance(first, Histogram):
            buckets, total = first.buckets(), first.sum
            return HistogramMetricFamily(self.name, self.help, buckets=buckets, sum_value=total)
        if not self.label:
            return CounterMetricFamily(self.name, self.help, value=first)
        metric = CounterMetricFamily(self.name, self.help, labels=[self.label])
        for each in filter(self.shows, counters.__slots__):
            metric.add_metric([each.removeprefix(self.counter)], getattr(counters, each))
        return metric


FAMILIES = (
    Family("bridge_connections_accepted_total", "accepted", "WebSocket connections accepted"),
    Family("bridge_connections_closed_total", "closed_", "WebSocket connections ended", "reason"),
    Family("bridge_requests_total", "requests_", "requests from browsers", "action"),
    Family(
        "bridge_refused_total",
        "refused_",
        "connections, requests, and subjects of requests that were refused",
        "reason",
    ),
    Family("bridge_messages_received_total", "received", "messages from NATS"),
    Family(
        "bridge_received_bytes_total", "received_bytes", "bytes read from NATS, with its protocol"
    ),
    Family("bridge_messages_due_total", "due", "messages received, times the followers of each"),
    Family("bridge_messages_delivered_total", "delivered", "messages written to connections"),
    Family(
        "bridge_sent_bytes_total", "sent_bytes", "bytes of messages and responses to connections"
    ),
    Family(
        "bridge_messages_filtered_total",
        "filtered",
        "messages not meant for a follower: denied, or brought by another of its patterns",
    ),
    Family("bridge_messages_dropped_total", "dropped_", "messages due and not delivered", "reason"),
    Family(
        "bridge_slow_consumer_episodes_total",
        "slow_episodes",
        "times a connection became too slow: messages were dropped until there was room again",
    ),
    Family(
        "bridge_messages_overlapping_total",
        "watched",
        "messages on subjects where patterns of one connection overlap",
    ),
    Family("bridge_messages_unreadable_total", "poison", "messages from NATS that make no sense"),
    Family("bridge_nats_reconnects_total", "reconnects", "connections to NATS made anew"),
    Family(
        "bridge_nats_probes_missed_total", "missed_probes", "probes of NATS that went unanswered"
    ),
    Family(
        "bridge_fan_out_seconds",
        "fan_out",
        "time until messages read from NATS were handed to the sockets: the oldest of each write",
    ),
    Family("bridge_event_loop_lag_seconds", "event_loop_lag", "how late timers came"),
)
"""Every counter there is, and what Prometheus calls it."""

GAUGES = {
    "bridge_connections": "WebSocket connections open",
    "bridge_connections_limit": "connections there is room for: MAX_CONNECTIONS, or fewer files",
    "bridge_patterns": "distinct patterns followed",
    "bridge_messages_pending": "messages due that wait for their connections",
    "bridge_nats_subscriptions": "subscriptions held at NATS: the patterns, and three of our own",
    "bridge_nats_up": "1 while messages flow from NATS",
    "bridge_nats_round_trip_seconds": "time the NATS server took to answer the latest probe",
    "bridge_event_loop_lag_max_seconds": "longest event-loop lag of the last minute",
    "bridge_tasks": "asyncio tasks",
}
"""Figures that are read when they are asked for."""
