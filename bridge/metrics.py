"""What the service counts, and how Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


@dataclass(slots=True)
class Counters:
    """Counts since the start; `due` = `delivered` + `filtered` + `dropped` + what is pending."""

    connections: int = 0
    requests: int = 0
    refused: int = 0
    refused_rate: int = 0
    refused_patterns: int = 0
    closed_flood: int = 0
    closed_bad_requests: int = 0
    refused_origin: int = 0
    refused_address: int = 0
    refused_full: int = 0
    too_large: int = 0
    too_late: int = 0
    token_late: int = 0
    unauthorized: int = 0
    received: int = 0
    due: int = 0
    delivered: int = 0
    filtered: int = 0
    dropped: int = 0
    stalled: int = 0
    poison: int = 0
    watched: int = 0
    reconnects: int = 0
    missed_probes: int = 0


_HELP = {
    "connections": "WebSocket connections accepted",
    "requests": "requests from browsers",
    "refused": "requests, or subjects of them, that were refused",
    "refused_rate": "requests refused because they came too fast",
    "refused_patterns": "patterns refused because their connection had all it may follow",
    "closed_flood": "connections closed for a flood of requests",
    "closed_bad_requests": "connections closed for too many bad requests",
    "refused_origin": "requests of web pages of other origins that were refused",
    "refused_address": "connections refused because their address had all it may have",
    "refused_full": "connections refused because there was no room for more",
    "too_large": "requests that were too large: frames, which end their connection, and bodies",
    "too_late": "connections closed because their request did not come in time",
    "token_late": "connections closed because no token came in time",
    "unauthorized": "connections and requests refused because a token was missing or did not count",
    "received": "messages received from NATS",
    "due": "messages received, times the followers of each",
    "delivered": "messages written to connections",
    "filtered": "messages not meant for a follower: denied, or brought by another of its patterns",
    "dropped": "messages dropped because a connection was too slow or ended",
    "stalled": "connections closed because they took nothing",
    "poison": "messages from NATS that could not be read",
    "watched": "messages received on subjects where patterns of one connection overlap",
    "reconnects": "times the connection to NATS was made anew",
    "missed_probes": "probes of the connection to NATS that were not answered",
}


class Metrics:
    """The figures of one service: its counters, and gauges read when they are asked for."""

    def __init__(self, counters: Counters, gauges: dict[str, Callable[[], float]]) -> None:
        self._counters = counters
        self._gauges = gauges
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield every figure in the form prometheus_client asks for."""
        for field in fields(self._counters):
            value = getattr(self._counters, field.name)
            yield CounterMetricFamily(f"bridge_{field.name}", _HELP[field.name], value=value)
        for name, read in self._gauges.items():
            yield GaugeMetricFamily(f"bridge_{name}", name.replace("_", " "), value=read())

    def text(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self._registry)
