"""What is told when NATS comes and goes."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlparse

import pytest

from bridge.nats_link.watch import NatsWatch
from bridge.telemetry.counters import Counters


class Link:
    """A client that says whether it is connected."""

    is_connected = True
    connected_url = urlparse("nats://user:planted-secret@127.0.0.1:4222")

    async def restored(self) -> None:
        """Take note of nothing: it has no subscriptions."""


def made() -> tuple[NatsWatch, Any]:
    return NatsWatch(lambda: ["nats://user:planted-secret@127.0.0.1:4222"], Counters()), Link()


async def test_a_listener_that_fails_costs_the_others_nothing_and_never_reaches_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, link = made()
    told: list[bool] = []

    def fails(up: bool) -> None:
        raise ValueError("planted")

    watch.on_change += [fails, told.append]
    watch.begin(link)
    await watch.lost()
    await watch.back()
    assert told == [True, False, True]
    assert caplog.text.count("a listener of on_nats_change failed") == 3


async def test_each_change_is_told_once_and_no_outage_before_the_first_connect() -> None:
    watch, link = made()
    told: list[bool] = []
    watch.on_change.append(told.append)
    await watch.lost()
    assert (told, watch.trouble) == ([], "nats_down")
    watch.begin(link)
    await watch.lost()
    await watch.lost()
    assert (told, watch.trouble) == ([True, False], "nats_down")


async def test_messages_flow_once_every_subscription_is_back() -> None:
    watch, link = made()
    watch.begin(link)
    await watch.lost()
    restored = asyncio.Event()
    link.restored = restored.wait
    back = asyncio.create_task(watch.back())
    await asyncio.sleep(0.01)
    assert watch.trouble == "nats_down"
    restored.set()
    await back
    assert watch.trouble is None


async def test_an_error_is_logged_once_a_minute_and_outage_without_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, link = made()
    with caplog.at_level(logging.WARNING):
        for _ in range(90):
            await watch.error(Exception("nats: 'Authorization Violation'"))
        assert len(caplog.records) == 1
        watch.begin(link)
        await watch.lost()
        for _ in range(90):
            await watch.error(Exception("nats: 'Authorization Violation'"))
    assert len([each for each in caplog.records if each.event == "nats_error"]) == 2
    assert "planted-secret" not in caplog.text
    assert watch.trouble == "nats_auth"


@pytest.mark.parametrize("password", ["sec/ret", "p[x", "a]b", "q?u", "h#a", "a@b", "a:b"])
async def test_whatever_a_password_holds_it_is_not_shown_and_messages_flow(
    password: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch, link = made()
    link.connected_url = urlparse("nats://here:4222")._replace(netloc=f"u:{password}@here:4222")
    with caplog.at_level(logging.INFO):
        watch.begin(link)
        await watch.back()
    assert watch.server == "nats://here:4222"
    assert password not in caplog.text
    assert watch.trouble is None


async def test_a_connection_that_was_lost_again_meanwhile_is_not_back() -> None:
    watch, link = made()
    watch.begin(link)
    await watch.lost()

    async def lost_again() -> None:
        link.is_connected = False

    link.restored = lost_again
    await watch.back()
    link.is_connected = True  # as in the middle of the next try
    assert watch.trouble == "nats_down"
