"""The list of all connections, gathered from pages that come when they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bridge.replicas import connection_list
from bridge.replicas.connection_list import Page, Registrar


class FakeNats:
    """Brings pages to whoever subscribes, each after some seconds."""

    def __init__(self, *pages: tuple[float, Page]) -> None:
        self._pages = pages

    def new_inbox(self) -> str:
        return "_INBOX.x"

    async def subscribe(self, subject: str, cb: Callable[[Any], Any]) -> Any:
        async def bring() -> None:
            for wait, page in self._pages:
                await asyncio.sleep(wait)
                await cb(SimpleNamespace(data=msgspec.json.encode(page)))

        bringing = asyncio.get_running_loop().create_task(bring())

        async def unsubscribe() -> None:
            bringing.cancel()

        return SimpleNamespace(unsubscribe=unsubscribe)

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "") -> None:
        pass


def registrar(*pages: tuple[float, Page]) -> Registrar:
    def listen(*_: object, **__: object) -> Callable[[Any], Any]:
        return lambda function: function

    nats = SimpleNamespace(client=FakeNats(*pages))
    return Registrar(SimpleNamespace(trouble=None, nats=nats, listen=listen), "ours", {})


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_list, "QUIET", 0.05)
    monkeypatch.setattr(connection_list, "AT_MOST", 1.0)


def test_no_page_is_larger_than_half_of_what_nats_takes() -> None:
    visitor = SimpleNamespace(identity=("jwt", "us", "x" * 30_000))
    connection = SimpleNamespace(
        id="f" * 32,
        visit=SimpleNamespace(address="127.0.0.1", visitor=visitor),
        since=0.0,
        patterns=tuple(f"{n}.{'y' * 240}" for n in range(2000)),
        delivered=0,
        dropped=0,
        pending_bytes=0,
    )
    full = registrar()
    full._connections = dict.fromkeys(map(str, range(60)), connection)  # type: ignore[arg-type]

    async def sizes() -> list[int]:
        return [len(msgspec.json.encode(page)) for page in full._pages()]

    for most in (0, 1_048_576, 65_536):
        full._app.nats.client.max_payload = most
        assert max(asyncio.run(sizes())) < (most or 1_048_576) * 0.6


OURS = Page("ours", "here", [])


async def test_a_replica_that_has_more_to_send_is_waited_for() -> None:
    more, last = Page("slow", "there", [], more=True), Page("slow", "there", [])
    gathered = await registrar((0, OURS), (0, more), (0.3, last)).roster()
    assert gathered.complete
    assert [(each.replica, each.complete) for each in gathered.replicas] == [
        ("ours", True),
        ("slow", True),
    ]


async def test_a_replica_that_has_answered_before_is_waited_for() -> None:
    late = registrar((0, OURS), (0.3, Page("late", "there", [])))
    late._heard = {"late"}
    gathered = await late.roster()
    assert gathered.complete
    assert {each.replica for each in gathered.replicas} == {"ours", "late"}


async def test_a_replica_that_never_sends_the_rest_is_not_waited_for_long() -> None:
    more = Page("stuck", "there", [], more=True)
    gathered = await registrar((0, OURS), (0, more)).roster()
    assert not gathered.complete
    assert [(each.replica, each.complete) for each in gathered.replicas] == [
        ("ours", True),
        ("stuck", False),
    ]


async def test_a_list_without_our_own_answer_is_not_complete() -> None:
    gathered = await registrar((0, Page("other", "there", []))).roster()
    assert not gathered.complete
    assert {each.replica for each in gathered.replicas} == {"ours", "other"}
