"""What a real nats-server does not accept is told to whom it is about, and to nobody else."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_client import Browser
from tests.support.linked import Tap, back, follows, linked, quiet
from tests.support.raw_nats import RawNats
from tests.support.servers import OWN_SUBSCRIPTIONS, Gateway, NatsServer, eventually, running

DENY = "authorization: {{ users: [{{user: u, password: p, permissions: {{subscribe: {}}}}}] }}\n"


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return what starts a server of one's own."""
    return lambda config="": running(NatsServer(tmp_path, config))


async def test_what_the_server_does_not_accept_is_refused_and_nothing_else(start: Any) -> None:
    permissions = DENY.format('{deny: ["secret.>"]}')
    with start(f"{permissions}max_subscriptions: 6\nmax_sub_tokens: 3\n") as server:
        async with linked(server.url) as link:
            patterns = ["a", 'secret."', "secret.\u200b", "b.c", "secret.\\", "b.c.d.e", "c", "d"]
            asked = [Tap(each) for each in patterns]
            await link.subscribe_all(asked)
            refused = {tap.pattern: tap.refused for tap in asked if tap.refused}
            assert set(refused) == {'secret."', "secret.\u200b", "secret.\\", "b.c.d.e"}
            assert all(each == ["denied"] for each in refused.values())
            more = [Tap(each) for each in ("e", "secret.\u2028", "f", "g", "h")]
            await link.subscribe_all(more)
            assert [tap.refused for tap in more] == [[], ["denied"], [], ["limit"], ["limit"]]
            assert follows(server) == ["a", "b.c", "c", "d", "e", "f"]


async def test_a_subject_that_the_server_takes_for_invalid_is_refused(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            asked = [Tap("a"), Tap("b..c"), Tap("d")]
            await link.subscribe_all(asked)
            assert [tap.refused for tap in asked] == [[], ["denied"], []]


async def test_what_is_said_of_a_subscription_of_our_own_is_not_about_a_browsers(
    start: Any,
) -> None:
    with start(DENY.format('{deny: ["secret.>"]}')) as server:
        async with linked(server.url) as link:
            await link.subscribe("secret.inbox", cb=quiet)
            tap = Tap("a")
            await link.subscribe_all([tap])
            assert tap.refused == []
            assert follows(server) == ["a"]


async def test_a_denied_publish_is_never_about_a_subscription(start: Any) -> None:
    config = 'authorization: { users: [{user: u, password: p, permissions: {publish: "x"}}] }\n'
    with start(config) as server:
        async with linked(server.url) as link:
            asked = [Tap("a"), Tap("b")]
            await asyncio.gather(
                *(link.publish(name, b"") for name in "abc"), link.subscribe_all(asked)
            )
            assert [tap.refused for tap in asked] == [[], []]


@pytest.mark.parametrize("limit", [1, 2, 150, 219])
async def test_nothing_is_followed_and_dead_after_a_reconnect(limit: int, start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            await link.subscribe("own", cb=quiet)
            asked = [Tap(f"p.{number}") for number in range(220)]
            await link.subscribe_all(asked)
            await back(link, server, f"max_subscriptions: {limit}\n")
            assert sum(tap.refused == ["limit"] for tap in asked) == 221 - limit
            alive = sorted(tap.pattern for tap in asked if not tap.refused)
            assert follows(server) == sorted(["own", *alive])


async def test_a_denial_after_a_reconnect_is_told_to_whom_it_is_about(start: Any) -> None:
    anything = DENY.format('{deny: "x"}')
    with start(anything) as server:
        async with linked(server.url) as link:
            patterns = ["secret.\u200b", *(f"p.{number}" for number in range(120)), 'secret."']
            asked = [Tap(each) for each in patterns]
            await link.subscribe_all(asked)
            await back(link, server, DENY.format('{deny: ["x", "secret.>"]}'))
            refused = {tap.pattern: tap.refused for tap in asked if tap.refused}
            assert refused == {"secret.\u200b": ["denied"], 'secret."': ["denied"]}
            assert len(follows(server)) == 120


async def test_a_permission_taken_away_while_connected_is_told(start: Any) -> None:
    with start(DENY.format('{deny: "x"}')) as server:
        async with linked(server.url) as link:
            asked = [Tap("secret.\u200b"), Tap("a")]
            await link.subscribe_all(asked)
            server.reload(DENY.format('{deny: ["x", "secret.>"]}'))
            await eventually(lambda: asked[0].refused)
            assert (asked[0].refused, asked[1].refused) == (["denied"], [])
            assert link.subscriptions == 1


async def test_who_is_not_followed_any_more_after_a_reconnect_is_told(
    start: Any, tmp_path: Path
) -> None:
    with start() as server, running(Gateway(server.url, log=tmp_path / "log")) as service:
        async with AsyncExitStack() as stack:
            browsers = [await stack.enter_async_context(Browser(service.stream)) for _ in range(8)]
            for number, browser in enumerate(browsers):
                await browser.subscribe(f"p.{number}")
            server.stop()
            server.configure(f"max_subscriptions: {OWN_SUBSCRIPTIONS + 5}\n")
            await asyncio.to_thread(server.start)
            for browser in browsers:
                assert (await browser.next())["status"] == "nats_down"
            await eventually(lambda: len(server.subscriptions()) == 5)
            with RawNats(server.port) as raw:
                for number in range(8):
                    raw.publish(f"p.{number}", b"1")
            told = []
            for browser in browsers:
                heard = [await browser.next(), await browser.next()]
                told.append({each.get("status") or each.get("code") or "data" for each in heard})
            assert told.count({"nats_up", "data"}) == 5
            assert told.count({"nats_up", "limit"}) == 3
