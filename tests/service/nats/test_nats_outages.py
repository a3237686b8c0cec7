"""How soon an outage of NATS is noticed and told, and how soon everything flows again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_client import Browser
from tests.support.proxy import Proxy
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running
from tests.timing import within

DOWN = {"status": "nats_down"}
UP = {"status": "nats_up", "gap": True}
CRASH_NOTICED = 1.0
SILENCE_NOTICED = 6.0
QUICK_CANARY = "tests/programs/with_a_quick_canary.py"
FLOWS_AGAIN = 6.0
"""After any outage, for the longest wait between two tries is five seconds."""


class Setting:
    """A server, a proxy before it, and a gateway that knows only the proxy."""

    def __init__(self, server: NatsServer, proxy: Proxy, service: Gateway) -> None:
        self.server, self.proxy, self.service = server, proxy, service


@pytest.fixture
def setting(request: pytest.FixtureRequest, tmp_path: Path, log: Path) -> Iterator[Setting]:
    with running(NatsServer(tmp_path)) as server, running(Proxy(server.port)) as proxy:
        program = getattr(request, "param", "main.py")
        with running(Gateway(proxy.url, program=program, log=log)) as service:
            yield Setting(server, proxy, service)


async def publish(server: NatsServer, subject: str, payload: bytes) -> None:
    def once() -> None:
        with RawNats(server.port) as client:
            client.publish(subject, payload)

    await asyncio.to_thread(once)


def killed(setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    return setting.server.stop, setting.server.start


def reset(setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    return setting.proxy.reset, lambda: None


def frozen(setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    return setting.server.freeze, setting.server.thaw


def black_hole(setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    return setting.proxy.black_hole, setting.proxy.heal


def half_open(setting: Setting) -> tuple[Callable[[], None], Callable[[], None]]:
    return setting.proxy.half_open, lambda: None


@pytest.mark.parametrize(
    ("fault", "noticed", "setting"),
    [
        (killed, CRASH_NOTICED, "main.py"),
        (reset, CRASH_NOTICED, "main.py"),
        (frozen, SILENCE_NOTICED, "main.py"),
        (black_hole, SILENCE_NOTICED, QUICK_CANARY),
        (half_open, SILENCE_NOTICED, "main.py"),
    ],
    indirect=["setting"],
)
async def test_an_outage_is_noticed_told_and_ended(
    fault: Callable[[Setting], Any], noticed: float, setting: Setting
) -> None:
    begin, end = fault(setting)
    service, server = setting.service, setting.server
    async with Browser(service.stream) as browser, Browser(service.stream) as bystander:
        await browser.subscribe("a.*", "b")
        await bystander.subscribe("b")
        with within(noticed, f"NATS {fault.__name__}: told"):
            begin()
            assert await browser.next() == await bystander.next() == DOWN
        end()
        with within(FLOWS_AGAIN, f"NATS {fault.__name__}, and back: told"):
            assert await browser.next() == await bystander.next() == UP
        assert http(f"{service.url}/readyz")[0] == 200
        await eventually(lambda: server.subscriptions() == ["a.*", "b"])
        for number in range(3):
            await publish(server, "b", b"%d" % number)
            for each in (browser, bystander):
                assert await each.next() == {"subject": "b", "data": number}
        await bystander.quiet()
        figures = service.figures()
        assert figures["bridge_nats_reconnects_total"] == 1
        assert (figures["bridge_nats_probes_missed_total"] >= 2) is (noticed == SILENCE_NOTICED)


async def test_while_nats_is_away_readyz_and_the_figures_say_so(setting: Setting) -> None:
    service = setting.service
    async with Browser(service.stream) as browser:
        setting.server.stop()
        assert await browser.next() == DOWN
        assert http(f"{service.url}/readyz") == (503, '{"status": "nats_down"}')
        assert http(f"{service.url}/livez")[0] == 200
        assert service.figures()["bridge_nats_up"] == 0
        async with Browser(service.stream) as late:
            assert await late.next() == DOWN
            setting.server.start()
            assert await browser.next() == await late.next() == UP
        assert service.figures()["bridge_nats_up"] == 1


async def test_a_slow_network_is_not_taken_for_a_dead_one(setting: Setting) -> None:
    service = setting.service
    async with Browser(service.stream) as browser:
        await browser.subscribe("a")
        setting.proxy.delay = 0.2
        await eventually(lambda: service.figures()["bridge_nats_round_trip_seconds"] >= 0.4)
        setting.proxy.delay = 0.6
        await eventually(lambda: service.figures()["bridge_nats_probes_missed_total"] >= 3)
        await browser.quiet()
        assert service.figures()["bridge_nats_reconnects_total"] == 0


@pytest.mark.parametrize("verb", ["publish", "subscribe"])
async def test_a_nats_user_without_an_inbox_is_watched_over_by_ping(
    verb: str, tmp_path: Path, log: Path
) -> None:
    config = f"""authorization {{ users: [
        {{ user: gateway, password: pw, permissions: {{ {verb}: {{ deny: "_INBOX.>" }} }} }}
        {{ user: other, password: pw }}
    ] }}
    no_auth_user: other"""
    with running(NatsServer(tmp_path, config)) as server:
        url = server.url.replace("//", "//gateway:pw@")
        with running(Gateway(url, program=QUICK_CANARY, log=log)) as service:
            async with Browser(service.stream) as browser:
                await browser.subscribe("a")
                await eventually(lambda: not math.isnan(_round_trip(service)))
                await browser.quiet()
                server.freeze()
                with within(SILENCE_NOTICED, "NATS frozen, for a user without an inbox: told"):
                    assert await browser.next() == DOWN
                server.thaw()
                assert await browser.next() == UP
                now = _round_trip(service)
                await eventually(lambda: _round_trip(service) != now)
                await browser.quiet()
                assert service.output().count("PING has to do") == 1
                assert service.figures()["bridge_nats_reconnects_total"] == 1


def _round_trip(service: Gateway) -> float:
    return service.figures()["bridge_nats_round_trip_seconds"]


async def test_wrong_credentials_are_tried_for_ever_and_logged_once_a_minute(
    tmp_path: Path, log: Path
) -> None:
    user = 'authorization {{ user: gateway, password: "{}" }}\n'
    with running(NatsServer(tmp_path, user.format("other"))) as server:
        service = Gateway(server.url.replace("//", "//gateway:planted-secret@"), log=log)
        service.launch()
        try:
            await eventually(
                lambda: http(f"{service.url}/readyz") == (503, '{"status": "nats_auth"}')
            )
            async with Browser(service.stream) as browser:
                assert await browser.next() == DOWN
                answer = await browser.ask({"subjects": ["a"], "id": "x"})
                assert answer["code"] == "nats_down"
                tries = server.connections_so_far()
                await eventually(lambda: server.connections_so_far() >= tries + 3)
                assert service.output().lower().count("authorization violation") == 1
                server.reload(user.format("planted-secret"))
                with within(SILENCE_NOTICED, "credentials accepted at last: told"):
                    assert await browser.next() == UP
                answer = await browser.next()
                assert (answer["success"], answer["id"]) == (True, "x")
        finally:
            assert service.stop() == 0
        assert "planted-secret" not in service.output()


async def test_a_connection_that_asks_for_nothing_hears_of_the_outage_alone(
    setting: Setting,
) -> None:
    async with Browser(setting.service.stream) as idle:
        setting.proxy.reset()
        assert [await idle.next(), await idle.next()] == [DOWN, UP]
        await idle.quiet()
