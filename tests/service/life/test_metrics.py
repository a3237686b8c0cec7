"""The figures of a service, after real traffic."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from bridge import __version__
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    OWN_SUBSCRIPTIONS,
    Gateway,
    NatsServer,
    eventually,
    http,
    messages_by_fate,
    running,
    until,
)


def grown(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def test_traffic_is_counted_in_messages_bytes_and_seconds(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    before = gateway.figures()
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("metrics.a", "metrics.b")
        figures = gateway.figures()
        assert figures["bridge_connections"] == 1
        assert figures["bridge_patterns"] == 2
        assert figures["bridge_nats_subscriptions"] == 2 + OWN_SUBSCRIPTIONS
        payload = json.dumps("x" * 998).encode()
        for _ in range(10):
            raw_nats.publish("metrics.a", payload)
        for _ in range(10):
            await browser.next()
        assert (await browser.ask({"subjects": "metrics.a", "action": "unsubscribe"}))["success"]
        assert not (await browser.ask({"subjects": "a..b"}))["success"]
        assert not (await browser.ask({"subjects": "$SYS.a"}))["success"]
        assert not (await browser.ask({"subjects": 7}))["success"]
    await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
    new = grown(before, gateway.figures())
    assert new["bridge_messages_received_total"] == new["bridge_messages_delivered_total"] == 10
    assert 10_000 < new["bridge_received_bytes_total"] < 12_000
    assert 10_000 < new["bridge_sent_bytes_total"] < 13_000
    assert new["bridge_connections_accepted_total"] == 1
    assert new['bridge_connections_closed_total{reason="left"}'] == 1
    assert new['bridge_requests_total{action="subscribe"}'] == 3
    assert new['bridge_requests_total{action="unsubscribe"}'] == 1
    assert new['bridge_requests_total{action="bad"}'] == 1
    for reason in ("bad_subject", "denied", "bad_request"):
        assert new[f'bridge_refused_total{{reason="{reason}"}}'] == 1
    assert 1 <= new["bridge_fan_out_seconds_count"] <= 10
    assert 0 < new["bridge_fan_out_seconds_sum"] < 10


def test_nats_and_the_process_have_figures(gateway: Gateway) -> None:
    until(lambda: gateway.figures()["bridge_nats_round_trip_seconds"] > 0)
    figures = gateway.figures()
    assert figures["bridge_nats_up"] == figures['bridge_nats_state{state="ok"}'] == 1
    assert figures['bridge_nats_state{state="nats_down"}'] == 0
    (build,) = (name for name in figures if name.startswith("bridge_build_info"))
    assert f'version="{__version__}"' in build
    assert 'nats_py="2' in build
    assert figures["bridge_connections_limit"] > 1000
    assert figures["process_open_fds"] < figures["process_max_fds"]
    assert figures["process_resident_memory_bytes"] > 1e7
    until(lambda: gateway.figures()["bridge_event_loop_lag_seconds_count"] > 1)
    until(lambda: gateway.figures()["bridge_event_loop_lag_max_seconds"] > 0)


async def test_a_slow_consumer_is_an_episode_however_much_it_loses(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    slow, many = "bridge_slow_consumer_episodes_total", 2000
    service = Gateway(nats_server.url, log=log, max_pending_bytes=100_000, write_timeout=60)
    with running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe("loud")
            raw_nats.send(b"PUB loud 4096\r\n%b\r\n" % (b"x" * 4096) * many)
            await eventually(lambda: messages_by_fate(service.figures())["received"] == many)
            fates = messages_by_fate(service.figures())
            settled = fates["delivered"] + fates["filtered"] + fates["dropped"] + fates["pending"]
            assert fates["due"] == settled
            received, dropped = await browser.received_and_dropped(many)
        assert received + dropped == many
        figures = service.figures()
        assert figures['bridge_messages_dropped_total{reason="slow"}'] == dropped > 0
        assert 1 <= figures[slow] < dropped


def test_what_is_answered_is_what_prometheus_reads(gateway: Gateway) -> None:
    with urllib.request.urlopen(f"{gateway.url}/metrics") as response:
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("outsider", ["planted.subject", "127.0.0.1"])
async def test_no_label_comes_from_outside(gateway: Gateway, outsider: str) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("planted.subject")
        await browser.ask({"subjects": "planted.subject", "action": "planted.subject"})
        assert outsider not in http(f"{gateway.url}/metrics")[1]
