"""What a stream is like, and which one holds what somebody wants to follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge.history.asked import KEPT_SECONDS, MAX_KEPT, Asked
from bridge.history.errors import (
    ApiError,
    HistoryError,
    NoHistoryError,
    NoJetStreamError,
    NotPermittedError,
    UnansweredError,
    no_history,
)
from bridge.history.pace import Pace
from bridge.wire.cursor import epoch_of
from bridge.wire.subjects import contains, overlap, split

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream

TIMEOUT_SECONDS = 5.0
MAX_LOOKED_FOR = 4
"""Patterns at a time whose stream is looked for."""
LOOKED_FOR_PER_SECOND, LOOKED_FOR_AT_ONCE = 1000.0, 1000
"""By the whole gateway, where many want what no stream holds."""
PATIENCE_SECONDS = 4.0
"""Of one that waits for that: less than JetStream may take to answer, since it is not silent."""
MOMENT_SECONDS = 0.1
"""Which one that was found may take to say what it holds, before others are looked for."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the leader of a stream says of it."""

    name: str
    epoch: str
    subjects: tuple[str, ...]
    """What it stores; none of a mirror."""
    retention: str
    first: int
    """The sequence of the oldest message, or of the one that comes next."""
    last: int
    last_time: datetime
    """When the last message was stored; long ago if there is none."""
    now: datetime
    """The time at the leader."""
    size: int = 0
    """Bytes of a message on average; 0 if there is none."""


def read_info(answer: dict[str, Any]) -> StreamInfo:
    """Return what STREAM.INFO has answered."""
    config, state = answer["config"], answer["state"]
    return StreamInfo(
        config["name"],
        epoch_of(answer["created"]),
        tuple(config.get("subjects") or ()),
        config.get("retention", "limits"),
        max(state["first_seq"], 1),  # 0 while there never was one
        state["last_seq"],
        datetime.fromisoformat(state["last_ts"]),
        datetime.fromisoformat(answer["ts"]),
        state.get("bytes", 0) // max(state.get("messages", 0), 1),
    )


async def ask_info(js: JetStream, stream: str, seconds: float) -> StreamInfo:
    """Ask the leader of a stream. Raises HistoryError."""
    answer = await js.ask(f"STREAM.INFO.{stream}", seconds=seconds)
    try:
        return read_info(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise UnansweredError(f"cannot read what is said of {stream!r}: {error!r}") from None


class Streams:
    """Finds the stream of a pattern; what is found, or that there is none, is kept for a moment."""

    def __init__(self, js: JetStream) -> None:
        self._js = js
        self._asked = Asked(self._find)
        self._infos = Asked(partial(ask_info, js, seconds=TIMEOUT_SECONDS))
        self._holders: dict[str, tuple[str, ...]] = {}
        """By name, the subjects of streams that were found; they may have changed."""
        self._room = asyncio.Semaphore(MAX_LOOKED_FOR)
        self._pace = Pace(LOOKED_FOR_PER_SECOND, LOOKED_FOR_AT_ONCE)
        self._refusal: HistoryError | None = None
        self._refused_at = 0.0

    async def find(self, pattern: str, named: str | None = None) -> StreamInfo:
        """Return the one stream that has the past of a pattern, or of which it is to be.

        Raises NoHistoryError, or UnansweredError where another try may help.
        """
        return await self._asked.get((pattern, named))

    async def names(self, pattern: str, most: int) -> tuple[list[str], bool]:
        """Return the names of `most` streams that hold something of a pattern; whether more do.

        Raises NoHistoryError, or UnansweredError where another try may help.
        """
        with no_history():
            answer = await self._ask_for_all("STREAM.NAMES", {"subject": pattern})
        names = [str(each) for each in answer.get("streams") or ()]
        return names[:most], max(answer.get("total") or 0, len(names)) > most

    def know(self, pattern: str, named: str | None = None) -> bool:
        """Tell whether `find` need not ask for this pattern alone."""
        if self._asked.has((pattern, named)) or named in self._holders:
            return True
        return named is None and any(_contain(each, pattern) for each in self._holders.values())

    async def _find(self, wanted: tuple[str, str | None]) -> StreamInfo:
        with no_history():
            return await self._ask(*wanted)

    async def _ask(self, pattern: str, named: str | None) -> StreamInfo:
        name = named or _bucket_of(pattern)
        info = await self._look_for(pattern, name)
        name = info.name
        if info.retention != "limits":
            text = f"the stream {name!r} keeps messages only until somebody has taken them"
            raise NoHistoryError("retention", text)
        if not info.subjects:
            return info
        if named is None and not _contain(info.subjects, pattern):
            part = [each for each in info.subjects if overlap(each, pattern)]
            text = f"the stream {name!r} holds only part of it: {_listed(part)}"
            raise NoHistoryError("partly", text)
        if not any(overlap(each, pattern) for each in info.subjects):
            raise NoHistoryError("no_stream", f"the stream {name!r} holds none of it")
        return info

    async def _look_for(self, pattern: str, name: str | None) -> StreamInfo:
        """Return the stream of that name, or else the one that holds a pattern, or part of it.

        Most of those who come together want the same stream: the first few ask, and the others wait
        for a moment what they find.
        """
        info = await self._known(pattern, name)
        if info is not None:
            return info
        async with self._looking():
            info = await self._known(pattern, name)
            if info is not None:
                return info
            await self._pace.turn()
            asking = asyncio.create_task(self._info(name or await self._name(pattern)))
            await asyncio.wait({asking}, timeout=MOMENT_SECONDS)
        return await asking

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[None]:
        """Wait for room."""
        try:
            await asyncio.wait_for(self._room.acquire(), PATIENCE_SECONDS)
        except TimeoutError:
            raise UnansweredError("JetStream answers others first") from None
        try:
            yield
        finally:
            self._room.release()

    async def _known(self, pattern: str, name: str | None) -> StreamInfo | None:
        """Return the stream of that name, or that contains a pattern, if it was found before.

        NATS lets no two streams of an account store the same subject, so there is no other one.
        """
        for each, subjects in tuple(self._holders.items()):
            if each == name or (name is None and _contain(subjects, pattern)):
                try:
                    info = await self._info(each)
                except ApiError:
                    self._holders.pop(each, None)
                    return None
                if name is not None or _contain(info.subjects, pattern):
                    return info
        return None

    async def _info(self, name: str) -> StreamInfo:
        """Return what the leader of a stream has said within some seconds."""
        info = await self._infos.get(name)
        if len(self._holders) >= MAX_KEPT:
            self._holders.clear()
        self._holders[name] = info.subjects
        return info

    async def _name(self, pattern: str) -> str:
        answer = await self._ask_for_all("STREAM.NAMES", {"subject": pattern})
        names = answer.get("streams") or []
        if not names:
            raise NoHistoryError("no_stream", "no stream holds it")
        if len(names) > 1:
            raise NoHistoryError("several_streams", f"several streams hold it: {_listed(names)}")
        return str(names[0])

    async def _ask_for_all(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask, unless the answer was lately that nobody may, whatever the pattern.

        Else a page with many patterns would have the server log as many errors.
        """
        now = asyncio.get_running_loop().time()
        if self._refusal is not None and now - self._refused_at <= KEPT_SECONDS:
            raise self._refusal.with_traceback(None)
        try:
            return await self._js.ask(what, body)
        except (NotPermittedError, NoJetStreamError) as error:
            self._refusal, self._refused_at = error, now
            raise


def _contain(subjects: Sequence[str], pattern: str) -> bool:
    return any(contains(each, pattern) for each in subjects)


def _bucket_of(pattern: str) -> str | None:
    """Return the stream of a key-value bucket, for a pattern of its keys."""
    tokens = split(pattern)
    is_one = len(tokens) > 2 and tokens[0] == "$KV" and tokens[1] not in ("*", ">")
    return f"KV_{tokens[1]}" if is_one else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(repr(each) for each in names[:5]) + more
