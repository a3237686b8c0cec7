"""Patterns that come and go all the time, in reads of any size, beside eight publishers."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from bridge.fanout import crossings
from bridge.fanout.crossings import SETTLE_SECONDS
from tests.unit.fanout.world import Follower, Published, World

CHANGES = [("leave", "load.*"), ("join", "load.*"), ("leave", "load.a"), ("join", "load.a")]


class Storm:
    """One member that joins and leaves in turn; `alike`: every message says the same."""

    def __init__(self, seed: int, *, alike: bool) -> None:
        self.chance = Random(seed)
        self.world = World()
        self.member = Follower()
        self.world.follow(self.member, "load.*", "load.a")
        self.publishing: dict[int, Published] = {}
        self.alike = alike
        self.sent = 0
        self.changes = 0
        self.request = None

    def run(self, steps: int) -> None:
        for _ in range(steps):
            step = self.chance.choices(
                [self.publish, self.copy, self.read, self.change, self.wait],
                [45, 40, 12, 2, 1],
            )[0]
            step()
        self.finish()
        self.world.quiesce()

    def publish(self) -> None:
        publisher = self.chance.randrange(8)
        if publisher not in self.publishing:
            self.sent += 1
            payload = b"0" if self.alike else b"%d" % self.sent
            self.publishing[publisher] = self.world.server.publish("load.a", payload)

    def copy(self) -> None:
        if not self.publishing:
            return
        publisher = self.chance.choice(list(self.publishing))
        message = self.publishing[publisher]
        if message.waiting:
            self.world.server.queue_copy(message)
        if not message.waiting:
            del self.publishing[publisher]

    def read(self) -> None:
        """Read what may end anywhere, and let only a few things happen after it."""
        world = self.world
        world.server_reads(self.chance.randrange(3))
        count = min(self.chance.randrange(40), len(world.server.stream))
        items = [world.server.stream.popleft() for _ in range(count)]
        world.loop.call_soon(lambda: [item() for item in items])
        for _ in range(self.chance.randrange(1, 4)):
            world.loop.call_soon(world.loop.stop)
            world.loop.run_forever()

    def change(self) -> None:
        if self.request is not None and not self.request.done():
            return
        what, pattern = CHANGES[self.changes % len(CHANGES)]
        self.changes += 1
        if what == "leave":
            self.world.unfollow(self.member, pattern)
        else:
            self.request = self.world.run(self.world.hub.follow(self.member, [pattern]))

    def wait(self) -> None:
        self.finish()
        self.world.pass_time(SETTLE_SECONDS * self.chance.choice([0.3, 1.01]))

    def finish(self) -> None:
        """Have every copy queued: the server takes less time than passes now."""
        for message in self.publishing.values():
            while message.waiting:
                self.world.server.queue_copy(message)
        self.publishing.clear()


@pytest.mark.parametrize("alike", [False, True], ids=["different", "alike"])
@pytest.mark.parametrize("seed", range(10))
def test_in_a_storm_each_message_comes_once(
    seed: int, alike: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crossings, "MAX_TRIES", 1_000_000)
    storm = Storm(seed, alike=alike)
    try:
        storm.run(4000)
        got = Counter(int(each) for each in re.findall(rb'"data":(\d+)}', storm.member.got))
        counters = storm.world.hub.counters
    finally:
        storm.world.end()
    assert storm.changes > 20
    assert got == ({0: storm.sent} if alike else dict.fromkeys(range(1, storm.sent + 1), 1))
    assert counters.expected == storm.sent + counters.filtered
