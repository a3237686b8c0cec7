"""What the service counts, and all its figures for Prometheus."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from bridge import __version__
from bridge.telemetry.families import FAMILIES, GAUGES
from bridge.telemetry.histogram import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What `Metrics.text` is."""
NATS_STATES = ("ok", "nats_down", "nats_auth")

_CLOSE_REASONS = {
    1009: "too_large",
    1011: "bug",
    1012: "restart",
    4008: "stalled",
    4029: "flood",
    4400: "bad_requests",
    4501: "token",
}
"""A close code of ours to what it is counted as; the rest is `other`."""


@dataclass(slots=True)
class Counters:
    """Counts since the start: plain numbers, since some are raised for every message.

    `due` = `delivered` + `filtered` + `dropped_…` + what is pending; with a callback, if that sends
    one message for each.
    """

    accepted: int = 0
    closed_left: int = 0
    closed_lost: int = 0
    closed_stalled: int = 0
    closed_flood: int = 0
    closed_bad_requests: int = 0
    closed_token: int = 0
    closed_too_large: int = 0
    closed_bug: int = 0
    closed_restart: int = 0
    closed_other: int = 0
    requests_subscribe: int = 0
    requests_unsubscribe: int = 0
    requests_token: int = 0
    requests_bad: int = 0
    refused_origin: int = 0
    refused_address: int = 0
    refused_full: int = 0
    refused_unauthorized: int = 0
    refused_token_late: int = 0
    refused_too_late: int = 0
    refused_too_large: int = 0
    refused_rate: int = 0
    refused_bad_request: int = 0
    refused_bad_subject: int = 0
    refused_not_subscribed: int = 0
    refused_denied: int = 0
    refused_patterns: int = 0
    refused_limit: int = 0
    refused_nats_down: int = 0
    received: int = 0
    received_bytes: int = 0
    due: int = 0
    delivered: int = 0
    sent_bytes: int = 0
    filtered: int = 0
    dropped_slow: int = 0
    dropped_closed: int = 0
    dropped_callback: int = 0
    slow_episodes: int = 0
    watched: int = 0
    poison: int = 0
    reconnects: int = 0
    missed_probes: int = 0
    fan_out: Histogram = field(default_factory=Histogram)
    event_loop_lag: Histogram = field(default_factory=Histogram)

    @property
    def dropped(self) -> int:
        """Messages dropped, for whatever reason."""
        return self.dropped_slow + self.dropped_closed + self.dropped_callback

    def count_end(self, ours: int | None, theirs: int | None) -> None:
        """Count a connection that ended: with `ours` if we closed it, else with `theirs`.

        Browsers can give any code as theirs, so it only says whether they said goodbye.
        """
        if ours is not None:
            self._add(f"closed_{_CLOSE_REASONS.get(ours, 'other')}")
        else:
            self._add("closed_lost" if theirs in (None, 1006) else "closed_left")

    def count_refusal(self, reason: str) -> None:
        """Count a refusal."""
        self._add(f"refused_{reason}")

    def _add(self, name: str) -> None:
        setattr(self, name, getattr(self, name) + 1)


class Metrics:
    """The figures of one service. `gauges`: name to what reads it; `trouble`: why NATS is away."""

    def __init__(
        self,
        counters: Counters,
        gauges: Mapping[str, Callable[[], float]],
        trouble: Callable[[], str | None],
    ) -> None:
        self._counters = counters
        self._gauges = gauges
        self._trouble = trouble
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
        now = self._trouble() or "ok"
        text = "1 for the state of the connection to NATS, as /readyz names it"
        metric = GaugeMetricFamily("bridge_nats_state", text, labels=["state"])
        for state in NATS_STATES:
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
