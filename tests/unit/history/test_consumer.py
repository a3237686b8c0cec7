"""What a consumer makes of what the server sends to its inbox."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from bridge.history.consumer import PushConsumer
from bridge.history.stored import Stored
from bridge.nats_link.items import Message


class World:
    """An owner that notes what it is told, and a link that notes what is answered."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.answered: list[str] = []
        js: Any = SimpleNamespace(say=lambda subject, refused: self.answered.append(subject))
        self.consumer = PushConsumer(js, "S", ["s.>"], self, "gateway")

    def deliver(self, consumer: PushConsumer, messages: Sequence[Stored]) -> None:
        self.told += [message.sequence for message in messages]

    def reach(self, consumer: PushConsumer, sequence: int) -> None:
        self.told.append(("reached", sequence))

    def broken(self, consumer: PushConsumer) -> None:
        self.told.append("broken")

    def message(self, sequence: int, number: int) -> None:
        reply = f"$JS.ACK.S.c.1.{sequence}.{number}.1700000000000000000.0".encode()
        self.consumer.take(Message(1, b"s.a", reply, b"x", None))

    def status(self, *fields: str, reply: str = "") -> None:
        headers = "\r\n".join(["NATS/1.0 100 Idle Heartbeat", *fields, "", ""]).encode()
        self.consumer.take(Message(1, b"inbox", reply.encode(), b"", headers))


async def test_messages_are_handed_on_while_none_is_missing() -> None:
    world = World()
    world.message(7, 1)
    world.message(9, 2)
    world.message(12, 4)
    assert world.told == [7, 9, "broken"]


async def test_the_count_of_the_server_shows_what_is_missing_at_the_end() -> None:
    world = World()
    world.message(7, 1)
    world.status("Nats-Last-Consumer: 1", "Nats-Last-Stream: 20")
    world.status("Nats-Last-Consumer: 2", "Nats-Last-Stream: 21")
    assert world.told == [7, ("reached", 20), "broken"]


async def test_it_answers_when_the_server_waits_for_it() -> None:
    world = World()
    world.status(reply="$JS.FC.S.c.x")
    world.status(
        "Nats-Consumer-Stalled: $JS.FC.S.c.y", "Nats-Last-Consumer: 0", "Nats-Last-Stream: 3"
    )
    world.status("something: else")
    assert world.answered == ["$JS.FC.S.c.x", "$JS.FC.S.c.y"]
    assert world.told == [("reached", 3)]


async def test_an_inbox_that_is_not_accepted_any_more_is_told() -> None:
    world = World()
    world.consumer.refuse("denied")
    assert world.told == ["broken"]
