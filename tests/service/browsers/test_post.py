"""`POST /stream`: what curl can do for a live connection."""

from __future__ import annotations

import asyncio
import json

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, http

NOBODY = {
    "success": False,
    "message": "No connection has this connection_id.",
    "code": "bad_request",
    "subjects": [],
    "id": 1,
}
"""The response to a request with the id 1 for a connection that nobody holds."""


async def post(gateway: Gateway, body: object, **headers: str) -> tuple[int, object]:
    """Return status and decoded JSON (or text) of a POST to /stream."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, text = await asyncio.to_thread(http, f"{gateway.url}/stream", data, **headers)
    return status, json.loads(text) if text.startswith("[") else text


async def test_post_subscribes_and_unsubscribes_a_live_connection(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        request = {"connection_id": browser.connection_id, "subjects": ["by.post", "a..b"], "id": 4}
        status, answers = await post(gateway, request)
        assert status == 200
        assert isinstance(answers, list)
        assert answers[0] == {
            "success": True,
            "message": "Successfully connected to events: 'by.post'",
            "action": "subscribe",
            "subjects": ["by.post"],
            "id": 4,
        }
        assert answers[1]["code"] == "bad_subject"
        raw_nats.publish("by.post", b"1")
        assert await browser.next() == {"subject": "by.post", "data": 1}
        status, answers = await post(gateway, {**request, "action": "unsubscribe"})
        assert status == 200
        assert [each["success"] for each in answers] == [True, False]
        raw_nats.publish("by.post", b"2")
        await browser.quiet()
        ping = {"connection_id": browser.connection_id, "action": "ping"}
        status, answers = await post(gateway, ping)
        assert (status, answers[0]["action"]) == (200, "pong")


async def test_post_for_nobody_is_404(gateway: Gateway) -> None:
    status, answers = await post(gateway, {"connection_id": "f" * 32, "subjects": ["a"], "id": 1})
    assert status == 404
    assert answers == [NOBODY]


async def test_malformed_posts_are_400_and_counted_like_malformed_frames(
    gateway: Gateway,
) -> None:
    before = bad_ones(gateway)
    bodies = (b"", b"{", b"\xff", b'{"subjects": ["a"]}', b'{"subjects":["\xff"]}', b"[]")
    for body in bodies:
        status, answers = await post(gateway, body)
        assert status == 400, body
        assert isinstance(answers, list)
        assert answers[0]["code"] == "bad_request", body
    assert bad_ones(gateway) == [count + len(bodies) for count in before]


def bad_ones(gateway: Gateway) -> list[float]:
    """Return how many requests could not be read, and how many were refused for it."""
    figures = gateway.figures()
    named = 'requests_total{action="bad"}', 'refused_total{reason="bad_request"}'
    return [figures[f"bridge_{name}"] for name in named]


async def test_post_larger_than_64_kib_is_413(gateway: Gateway) -> None:
    status, _ = await post(gateway, b" " * 65537)
    assert status == 413


async def test_post_from_a_foreign_page_is_403(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        request = {"connection_id": browser.connection_id, "subjects": ["a"]}
        status, _ = await post(gateway, request, Origin="http://evil.example")
        assert status == 403
        assert (await post(gateway, request, Origin=gateway.url))[0] == 200


async def test_posts_count_against_the_connections_rate(nats_server, log) -> None:
    from tests.support.servers import running

    service = Gateway(nats_server.url, log=log, requests_per_second=0.01, request_burst=2)
    with running(service):
        async with Browser(service.stream) as browser:
            request = {"connection_id": browser.connection_id, "subjects": ["a"]}
            codes = []
            for _ in range(8):
                answers = (await post(service, request))[1]
                codes.append(answers[0].get("code"))
            assert codes[:3] == [None, None, "rate_limited"]
            assert await browser.closed() == 4029
