"""From pages to the ring to what is live, against a stream in memory, one step at a time."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bridge.history.pages import Page
from bridge.history.replay import Limit, Replay, StreamGoneError
from bridge.history.ring import Ring
from bridge.history.stored import Stored
from bridge.wire.subjects import matches


class Stream:
    """A stream, the tail on it and the pages of it; whatever is read, more comes meanwhile."""

    def __init__(self, rest: list[Stored], ring: int, page: int) -> None:
        self.stream, self.epoch, self.position = "S", "e", 0
        self.first = 1
        self.all: list[Stored] = []
        self.listeners: dict[Any, None] = {}
        self.takers: dict[Any, None] = {}
        self.ring = Ring(0, ring)
        self._rest = rest
        self._page = page
        self._ahead: list[Stored] = []
        """What is stored and was not brought yet."""

    def store(self, count: int) -> None:
        new, self._rest = self._rest[:count], self._rest[count:]
        self.all += new
        self._ahead += new

    def bring(self, count: int) -> None:
        new, self._ahead = self._ahead[:count], self._ahead[count:]
        if new:
            self.position = new[-1].sequence
            self.ring.add(new)
            for each in tuple(self.takers):
                each.take(new)

    async def reached(self, sequence: int) -> None:
        while self.position < sequence:
            self.store(1)
            self.bring(1)

    def covered(self, pattern: str) -> int:
        return self.ring.first

    async def read(self, tail: Any, pattern: str, after: int, held: int) -> Page:
        target = self.covered(pattern)
        self.store(random.randrange(4))
        matching = [m for m in self.all if m.sequence > after and matches(pattern, m.subject)]
        matching = [m for m in matching if m.sequence >= self.first]
        page = matching[: self._page]
        until = page[-1].sequence if page else after
        if len(page) == len(matching):
            until = max(until, target)
        first = page[0].sequence if page else until + 1
        gone_until = min(self.first, first) - 1
        self.bring(random.randrange(4))
        return Page(page, until, gone_until)


class Sink:
    """Notes what comes."""

    def __init__(self, stream: Stream, patterns: list[str]) -> None:
        self.got: list[int] = []
        self.told: list[Any] = []
        self._stream = stream
        self._patterns = patterns

    async def room(self) -> None:
        pass

    def replayed(self, messages: list[Stored]) -> None:
        self.got += [each.sequence for each in messages]

    def joined(self, messages: list[Stored], position: int) -> None:
        self.replayed(messages)
        self._stream.takers[self] = None

    def missed(self, after: int, until: int, reason: str) -> None:
        self.told.append((after, until, reason))

    def take(self, messages: list[Stored]) -> None:
        for message in messages:
            if any(matches(each, message.subject) for each in self._patterns):
                self.got.append(message.sequence)


def stream_of(count: int, ring: int = 3, page: int = 2) -> Stream:
    subjects = random.choices(["a.b", "a.c", "d"], k=count)
    return Stream([Stored(i + 1, s, b"", b"", b"0") for i, s in enumerate(subjects)], ring, page)


@pytest.mark.parametrize("seed", range(200))
async def test_each_message_comes_once_and_in_order(seed: int) -> None:
    """A page may be ahead of the tail, by what the tail brings later: that comes once, too."""
    random.seed(seed)
    stream = stream_of(60, ring=random.choice([1, 3, 9]), page=random.choice([1, 2, 9]))
    stream.store(30)
    stream.bring(random.choice([10, 29, 30]))
    patterns = random.sample(["a.*", "a.b", "d", ">", "none"], random.choice([1, 1, 2, 3]))
    starts = {each: random.choice([0, 0, 5, stream.position, 35]) for each in patterns}
    sink = Sink(stream, patterns)
    await Replay(stream, stream, starts, sink).run()  # type: ignore[arg-type]
    stream.store(60)
    stream.bring(60)
    assert sink.got == [
        each.sequence
        for each in stream.all
        if any(
            each.sequence > start and matches(pattern, each.subject)
            for pattern, start in starts.items()
        )
    ]
    assert sink.told == []


async def test_what_expires_meanwhile_is_told() -> None:
    stream = stream_of(20)
    stream.store(20)
    stream.bring(20)
    sink = Sink(stream, [">"])
    replay = Replay(stream, stream, {">": 0}, sink)  # type: ignore[arg-type]

    async def expires() -> None:
        if len(sink.got) == 4:
            stream.first = 9

    sink.room = expires  # type: ignore[method-assign]
    await replay.run()
    assert sink.got == [1, 2, 3, 4, *range(9, 21)]
    assert sink.told == [(4, 8, "expired")]


@pytest.mark.parametrize(
    ("reason", "until", "got", "told"),
    [
        ("stream_new", 12, [1, 2, 3, 4, *range(13, 21)], [(4, 12, "stream_new")]),
        ("ahead", 2, [1, 2, 3, 4, *range(3, 21)], [(4, 2, "ahead")]),
        ("ahead", 12, [*range(1, 21)], []),
        ("expired", 12, [*range(1, 21)], []),
    ],
)
async def test_it_goes_on_in_what_the_stream_is_now(
    reason: Any, until: int, got: list[int], told: list[Any]
) -> None:
    stream = stream_of(20)
    stream.store(20)
    stream.bring(20)
    sink = Sink(stream, [">"])
    replay = Replay(stream, stream, {">": 0}, sink)  # type: ignore[arg-type]

    async def happens() -> None:
        if len(sink.got) == 4 and not sink.told:
            replay.missed(20, until, reason)

    sink.room = happens  # type: ignore[method-assign]
    await replay.run()
    assert (sink.got, sink.told) == (got, told)


async def test_it_ends_with_the_stream() -> None:
    stream = stream_of(20)
    stream.store(20)
    stream.bring(20)
    sink = Sink(stream, [">"])
    replay = Replay(stream, stream, {">": 0}, sink)  # type: ignore[arg-type]

    async def is_deleted() -> None:
        replay.gone()

    sink.room = is_deleted  # type: ignore[method-assign]
    with pytest.raises(StreamGoneError):
        await replay.run()
    assert stream.listeners == {}


async def test_what_falls_too_far_behind_is_cut_to_the_newest() -> None:
    stream = stream_of(100, ring=3, page=2)
    stream.store(20)
    stream.bring(20)
    sink = Sink(stream, [">"])

    async def newest(after: int) -> dict[str, int] | None:
        return {">": stream.position - 10} if stream.position - after > 10 else None

    async def comes_fast() -> None:
        stream.store(9)
        stream.bring(9)

    limit = Limit(10, stream.position, newest)
    replay = Replay(stream, stream, {">": 0}, sink, None, limit)  # type: ignore[arg-type]
    sink.room = comes_fast  # type: ignore[method-assign]
    await replay.run()
    gaps = [(after, until) for after, until, reason in sink.told if reason == "too_many"]
    assert gaps
    missed = {each for after, until in gaps for each in range(after + 1, until + 1)}
    assert sink.got == sorted(set(range(1, stream.position + 1)) - missed)


async def test_one_that_takes_up_what_is_far_behind_is_cut_at_once() -> None:
    stream = stream_of(100, ring=3, page=2)
    stream.store(40)
    stream.bring(40)
    sink = Sink(stream, [">"])

    async def newest(after: int) -> dict[str, int] | None:
        return {">": stream.position - 10} if after == 5 else None

    limit = Limit(10, 5, newest)
    until = stream.position - 10
    await Replay(stream, stream, {">": 5}, sink, None, limit).run()  # type: ignore[arg-type]
    assert sink.told == [(5, until, "too_many")]
    assert sink.got == [*range(until + 1, stream.position + 1)]


async def test_a_replay_that_keeps_up_is_not_cut() -> None:
    stream = stream_of(100, ring=3, page=2)
    stream.store(40)
    stream.bring(40)
    sink = Sink(stream, [">"])

    async def newest(after: int) -> dict[str, int] | None:
        raise AssertionError("it is not behind")

    limit = Limit(60, stream.position, newest)
    await Replay(stream, stream, {">": 0}, sink, None, limit).run()  # type: ignore[arg-type]
    assert sink.told == []
