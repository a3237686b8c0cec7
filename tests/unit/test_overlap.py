"""Taking over from a pattern that is no longer followed, copy by copy."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.messages import Message
from bridge.metrics import Counters
from bridge.overlap import Once


class Feeds:
    """Two feeds of one connection, `wide.*` followed before `wide.a`, as NATS would fill them."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.counters = Counters()
        self.once = Once(self.deliver, ["wide.*"], self.counters)
        self.first: Any = SimpleNamespace(pattern="wide.*", last=None, last_number=0)
        self.second: Any = SimpleNamespace(pattern="wide.a", last=None, last_number=0)
        self.first_followed = True

    def deliver(self, message: Message) -> None:
        self.got.append(message.data)

    def copy(self, feed: Any, subject: str, number: int) -> None:
        if feed is self.second and subject != "wide.a":
            return
        message = Message(subject, b"%d" % number)
        self.counters.received += 1
        self.counters.due += 1
        feed.last, feed.last_number = message, self.counters.received
        if feed is self.second:
            self.once(message)
        elif self.first_followed:
            self.deliver(message)
        else:
            self.counters.due -= 1

    def switch(self) -> None:
        self.first_followed = False
        self.once.take_over(self.first, self.second)


@pytest.mark.parametrize("copies", list(product(["wide.a", "wide.b"], repeat=3)))
@pytest.mark.parametrize("second_comes_first", [True, False])
@pytest.mark.parametrize("when", range(7))
def test_taking_over_at_any_moment_neither_doubles_nor_loses(
    copies: tuple[str, ...], second_comes_first: bool, when: int
) -> None:
    feeds = Feeds()
    order = [feeds.second, feeds.first] if second_comes_first else [feeds.first, feeds.second]
    steps = [(feed, subject, n) for n, subject in enumerate(copies) for feed in order]
    for step in steps[:when]:
        feeds.copy(*step)
    feeds.switch()
    for step in steps[when:]:
        feeds.copy(*step)
    feeds.once.settle()
    # Messages on wide.b whose copy for wide.* came after the switch are no longer followed.
    first_copies = [n for feed, _, n in steps[:when] if feed is feeds.first]
    expected = [n for n, subject in enumerate(copies) if subject == "wide.a" or n in first_copies]
    assert feeds.got == expected
    counters = feeds.counters
    assert counters.due == len(feeds.got) + counters.filtered


def test_what_was_noted_is_forgotten_once_all_has_come() -> None:
    feeds = Feeds()
    feeds.copy(feeds.first, "wide.a", 1)
    feeds.switch()
    feeds.once.settle()
    feeds.copy(feeds.second, "wide.a", 1)
    assert feeds.got == [1, 1]
