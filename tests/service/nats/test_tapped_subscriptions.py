"""Subscriptions of the fan-out at a real nats-server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats import errors

from bridge.nats_link import suspects
from bridge.nats_link.client import NATSLink
from bridge.nats_link.sign_in import SignIn
from bridge.nats_link.tapped import Lane
from bridge.telemetry.counters import Counters
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import OWN_SUBSCRIPTIONS, Gateway, NatsServer, eventually, running

DENY = "authorization: {{ users: [{{user: u, password: p, permissions: {{subscribe: {}}}}}] }}\n"


async def quiet(error: Exception | None = None) -> None:
    """Take what nats-py reports."""


class Tap:
    """Notes what comes, and how it was refused."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.heard: list[tuple[str, bytes]] = []
        self.refused: list[str] = []

    def lane(self, subject: str) -> Lane:
        return lambda run: self.heard.extend((subject, payload) for payload in run)

    def refuse(self, code: str) -> None:
        self.refused.append(code)


@asynccontextmanager
async def linked(server: NatsServer | HangsUp) -> AsyncIterator[NATSLink]:
    """Connect a hardened client."""
    link = NATSLink(Counters(), SignIn(user="u", password="p"))
    await link.connect(
        server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=quiet
    )
    yield link
    await link.close()


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return what starts a server of one's own."""
    return lambda config="": running(NatsServer(tmp_path, config))


def follows(server: NatsServer) -> list[str]:
    """What the one client that there is has subscribed to."""
    (connection,) = server.connections()
    return sorted(connection.get("subscriptions_list", ()))


async def back(link: NATSLink, server: NatsServer, config: str) -> None:
    """Restart the server with another configuration; wait until everything is asked for again."""
    connections = link.stats["reconnects"]
    server.stop()
    server.configure(config)
    await asyncio.to_thread(server.start)
    await eventually(lambda: link.stats["reconnects"] > connections and link.is_connected)
    await link.restored()


async def test_a_message_comes_with_headers_with_a_reply_subject_and_unreadable(
    nats_server: NatsServer, raw_nats: RawNats
) -> None:
    async with linked(nats_server) as link:
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
        assert (link._counters.unreadable, link._counters.received) == (2, 5)


async def test_a_subscription_has_no_task_and_is_gone_when_it_is_ended(start: Any) -> None:
    with start() as server:
        async with linked(server) as link:
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
        async with linked(server) as link:
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
        async with linked(server) as link:
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
            async with linked(server) as link:
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
        async with linked(server) as link:
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
        async with linked(server) as link:
            server.freeze()
            asking = asyncio.create_task(link.subscribe_all([Tap("a")]))
            await asyncio.sleep(0)
            server.stop()
            with pytest.raises(errors.ConnectionReconnectingError):
                async with asyncio.timeout(1.5):
                    await asking


async def test_what_the_server_does_not_accept_is_refused_and_nothing_else(start: Any) -> None:
    permissions = DENY.format('{deny: ["secret.>"]}')
    with start(f"{permissions}max_subscriptions: 6\nmax_sub_tokens: 3\n") as server:
        async with linked(server) as link:
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
        async with linked(server) as link:
            asked = [Tap("a"), Tap("b..c"), Tap("d")]
            await link.subscribe_all(asked)
            assert [tap.refused for tap in asked] == [[], ["denied"], []]


async def test_what_is_said_of_a_subscription_of_our_own_is_not_about_a_browsers(
    start: Any,
) -> None:
    with start(DENY.format('{deny: ["secret.>"]}')) as server:
        async with linked(server) as link:
            await link.subscribe("secret.inbox", cb=quiet)
            tap = Tap("a")
            await link.subscribe_all([tap])
            assert tap.refused == []
            assert follows(server) == ["a"]


async def test_a_denied_publish_is_never_about_a_subscription(start: Any) -> None:
    config = 'authorization: { users: [{user: u, password: p, permissions: {publish: "x"}}] }\n'
    with start(config) as server:
        async with linked(server) as link:
            asked = [Tap("a"), Tap("b")]
            await asyncio.gather(
                *(link.publish(name, b"") for name in "abc"), link.subscribe_all(asked)
            )
            assert [tap.refused for tap in asked] == [[], []]


@pytest.mark.parametrize("limit", [1, 2, 150, 219])
async def test_nothing_is_followed_and_dead_after_a_reconnect(limit: int, start: Any) -> None:
    with start() as server:
        async with linked(server) as link:
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
        async with linked(server) as link:
            patterns = ["secret.\u200b", *(f"p.{number}" for number in range(120)), 'secret."']
            asked = [Tap(each) for each in patterns]
            await link.subscribe_all(asked)
            await back(link, server, DENY.format('{deny: ["x", "secret.>"]}'))
            refused = {tap.pattern: tap.refused for tap in asked if tap.refused}
            assert refused == {"secret.\u200b": ["denied"], 'secret."': ["denied"]}
            assert len(follows(server)) == 120


async def test_a_permission_taken_away_while_connected_is_told(start: Any) -> None:
    with start(DENY.format('{deny: "x"}')) as server:
        async with linked(server) as link:
            asked = [Tap("secret.\u200b"), Tap("a")]
            await link.subscribe_all(asked)
            server.reload(DENY.format('{deny: ["x", "secret.>"]}'))
            await eventually(lambda: asked[0].refused)
            assert (asked[0].refused, asked[1].refused) == (["denied"], [])
            assert link.subscriptions == 1


async def test_what_has_become_too_long_is_refused_and_everything_else_comes_back(
    start: Any,
) -> None:
    with start() as server:
        async with linked(server) as link:
            long = [Tap("x" * size) for size in (252, 255, 254)]
            asked = [Tap(f"p.{number}") for number in range(250)]
            await link.subscribe_all([*asked[:120], *long, *asked[120:]])
            server.stop()
            server.configure("max_control_line: 256\n")
            await asyncio.to_thread(server.start)
            await eventually(lambda: long[1].refused and long[2].refused)
            await eventually(lambda: link.is_connected)
            await link.restored()
            assert len(follows(server)) == 251
            assert [tap.refused for tap in long] == [[], ["denied"], ["denied"]]
            assert not any(tap.refused for tap in asked)
            assert server.connections_so_far() < 8


async def test_one_request_that_nats_hangs_up_on_costs_everybody_one_outage(
    start: Any, tmp_path: Path
) -> None:
    with start("max_control_line: 256\n") as server:
        log = tmp_path / "gateway.log"
        with running(Gateway(server.url, log=log)) as service:
            async with Browser(service.stream) as bystander, Browser(service.stream) as browser:
                await bystander.subscribe("prices")
                await browser.send({"subjects": ["x" * 255, "fine"]})
                assert (await bystander.next())["status"] == "nats_down"
                assert (await bystander.next())["status"] == "nats_up"
                with RawNats(server.port) as raw:
                    await eventually(lambda: "fine" in server.subscriptions())
                    raw.publish("prices", b"1")
                    raw.publish("fine", b"2")
                assert (await bystander.next())["data"] == 1
                answers = []
                while {"subject": "fine", "data": 2} not in answers:
                    answers.append(await browser.next())
            final = [each for each in answers if each.get("code") == "denied"]
            assert [each["subjects"] for each in final] == [["x" * 255]]
            assert "refused for ten minutes" in service.output()
            assert service.figures()["bridge_nats_reconnects_total"] == 1


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


class HangsUp:
    """A NATS server of a few lines that ends a connection on which `killer` is asked for."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b'INFO {"max_payload":1048576}\r\n')
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
            if b" killer " in line:
                break
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HangsUp]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield self
        server.close()


async def test_what_a_server_hangs_up_on_without_a_word_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(suspects, "WAIT_SECONDS", (0.0, 0.01, 0.05))
    killer, other = Tap("killer"), Tap("other")
    async with HangsUp().running() as server, linked(server) as link, asyncio.timeout(20):
        while killer.refused != ["denied"]:
            killer.refused.clear()
            try:
                await link.subscribe_all([other, killer])
            except (errors.Error, OSError, TimeoutError):
                await eventually(lambda: link.is_connected)
            else:
                await asyncio.sleep(0.01)
        assert other.refused == []
        assert server.connections == 5, "once together, and three times alone"
        assert "killer is refused for ten minutes" in caplog.text
        await link.round_trip()
