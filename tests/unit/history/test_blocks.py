"""Stretches of a stream that many read: what is asked for them, and what they know to be gone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.history import blocks
from bridge.history.blocks import Blocks
from bridge.history.js_api import Batch
from bridge.history.stored import Stored

TAIL: Any = SimpleNamespace(stream="S", epoch="e")


class Stream:
    """A stream with some sequences; a read brings `most` of them."""

    def __init__(self, sequences: range, most: int = 1000) -> None:
        self.sequences = sequences
        self.most = most
        self.asked: list[str] = []

    async def get(self, stream: str, query: dict[str, Any]) -> Batch:
        self.asked.append("get")
        found = [each for each in self.sequences if each >= query["seq"]]
        count = min(query["batch"], self.most)
        return Batch([Stored(each, "s", b"", b"", b"0") for each in found[:count]], 0, 0)

    async def info(self, tail: Any) -> Any:
        self.asked.append("info")
        return SimpleNamespace(first=self.sequences.start)


async def read(them: Blocks, after: int) -> tuple[list[int], int, int]:
    """Return the sequences after one, up to where they are whole, and up to where all are gone."""
    block = await them.block(TAIL, after)
    assert block is not None
    return [m.sequence for m in block.index.matching("s", after)], block.until, block.gone_until


async def test_what_begins_where_it_was_asked_for_needs_no_word_of_the_leader() -> None:
    stream = Stream(range(1, 1501))
    them = Blocks(stream)
    assert await read(them, 0) == ([*range(1, 1001)], 1000, 0)
    assert await read(them, 990) == ([*range(991, 1001)], 1000, 0)
    assert await read(them, 1000) == ([*range(1001, 1501)], 1500, 1000)
    assert stream.asked == ["get", "get"]


@pytest.mark.parametrize("first", [300, 1500])
async def test_what_the_stream_has_no_more_is_known(first: int) -> None:
    them = Blocks(Stream(range(first, 2001)))
    found, until, gone_until = await read(them, 100)
    assert (found, until) == ([*range(first, 1001)], 1000)
    assert gone_until == min(first - 1, 1000)


async def test_a_hole_is_not_the_begin_of_the_stream() -> None:
    them = Blocks(Stream(range(5, 2000, 10)))
    found, until, gone_until = await read(them, 1000)
    assert (found[0], until, gone_until) == (1005, 1995, 1000)


async def test_what_goes_between_two_reads_of_a_block_is_known() -> None:
    """Who was before it would else miss it untold."""
    stream = Stream(range(1, 101))
    them = Blocks(stream)
    assert await read(them, 0) == ([*range(1, 101)], 100, 0)
    stream.sequences = range(151, 201)
    assert await read(them, 100) == ([*range(151, 201)], 200, 150)
    assert await read(them, 0) == ([*range(151, 201)], 200, 150)


async def test_what_nobody_reads_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "KEPT_SECONDS", 0)
    stream = Stream(range(1, 1001))
    them = Blocks(stream)
    await read(them, 0)
    await asyncio.sleep(0.001)
    assert not them.have(TAIL, 0)
    assert not them._blocks
    await read(them, 0)
    assert stream.asked == ["get", "get"]
