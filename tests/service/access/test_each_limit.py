"""Who goes over a limit is told so and counted, and a bystander does not notice."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.service.access.test_limits import OTHER, POST_HEAD, drip, goes_on
from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running
from tests.timing import Stopwatch

TOKEN = "a-token-of-a-bystander"
OFFENDER = "127.0.0.3"


def browser(service: Gateway, source: str = OFFENDER, token: str | None = None) -> Browser:
    return Browser(service.stream, token, local_addr=(source, 0))


def refused_upgrade(service: Gateway) -> str:
    """Return the text of the 503 that a WebSocket of the offender is answered with."""
    request = head("GET /stream", {"Host": f"127.0.0.1:{service.port}", **UPGRADE})
    status, text = exchange(service.port, request, source=OFFENDER)
    assert status == 503
    assert "Retry-After: 5\r\n" in text
    return text.partition("\r\n\r\n")[2]


async def too_many_in_all(service: Gateway) -> None:
    async with browser(service), browser(service):
        assert (
            await asyncio.to_thread(refused_upgrade, service)
            == "The gateway is full. Try again later.\n"
        )


async def too_many_of_one_address(service: Gateway) -> None:
    async with browser(service), browser(service):
        sentence = "At most 2 connections from one address, please.\n"
        assert await asyncio.to_thread(refused_upgrade, service) == sentence


async def too_many_patterns(service: Gateway) -> None:
    async with browser(service) as offender:
        await offender.send({"subjects": ["a", "b", "c"], "id": 1})
        assert (await offender.next())["subjects"] == ["a", "b"]
        assert await offender.next() == {
            "success": False,
            "message": "A connection may follow 2 patterns, 'c' would be one more.",
            "code": "limit",
            "subjects": ["c"],
            "id": 1,
        }
        assert (await offender.ask({"subjects": "a", "action": "unsubscribe"}))["success"] is True
        await offender.subscribe("c")


async def too_many_requests(service: Gateway) -> None:
    async with browser(service) as offender:
        for _ in range(2):
            await offender.subscribe("a")
        answer = await offender.ask({"subjects": "a"})
        assert answer["code"] == "rate_limited"
        assert answer["message"] == "At most 0.01 requests a second, please."


async def flood_of_requests(service: Gateway) -> None:
    async with browser(service) as offender:
        for _ in range(7):
            await offender.send({"subjects": "a"})
        assert await offender.closed() == 4029
        assert offender.ws.close_reason == "flood"


async def flood_of_pings(service: Gateway) -> None:
    async with browser(service) as offender:
        for _ in range(7):
            await offender.send({"action": "ping"})
        assert await offender.closed() == 4029
        assert offender.ws.close_reason == "flood"


async def bad_requests(service: Gateway) -> None:
    async with browser(service) as offender:
        for _ in range(3):
            await offender.send("{")
        assert (await offender.next())["message"] == "The request is not valid JSON."
        assert await offender.closed() == 4400
        assert offender.ws.close_reason == "too many bad requests"


async def large_requests(service: Gateway) -> None:
    request = json.dumps({"subjects": "a"})
    async with browser(service) as offender:
        assert (await offender.ask(request.ljust(2000)))["success"] is True
        await offender.send(request.ljust(2001))
        assert await offender.closed() == 1009
        assert offender.ws.close_reason == "A request may have 2000 bytes at most."
    url = f"{service.url}/stream"
    assert (await asyncio.to_thread(http, url, b" " * 2000))[0] == 400
    answer = await asyncio.to_thread(http, url, b" " * 2001)
    assert answer == (413, "A request may have 2000 bytes at most.\n")


async def slow_requests(service: Gateway) -> None:
    heads = asyncio.to_thread(drip, service.port, b"GET / HTTP/1.1\r\nX: ")
    bodies = asyncio.to_thread(drip, service.port, POST_HEAD)
    answer, body_answer = await asyncio.gather(heads, bodies)
    assert answer == b"", "there is nobody to be answered yet"
    assert body_answer.startswith(b"HTTP/1.1 408 ")
    assert body_answer.endswith(b"The request did not come in time.\n")


async def silence_instead_of_a_token(service: Gateway) -> None:
    watch = Stopwatch()
    offender = browser(service)
    async with offender._connect as ws:
        assert json.loads(await ws.recv()) == {"status": "token_required"}
        await ws.wait_closed()
        assert (ws.close_code, ws.close_reason) == (4501, "no token came in time")
    assert 0.4 < watch.seconds
    assert watch.own < 4.5


@pytest.mark.parametrize(
    ("settings", "offend", "counted"),
    [
        ({"max_connections": 3}, too_many_in_all, {"refused_full": 1}),
        ({"max_connections_per_address": 2}, too_many_of_one_address, {"refused_address": 1}),
        ({"max_subjects": 2}, too_many_patterns, {"refused_patterns": 1}),
        (
            {"requests_per_second": 0.01, "request_burst": 2},
            too_many_requests,
            {"refused_rate": 1},
        ),
        (
            {"requests_per_second": 0.01, "request_burst": 2},
            flood_of_requests,
            {"refused_rate": 5, "closed_flood": 1},
        ),
        (
            {"requests_per_second": 0.01, "request_burst": 2},
            flood_of_pings,
            {"refused_rate": 5, "closed_flood": 1},
        ),
        ({"bad_requests_per_minute": 2}, bad_requests, {"closed_bad_requests": 1}),
        ({"max_request_bytes": 2000}, large_requests, {"refused_too_large": 2}),
        ({"request_timeout": 1}, slow_requests, {"refused_too_late": 2}),
        ({"token_timeout": 0.5}, silence_instead_of_a_token, {"refused_token_late": 1}),
    ],
)
async def test_who_goes_over_a_limit_is_told_and_counted_and_a_bystander_does_not_notice(
    nats_server: NatsServer,
    raw_nats: RawNats,
    log: Path,
    settings: dict[str, object],
    offend: Callable[[Gateway], Awaitable[None]],
    counted: dict[str, int],
) -> None:
    token = TOKEN if "token_timeout" in settings else None
    if token:
        tokens = log.parent / "tokens"
        tokens.write_text(json.dumps({"name": "bystander", "token": TOKEN}))
        settings = {**settings, "tokens_file": tokens}
    with running(Gateway(nats_server.url, log=log, **settings)) as service:
        async with browser(service, OTHER, token) as bystander:
            await bystander.subscribe("bystander")
            async with served(bystander, raw_nats):
                await offend(service)
        await eventually(lambda: limits_hit(service) == counted)
        assert "Traceback" not in service.output()


@asynccontextmanager
async def served(bystander: Browser, nats: RawNats) -> AsyncIterator[None]:
    """Fail if the bystander misses a message, or waits for one, while the block runs."""
    over = asyncio.Event()

    async def follow() -> float:
        number, slowest = 0, 0.0
        while number < 5 or not over.is_set():
            slowest = max(slowest, await goes_on(bystander, nats, number))
            number += 1
            await asyncio.sleep(0.01)
        return slowest

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        over.set()
        slowest = await following
    assert slowest < 5, "the bystander waited"


LIMITS = {
    *("refused_address", "refused_full", "refused_rate", "refused_patterns"),
    *("refused_too_large", "refused_too_late", "refused_token_late", "refused_unauthorized"),
    *("closed_flood", "closed_bad_requests", "closed_stalled", "dropped_slow"),
}


def limits_hit(service: Gateway) -> dict[str, float]:
    """Return what has been counted at each limit that somebody went over."""
    hits = {}
    for name, count in service.figures().items():
        found = re.search(r'(refused|closed|dropped)_total{reason="(\w+)"}', name)
        if found and count:
            hits[f"{found[1]}_{found[2]}"] = count
    return {name: hits[name] for name in LIMITS & hits.keys()}
