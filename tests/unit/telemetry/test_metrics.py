"""The figures: every counter has a name, and names and labels are what Prometheus asks for."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import fields
from typing import get_args

import pytest
from prometheus_client.core import Metric

from bridge.telemetry import loop_lag
from bridge.telemetry.counters import BUCKET_SECONDS, Counters, Histogram
from bridge.telemetry.loop_lag import LoopLag
from bridge.telemetry.metrics import FAMILIES, GAUGES, Metrics
from bridge.wire.codes import Code

RARE = 987_654_321.0
"""No figure of the process comes near."""
NATS_STATES = ("ok", "nats_down", "nats_auth")
COUNTERS = [field.name for field in fields(Counters)]

ONLY_OF_PUBLICATIONS = {"no_responders", "not_stored", "timeout", "rate_limited"}


def rendered(counters: Counters) -> list[Metric]:
    gauges = dict.fromkeys(GAUGES, lambda: 7.0)
    return list(Metrics(counters, gauges, lambda: "nats_auth", NATS_STATES).collect())


@pytest.mark.parametrize("name", COUNTERS)
def test_every_counter_is_in_one_family(name: str) -> None:
    assert len([family for family in FAMILIES if family.counter == name]) == 1


def test_every_family_has_counters_and_an_explanation() -> None:
    for family in FAMILIES:
        assert family.counter in COUNTERS, family.name
        assert family.help


@pytest.mark.parametrize("name", [n for n in COUNTERS if isinstance(getattr(Counters(), n), int)])
def test_what_is_counted_is_shown(name: str) -> None:
    before = {(s.name, *s.labels.items()) for m in rendered(Counters()) for s in m.samples}
    shown = [
        (sample.name, *sample.labels.items())
        for metric in rendered(Counters(**{name: RARE}))
        for sample in metric.samples
        if sample.value == RARE
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


@pytest.mark.parametrize("name", ["closed", "requests", "refused", "dropped", "publishes"])
def test_what_is_counted_by_reason_is_shown_by_reason(name: str) -> None:
    counters = Counters()
    (family,) = (each for each in FAMILIES if each.counter == name)
    tally = getattr(counters, name)
    for number, reason in enumerate(tally, start=1):
        tally[reason] = number
    shown = {each.labels[family.label]: each.value for each in family.metric(counters).samples}
    assert shown == tally


def test_refusals_of_every_code_have_a_figure() -> None:
    counters = Counters()
    for code in get_args(Code):
        counted = counters.publishes if code in ONLY_OF_PUBLICATIONS else counters.refused
        assert code in counted, code
    assert "rate" in counters.refused, "of other requests"
    with pytest.raises(KeyError):
        Counters().refused["unknown"] += 1  # type: ignore[index]


def test_a_histogram_counts_each_time_in_its_bucket_and_all_above() -> None:
    histogram = Histogram()
    for seconds in (0.0, BUCKET_SECONDS[0], 0.02, 100.0):
        histogram.observe(seconds)
    buckets = dict(histogram.buckets())
    assert buckets["0.0005"] == buckets["0.01"] == 2
    assert buckets["0.025"] == buckets["5.0"] == 3
    assert buckets["+Inf"] == 4
    assert histogram.sum == pytest.approx(100.0205)


async def test_work_that_blocks_the_event_loop_is_seen() -> None:
    counters = Counters()
    watch = LoopLag(counters)
    assert watch.worst == 0
    task = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    time.sleep(loop_lag.CHECK_SECONDS + 0.2)
    while not watch.worst:
        await asyncio.sleep(0)
    task.cancel()
    assert watch.worst >= 0.19
    assert counters.event_loop_lag.sum == pytest.approx(watch.worst)
