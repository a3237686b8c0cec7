"""The list of all connections, gathered from pages that come when they come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bridge.audiences.places import Place
from bridge.replicas import directory
from bridge.replicas.connection_list import Page, pages_of
from bridge.replicas.directory import ConnectionDirectory


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


def made(*pages: tuple[float, Page]) -> ConnectionDirectory:
    def listen(*_: object, **__: object) -> Callable[[Any], Any]:
        return lambda function: function

    app = SimpleNamespace(trouble=None, nats_client=FakeNats(*pages), listen=listen)
    presence: Any = SimpleNamespace(name="ours", others=set())
    return ConnectionDirectory(app, presence, {}, lambda connection: ())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "QUIET_SECONDS", 0.05)
    monkeypatch.setattr(directory, "ASK_TIMEOUT_SECONDS", 1.0)


def test_no_page_is_larger_than_half_of_what_nats_takes() -> None:
    principal = SimpleNamespace(identity=("jwt", "us", "x" * 30_000))
    connection = SimpleNamespace(
        id="f" * 32,
        login=SimpleNamespace(address="127.0.0.1", principal=principal),
        since=0.0,
        patterns=tuple(f"{n}.{'y' * 240}" for n in range(2000)),
        delivered=0,
        dropped=0,
        pending_bytes=0,
    )
    many: list[Any] = [connection] * 60
    everywhere = [Place("S" * 255, "live", connection.patterns, "S" * 300)] * 1000

    async def sizes(max_payload: int) -> list[int]:
        pages = pages_of(many, lambda each: everywhere, "ours", "here", max_payload)
        return [len(msgspec.json.encode(page)) for page in pages]

    for most in (0, 1_048_576, 65_536):
        assert max(asyncio.run(sizes(most))) < (most or 1_048_576) * 0.6


OURS = Page("ours", "here", [])


async def test_a_replica_that_has_more_to_send_is_waited_for() -> None:
    more, last = Page("slow", "there", [], more=True), Page("slow", "there", [])
    gathered = await made((0, OURS), (0, more), (0.3, last)).everyone()
    assert gathered.complete
    assert [(each.replica, each.complete) for each in gathered.replicas] == [
        ("ours", True),
        ("slow", True),
    ]


async def test_a_replica_that_is_there_is_waited_for() -> None:
    late = made((0, OURS), (0.3, Page("late", "there", [])))
    late._asker._presence.others.add("late")
    gathered = await late.everyone()
    assert gathered.complete
    assert {each.replica for each in gathered.replicas} == {"ours", "late"}


async def test_a_replica_that_never_sends_the_rest_is_not_waited_for_long() -> None:
    more = Page("stuck", "there", [], more=True)
    gathered = await made((0, OURS), (0, more)).everyone()
    assert not gathered.complete
    assert [(each.replica, each.complete) for each in gathered.replicas] == [
        ("ours", True),
        ("stuck", False),
    ]


async def test_a_list_without_our_own_answer_is_not_complete() -> None:
    gathered = await made((0, Page("other", "there", []))).everyone()
    assert not gathered.complete
    assert {each.replica for each in gathered.replicas} == {"ours", "other"}
