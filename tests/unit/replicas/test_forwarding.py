"""Requests for connections of other replicas: what is answered when they take long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bridge.replicas import forwarding
from bridge.replicas.forwarding import Replicas
from bridge.wire.requests import Request, parse_request

LINE = b'{"success":true}'
FORWARDED = SimpleNamespace(data=b'{"identity":[],"request":{"subjects":["a"],"id":7}}')


def replica(answer: Callable[..., Any]) -> Replicas:
    app = SimpleNamespace(listen=lambda *_, **__: lambda function: function)
    actions: Any = SimpleNamespace(read_post=parse_request, answer_post=answer)
    presence: Any = SimpleNamespace(name="ours")
    return Replicas(app, actions, presence)


async def test_who_needs_long_says_so_in_time_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "LATE_SECONDS", 0.01)
    go_on = asyncio.Event()
    carried_out = asyncio.Event()

    async def answer(request: Request, identity: tuple[str, ...]) -> tuple[int, list[bytes]]:
        await go_on.wait()
        carried_out.set()
        return 200, [LINE]

    it = replica(answer)
    said = msgspec.json.decode(await it._take(FORWARDED))
    assert said["status"] == 504
    assert (said["responses"][0]["code"], said["responses"][0]["id"]) == ("nats_down", 7)
    go_on.set()
    async with asyncio.timeout(1):
        await carried_out.wait()
    said = msgspec.json.decode(await it._take(FORWARDED))
    assert said == {"status": 200, "responses": [{"success": True}]}


async def test_more_than_can_be_done_at_a_time_are_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forwarding, "LATE_SECONDS", 0.01)
    monkeypatch.setattr(forwarding, "MAX_FORWARDED_REQUESTS", 2)
    go_on = asyncio.Event()

    async def answer(request: Request, identity: tuple[str, ...]) -> tuple[int, list[bytes]]:
        await go_on.wait()
        return 200, []

    it = replica(answer)
    statuses = [msgspec.json.decode(await it._take(FORWARDED))["status"] for _ in range(3)]
    assert statuses == [504, 504, 503]
    go_on.set()
    await asyncio.sleep(0.01)
    assert msgspec.json.decode(await it._take(FORWARDED))["status"] == 200


async def test_a_bug_is_told_and_answered() -> None:
    async def answer(request: Request, identity: tuple[str, ...]) -> tuple[int, list[bytes]]:
        raise RuntimeError("planted")

    assert msgspec.json.decode(await replica(answer)._take(FORWARDED))["status"] == 500
