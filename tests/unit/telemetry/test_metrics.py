"""The figures: every counter has a name, and names and labels are what Prometheus asks for."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import fields

import pytest
from prometheus_client.core import Metric

from bridge.telemetry import loop_lag
from bridge.telemetry.families import FAMILIES, GAUGES
from bridge.telemetry.histogram import BOUNDS, Histogram
from bridge.telemetry.loop_lag import LagWatch
from bridge.telemetry.metrics import Counters, Metrics
from bridge.web.capacity import SPARE_FILES, Door
from bridge.wire.messages import CloseCode, Code

COUNTERS = [field.name for field in fields(Counters)]


def rendered(counters: Counters) -> list[Metric]:
    gauges = dict.fromkeys(GAUGES, lambda: 7.0)
    return list(Metrics(counters, gauges, lambda: "nats_auth").collect())


@pytest.mark.parametrize("name", COUNTERS)
def test_every_counter_is_in_one_family(name: str) -> None:
    assert len([family for family in FAMILIES if family.shows(name)]) == 1


def test_every_family_has_counters_and_an_explanation() -> None:
    for family in FAMILIES:
        assert any(map(family.shows, COUNTERS)), family.name
        assert family.help


@pytest.mark.parametrize("name", [n for n in COUNTERS if isinstance(getattr(Counters(), n), int)])
def test_what_is_counted_is_shown(name: str) -> None:
    before = {(s.name, *s.labels.items()) for m in rendered(Counters()) for s in m.samples}
    shown = [
        (sample.name, *sample.labels.items())
        for metric in rendered(Counters(**{name: 5}))
        for sample in metric.samples
        if sample.value == 5
    ]
    assert len(shown) == 1
    assert shown[0] in before, "it is there from the start: a rate needs the first step, too"


def test_names_keep_to_the_rules_of_prometheus() -> None:
    for metric in rendered(Counters()):
        assert metric.documentation
        assert re.match(r"(bridge|process)_[a-z_]+$", metric.name)
        for sample in metric.samples:
            assert (metric.type == "counter") == sample.name.endswith("_total"), sample.name
        if metric.type == "histogram":
            assert metric.name.endswith("_seconds")


def test_refusals_of_every_code_are_counted() -> None:
    counters = Counters()
    for code in Code.__args__:
        if code != "rate_limited":  # counted where it is judged
            counters.count_refusal(code)
            assert getattr(counters, f"refused_{code}") == 1
    with pytest.raises(AttributeError):
        counters.count_refusal("unknown")


def test_every_end_of_a_connection_is_counted_under_a_name_of_ours() -> None:
    counters = Counters()
    for ours in (1002, 1007, 1009, 4999, *CloseCode):
        counters.count_end(ours, 1006)
    for theirs in (None, 0, 1000, 1001, 1005, 1006, *CloseCode):
        counters.count_end(None, theirs)
    ends = {name: getattr(counters, name) for name in COUNTERS if name.startswith("closed_")}
    assert all(ends.values()), ends
    assert sum(ends.values()) == 10 + 2 * len(CloseCode)
    assert (ends["closed_other"], ends["closed_lost"]) == (3, 2)
    assert ends["closed_left"] == 4 + len(CloseCode)


def test_a_histogram_counts_each_time_in_its_bucket_and_all_above() -> None:
    histogram = Histogram()
    for seconds in (0.0, BOUNDS[0], 0.02, 100.0):
        histogram.observe(seconds)
    buckets = dict(histogram.buckets())
    assert buckets["0.0005"] == buckets["0.01"] == 2
    assert buckets["0.025"] == buckets["5.0"] == 3
    assert buckets["+Inf"] == 4
    assert histogram.sum == pytest.approx(100.0205)


async def test_work_that_blocks_the_event_loop_is_seen() -> None:
    counters = Counters()
    watch = LagWatch(counters)
    assert watch.worst == 0
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    time.sleep(loop_lag.INTERVAL + 0.2)
    while not watch.worst:
        await asyncio.sleep(0)
    task.cancel()
    assert watch.worst >= 0.19
    assert counters.event_loop_lag.sum == pytest.approx(watch.worst)


def test_where_files_are_few_they_limit_the_connections() -> None:
    door = Door(most=100)
    assert door.limit == 100
    door.set_files(SPARE_FILES + 20)
    assert door.limit == 20
    door.set_files(SPARE_FILES + 1000)
    assert door.limit == 100
