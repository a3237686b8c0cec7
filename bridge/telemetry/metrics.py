"""The figures in Prometheus' text format: what it calls each of them.

The names keep to its rules: base units, `_total` for what only grows, and no label whose values
come from outside, be it a subject, an address or a token.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from bridge import __version__
from bridge.telemetry.counters import Counters, Histogram


@dataclass(frozen=True, slots=True)
class Family:
    """One name in /metrics. `counter`: its field in `Counters`, which with a `label` is a dict."""

    name: str
    counter: str
    help: str
    label: str = ""

    def metric(self, counters: Counters) -> Metric:
        """Return it with what has been counted."""
        count = getattr(counters, self.counter)
        if isinstance(count, Histogram):
            buckets, total = count.buckets(), count.sum
            return HistogramMetricFamily(self.name, self.help, buckets=buckets, sum_value=total)
        if not self.label:
            return CounterMetricFamily(self.name, self.help, value=count)
        metric = CounterMetricFamily(self.name, self.help, labels=[self.label])
        for reason, number in count.items():
            metric.add_metric([reason], number)
        return metric


FAMILIES = (
    Family(
        "bridge_connections_accepted_total",
        "accepted",
        "connections accepted: WebSockets, and responses that go on",
    ),
    Family("bridge_connections_closed_total", "closed", "connections ended", "reason"),
    Family("bridge_requests_total", "requests", "requests from browsers", "action"),
    Family(
        "bridge_refused_total",
        "refused",
        "connections, requests, and subjects of requests that were refused",
        "reason",
    ),
    Family("bridge_messages_received_total", "received", "messages from NATS"),
    Family(
        "bridge_received_bytes_total", "received_bytes", "bytes read from NATS, with its protocol"
    ),
    Family(
        "bridge_messages_due_total", "expected", "messages received, times the followers of each"
    ),
    Family("bridge_messages_delivered_total", "delivered", "messages written to connections"),
    Family(
        "bridge_sent_bytes_total", "sent_bytes", "bytes of messages and responses to connections"
    ),
    Family(
        "bridge_compression_input_bytes_total",
        "uncompressed_bytes",
        "bytes that were compressed, each once, however many connections get it",
    ),
    Family("bridge_compression_output_bytes_total", "compressed_bytes", "bytes they became"),
    Family(
        "bridge_messages_filtered_total",
        "filtered",
        "messages not meant for a follower: denied, brought by another of its patterns, passed "
        "over at its rate, or over the limit of a response",
    ),
    Family("bridge_messages_dropped_total", "dropped", "messages due and not delivered", "reason"),
    Family(
        "bridge_slow_consumer_episodes_total",
        "slow_episodes",
        "times a connection became too slow: messages were dropped until there was room again",
    ),
    Family(
        "bridge_messages_overlapping_total",
        "overlapping",
        "messages on subjects where patterns of one connection overlap",
    ),
    Family(
        "bridge_messages_unreadable_total", "unreadable", "messages from NATS that make no sense"
    ),
    Family(
        "bridge_headers_malformed_total",
        "malformed_headers",
        "messages with headers that cannot be read, where somebody asked for them",
    ),
    Family(
        "bridge_publishes_total",
        "publishes",
        "messages that browsers wanted published, requests among them, by what became of them",
        "result",
    ),
    Family(
        "bridge_requests_seconds",
        "answered",
        "time until a request that a browser made of somebody in NATS was answered",
    ),
    Family(
        "bridge_history_messages_total",
        "history_messages",
        "messages delivered that were read from streams: replays, and what was caught up with",
    ),
    Family(
        "bridge_history_reads_total",
        "history_reads",
        "requests to JetStream: direct gets of messages, reads by a consumer where there are none, "
        "checks with leaders",
        "how",
    ),
    Family(
        "bridge_history_stale_total",
        "history_stale",
        "pages read again, as the replica that answered lacked messages",
    ),
    Family(
        "bridge_history_consumers_total",
        "history_consumers",
        "consumers made: one for each stream that is followed, another one where it was lost or "
        "filters change, and those of reads",
    ),
    Family(
        "bridge_history_fell_behind_total",
        "history_fell_behind",
        "times a connection fell behind in a stream, to read on from there",
    ),
    Family(
        "bridge_history_missed_total",
        "history_missed",
        "times a connection was told that messages of a stream will not come",
        "reason",
    ),
    Family("bridge_nats_reconnects_total", "reconnects", "reconnections to NATS"),
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
    "bridge_connections": "connections open: WebSockets, and responses that go on",
    "bridge_connections_limit": "connections there is room for: MAX_CONNECTIONS, or fewer files",
    "bridge_patterns": "distinct patterns followed",
    "bridge_messages_pending": "messages due that wait for their connections",
    "bridge_history_streams": "streams followed, each by one consumer; a while longer than needed",
    "bridge_history_replays": "connections, for each stream, that get what was before",
    "bridge_history_behind": "connections, for each stream, that catch up with what is live",
    "bridge_nats_subscriptions": "subscriptions held at NATS: the patterns, and a few of our own",
    "bridge_nats_up": "1 while messages flow from NATS",
    "bridge_nats_round_trip_seconds": "time the NATS server took to answer the latest probe",
    "bridge_event_loop_lag_max_seconds": "longest event-loop lag of the last minute",
    "bridge_tasks": "asyncio tasks",
}
"""Figures that are read when they are asked for."""


class Metrics:
    """All figures of one process.

    `gauges`: name to what reads it. `state`: which of the `states` the connection to NATS is in.
    """

    def __init__(
        self,
        counters: Counters,
        gauges: Mapping[str, Callable[[], float]],
        state: Callable[[], str],
        states: Sequence[str],
    ) -> None:
        self._counters = counters
        self._gauges = gauges
        self._state, self._states = state, states
        self._process = ProcessCollector(registry=None)
        self._build_info = _build_info()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield every figure in the form prometheus_client asks for."""
        for family in FAMILIES:
            yield family.metric(self._counters)
        for name, read in self._gauges.items():
            yield GaugeMetricFamily(name, GAUGES[name], value=read())
        yield self._nats_state()
        yield self._build_info
        yield from self._process.collect()

    def text(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _nats_state(self) -> Metric:
        now = self._state()
        text = "1 for the state of the connection to NATS, as /readyz names it"
        metric = GaugeMetricFamily("bridge_nats_state", text, labels=["state"])
        for state in self._states:
            metric.add_metric([state], state == now)
        return metric


def _build_info() -> Metric:
    parts = {
        "version": __version__,
        "python": platform.python_version(),
        "nats_py": version("nats-py"),
        "panini": version("panini"),
    }
    metric = GaugeMetricFamily("bridge_build_info", "1, with the versions", labels=list(parts))
    metric.add_metric(list(parts.values()), 1)
    return metric
