"""Subscriptions of the fan-out at a real nats-server: what comes by them, and how they end."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nats import errors

from bridge.nats_link.client import NATSLink
from tests.support.linked import Tap, back, follows, linked
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer, eventually, running


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return what starts a server of one's own."""
    return lambda config="": running(NatsServer(tmp_path, config))


async def test_a_message_comes_with_headers_with_a_reply_subject_and_unreadable(
    nats_server: NatsServer, raw_nats: RawNats
) -> None:
    async with linked(nats_server.url) as link:
        tap = Tap("kinds.*")
        await link.subscribe_all([tap])
        raw_nats.publish("kinds.a", b"plain")
        raw_nats.publish("kinds.b", b"headers", headers=b"NATS/1.0\r\na: b\r\n\r\n")
        raw_nats.publish("kinds.a", b"reply", reply="answers.here")
        raw_nats.publish("kinds.c", b"both", reply="r", headers=b"NATS/1.0 503\r\n\r\n")
        raw_nats.publish(b"kinds.\xff", b"poison")
        raw_nats.publish(b"kinds.\xfe", b"poison", headers=b"NATS/1.0\r\n\r\n")
        raw_nats.publish("kinds.a", b"end")
        await link.round_trip()
        subjects = [*"abac", "a"]
        payloads = [b"plain", b"headers", b"reply", b"both", b"end"]
        assert tap.heard == [
            (f"kinds.{subject}", payload)
            for subject, payload in zip(subjects, payloads, strict=True)
        ]
        assert (link.counters.unreadable, link.counters.received) == (2, 5)


async def test_a_subscription_has_no_task_and_is_gone_when_it_is_ended(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            before = len(asyncio.all_tasks())
            sids = await link.subscribe_all([Tap(f"many.{number}") for number in range(300)])
            assert len(asyncio.all_tasks()) == before
            assert len(follows(server)) == link.subscriptions == 300
            for sid in sids[1:]:
                link.unsubscribe(sid)
            await link.round_trip()
            assert follows(server) == ["many.0"]
            assert link.subscriptions == 1


async def test_subscriptions_of_both_kinds_live_side_by_side(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            heard = asyncio.Event()

            async def hear(msg: Any) -> None:
                heard.set()

            tap = Tap("a")
            await link.subscribe("b", cb=hear)
            await link.subscribe_all([tap])
            await back(link, server, "")
            with RawNats(server.port) as raw:
                raw.publish("a", b"1")
                raw.publish("b", b"2")
            async with asyncio.timeout(5):
                await heard.wait()
            assert tap.heard == [("a", b"1")]


async def test_what_is_ended_in_an_outage_does_not_come_back(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            kept, gone = await link.subscribe_all([Tap("kept"), Tap("gone")])
            server.stop()
            await eventually(lambda: link.is_reconnecting)
            link.unsubscribe(gone)
            with pytest.raises(errors.Error):
                await link.subscribe_all([Tap("ghost")])
            server.start()
            await eventually(lambda: link.is_connected)
            await link.restored()
            assert follows(server) == ["kept"]
            link.unsubscribe(kept)
            await link.round_trip()
            assert follows(server) == []


async def test_a_client_that_is_drained_or_closed_ends_its_subscriptions(start: Any) -> None:
    with start() as server:
        for end in (NATSLink.drain, NATSLink.close):
            async with linked(server.url) as link:
                (sid,) = await link.subscribe_all([Tap("a")])
                await end(link)
                await eventually(lambda: server.connections() == [])
                link.unsubscribe(sid)
                link.unsubscribe(sid)
                for ask in (link.subscribe_all([Tap("a")]), link.round_trip()):
                    with pytest.raises(errors.Error):
                        await ask


async def test_a_server_that_does_not_answer_is_given_up_after_two_seconds(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            server.freeze()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with pytest.raises(TimeoutError):
                await link.subscribe_all([Tap("a"), Tap("b")])
            assert 1.9 < loop.time() - begun < 4
            server.thaw()
            await link.round_trip()
            assert follows(server) == []


async def test_a_request_ends_at_once_when_the_connection_is_lost(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            server.freeze()
            asking = asyncio.create_task(link.subscribe_all([Tap("a")]))
            await asyncio.sleep(0)
            server.stop()
            with pytest.raises(errors.ConnectionReconnectingError):
                async with asyncio.timeout(1.5):
                    await asking
