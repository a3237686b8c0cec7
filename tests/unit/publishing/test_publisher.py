"""How much waits at most, and what is told where there is no NATS client that can do it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from bridge.access.policy import SubjectPolicy
from bridge.access.publish_policy import ANYTHING, PublishPolicy
from bridge.access.tokens import Principal
from bridge.publishing import delivery, publisher, sender
from bridge.publishing.delivery import Outcome
from bridge.publishing.publisher import Publisher, wait_for
from bridge.publishing.sender import Callers, PublishLimits, Sender
from bridge.telemetry.counters import Counters
from bridge.wire.publications import Publication

ANYONE = Principal(SubjectPolicy(), publish=ANYTHING)
FAST = PublishLimits(publishes_per_second=1e6, publish_burst=1000000)


class Link:
    """A client that takes everything and answers nothing."""

    is_connected = True
    max_payload = 1000

    def __init__(self) -> None:
        self.sending = self.answers = self
        self.sent: list[Any] = []
        self.waiting: set[Any] = set()

    def send(self, message: Any, payload: bytes, headers: bytes) -> None:
        self.sent.append(message)

    def is_too_long(self, subject: str) -> bool:
        return subject == "long"

    async def room(self) -> None:
        pass

    def expect(self, message: Any) -> None:
        self.waiting.add(message)

    def forget(self, message: Any) -> None:
        self.waiting.discard(message)


class World:
    """A publisher, and what became of each message."""

    def __init__(self, client: Any, limits: PublishLimits = FAST) -> None:
        self.counters = Counters()
        allowed = PublishPolicy.of([">"])
        self.publisher = Publisher(lambda: client, self.counters, lambda: allowed, limits)
        self.told: list[str] = []

    async def publish(self, publication: Publication, by: Sender) -> str | None:
        """Publish; return what is told at once."""
        told: list[Outcome] = []
        await self.publisher.publish(publication, by, ANYONE, told.append, b"1")
        return told[0].result if told else None


def ask(subject: str = "a", **more: Any) -> Publication:
    return Publication("request", subject, **more)


async def timed_out(world: World) -> None:
    async with asyncio.timeout(10):
        while not world.counters.publishes["timeout"]:
            await asyncio.sleep(0.001)


async def test_requests_are_bounded_for_each_sender_and_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "MAX_REQUESTS", 40)
    world = World(link := Link())
    senders = [Sender(FAST, 0.0, (str(number),)) for number in range(4)]
    for each in senders[:2]:
        results = [await world.publish(ask(), each) for _ in range(18)]
        assert results == [None] * 16 + ["limit"] * 2
    results = [await world.publish(ask(), senders[2]) for _ in range(10)]
    assert results == [None] * 8 + ["limit"] * 2
    assert await world.publish(ask(), senders[3]) == "limit"
    for each in (senders[0], senders[0], senders[1], senders[2]):
        each.leave()
    assert not link.waiting
    assert await world.publish(ask(), senders[3]) is None
    assert world.counters.publishes["left"] == 40
    assert world.counters.publishes["limit"] == 7


async def test_one_holder_cannot_take_the_places_of_all_by_further_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "MAX_REQUESTS_OF_ONE", 20)
    world = World(Link())
    one, two = (Sender(FAST, 0.0, ("somebody",)) for _ in range(2))
    assert [await world.publish(ask(), one) for _ in range(16)] == [None] * 16
    assert [await world.publish(ask(), two) for _ in range(5)] == [None] * 4 + ["limit"]
    assert await world.publish(ask(), Sender(FAST, 0.0, ("else",))) is None
    one.leave()
    assert await world.publish(ask(), two) is None
    two.leave()


async def test_one_holder_cannot_take_the_places_of_all_that_wait_for_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "MAX_ACKS_OF_ONE", 3)
    world = World(link := Link())
    one, two = (Sender(FAST, 0.0, ("somebody",)) for _ in range(2))
    stored = Publication("publish", "a", ack=True)
    assert [await world.publish(stored, one) for _ in range(2)] == [None] * 2
    assert [await world.publish(stored, two) for _ in range(2)] == [None, "limit"]
    assert await world.publish(stored, Sender(FAST, 0.0, ("else",))) is None
    assert await world.publish(Publication("publish", "a"), one) is None
    link.sent[0].answer(b'{"stream":"A","seq":1}', b"")
    assert await world.publish(stored, two) is None


async def test_what_waits_for_streams_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "MAX_ACKS", 3)
    world, by = World(link := Link()), Sender(FAST, 0.0)
    stored = Publication("publish", "a", ack=True)
    assert [await world.publish(stored, by) for _ in range(4)] == [None] * 3 + ["limit"]
    assert await world.publish(Publication("publish", "a"), by) is None
    link.sent[0].answer(b'{"stream":"A","seq":1}', b"")
    assert world.counters.publishes["stored"] == 1
    assert await world.publish(stored, by) is None


async def test_where_followers_hide_that_no_stream_stores_it_that_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a follower, the browser's own among them, NATS does not say that nobody answers."""
    monkeypatch.setattr(delivery, "ACK_TIMEOUT_SECONDS", 0.001)
    world = World(Link())
    stored, by = Publication("publish", "a", ack=True), Sender(FAST, 0.0)
    outcome = await wait_for(partial(world.publisher.publish, stored, by, ANYONE))
    assert outcome.result == "timeout"
    assert b"it may, or none stores 'a'." in outcome.line


async def test_an_answer_that_comes_twice_or_too_late_changes_nothing() -> None:
    world, by = World(link := Link()), Sender(FAST, 0.0)
    await world.publish(ask(timeout=0.001), by)
    await timed_out(world)
    (message,) = link.sent
    for late in (message.sent, message.lost, message.denied, lambda: message.answer(b"1", b"")):
        late()
    assert {each: n for each, n in world.counters.publishes.items() if n} == {"timeout": 1}
    assert not link.waiting
    assert not by.waiting


async def test_a_request_that_names_no_time_waits_no_longer_than_one_may() -> None:
    world = World(Link(), PublishLimits(max_request_timeout=0.01))
    by = Sender(FAST, 0.0)
    assert await world.publish(ask(), by) is None
    assert await world.publish(ask(timeout=0.02), by) == "bad_request"
    await timed_out(world)


async def test_without_a_client_that_can_do_it_nothing_is_published() -> None:
    class Stock:
        is_connected = True

    for client, result in ((None, "nats_down"), (Stock(), "denied")):
        world = World(client)
        assert await world.publish(Publication("publish", "a"), Sender(FAST, 0.0)) == result


async def test_a_subject_that_nats_hangs_up_on_is_refused() -> None:
    world = World(Link())
    assert await world.publish(Publication("publish", "long"), Sender(FAST, 0.0)) == "bad_subject"


def test_callers_are_remembered_and_the_silent_ones_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sender, "MAX_CALLERS", 2)
    callers = Callers(FAST)
    first, second = callers.sender(("a",), 0.0), callers.sender(("b",), 0.0)
    assert callers.sender(("a",), 0.0) is first
    callers.sender(("c",), 0.0)
    assert callers.sender(("a",), 0.0) is first
    assert callers.sender(("b",), 0.0) is not second
