"""The figures of this service: what is read when it is asked for, beside what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.telemetry.worker_figures import WorkerFigures
from bridge.wire.codes import OK, NotReady

if TYPE_CHECKING:
    from bridge.service.app import Service
    from bridge.service.workers import Worker
    from bridge.telemetry.metrics import Metrics

NATS_STATES = (OK, NotReady.NATS_DOWN, NotReady.NATS_AUTH)


class Followed(Protocol):
    """What is read of the streams themselves."""

    @property
    def replaying(self) -> int: ...
    @property
    def behind(self) -> int: ...


class Streams(Protocol):
    """What is read of those who follow streams."""

    @property
    def streams(self) -> int: ...
    @property
    def stages(self) -> Followed: ...


class Connections(Protocol):
    """What is read of the manager of the connections."""

    @property
    def connections(self) -> Sized: ...
    @property
    def patterns(self) -> int: ...
    @property
    def pending_messages(self) -> int: ...
    @property
    def streams(self) -> Streams: ...


class Figures(WorkerFigures):
    """Every figure of `app` and `manager`, and those of the other workers if there are some."""

    def __init__(self, app: Service, manager: Connections, worker: Worker) -> None:
        self._gauges = {
            "bridge_connections": lambda: len(manager.connections),
            "bridge_connections_limit": lambda: app.capacity.limit,
            "bridge_patterns": lambda: manager.patterns,
            "bridge_messages_pending": lambda: manager.pending_messages,
            "bridge_history_streams": lambda: manager.streams.streams,
            "bridge_history_replays": lambda: manager.streams.stages.replaying,
            "bridge_history_behind": lambda: manager.streams.stages.behind,
            "bridge_nats_subscriptions": lambda: app.nats_watch.subscriptions,
            "bridge_nats_up": lambda: app.nats_watch.trouble is None,
            "bridge_nats_round_trip_seconds": lambda: app.nats_watch.round_trip,
            "bridge_event_loop_lag_max_seconds": lambda: app.loop_lag.worst,
            "bridge_tasks": lambda: len(asyncio.all_tasks()),
        }
        super().__init__(worker.figures, worker.number, lambda: self._metrics.text())
        app.background.append(self.keep_up)
        self._app, self._manager = app, manager
        app.show_status = self.show

    @cached_property
    def _metrics(self) -> Metrics:
        # Prometheus' library need not hold up the start.
        from bridge.telemetry.metrics import Metrics

        watch, counters = self._app.nats_watch, self._app.counters
        return Metrics(counters, self._gauges, lambda: watch.trouble or OK, NATS_STATES)

    def show(self) -> None:
        """Write a line that says what goes on."""
        counters = self._app.counters
        tell(
            events.STATUS,
            connections=len(self._manager.connections),
            patterns=self._manager.patterns,
            received=counters.received,
            delivered=counters.delivered,
            dropped=sum(counters.dropped.values()),
            nats=self._app.nats_watch.trouble or OK,
        )
