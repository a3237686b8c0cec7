"""What a browser keeps to go on at any gateway where it was, and a browser that does so."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from typing import Any

from websockets.exceptions import ConnectionClosed

from bridge.wire.cursor import Cursor
from bridge.wire.subjects import matches
from tests.support.browser_client import Browser
from tests.support.jetstream import Entry


class _Replay:
    """A replay that was begun: its patterns, what was asked for, and how far each pattern is."""

    def __init__(self, patterns: list[str], history: Any) -> None:
        self.patterns = patterns
        self.history = history
        self.at: dict[str, int] = {}

    def move(self, sequence: int) -> None:
        """Take note that it is further on."""
        for pattern, at in self.at.items():
            self.at[pattern] = max(at, sequence)


class Cursors:
    """Per stream how far what is live has come; per running replay how far that has."""

    def __init__(self) -> None:
        self.live: dict[str, Cursor] = {}
        """By stream."""
        self._epochs: dict[str, str] = {}
        self._streams: dict[str, str] = {}
        """By pattern."""
        self._replays: list[_Replay] = []
        """Those that have not become live, oldest first; each stream has one of them run."""

    def asked(self, patterns: Iterable[str], history: Any) -> None:
        """Take note of a request."""
        self._replays.append(_Replay(list(patterns), history))

    def left(self, pattern: str) -> None:
        """Take note that a pattern is not followed any more."""
        self._streams.pop(pattern, None)
        for replay in self._replays:
            replay.at.pop(pattern, None)
            if pattern in replay.patterns:
                replay.patterns.remove(pattern)
        self._replays = [each for each in self._replays if each.patterns]

    def take(self, line: dict[str, Any]) -> None:
        """Take note of a message, a response or a notice."""
        if "seq" in line and "subject" in line:
            self._take_message(line["subject"], line["seq"], is_replay="replay" in line)
        elif line.get("status") == "live":
            self._reach(line["stream"], line["epoch"], line["seq"])
            for pattern in line["subjects"]:
                self._end_replay(pattern)
        elif line.get("status") == "missed":
            self._take_missed(line)
        elif "history" in line:
            self._take_start(line["subjects"][0], line["history"])
        elif line.get("code") in ("stream_gone", "no_history", "denied"):
            for pattern in line["subjects"]:
                self.left(pattern)

    def _take_start(self, pattern: str, start: dict[str, Any]) -> None:
        stream = self._streams[pattern] = start["stream"]
        self._epochs[stream] = start["epoch"]
        if self.live.get(stream, Cursor(stream, "", 0)).epoch != start["epoch"]:
            self.live.pop(stream, None)
        replay = next(each for each in self._replays if pattern in each.patterns)
        replay.at[pattern] = start["after"]

    def _take_message(self, subject: str, sequence: int, *, is_replay: bool) -> None:
        stream = self.stream_of(subject)
        if not is_replay:
            self._reach(stream, self._epochs[stream], sequence)
            return
        running = next(each for each in self._replays if self._stream(each) == stream)
        running.move(sequence)

    def _take_missed(self, line: dict[str, Any]) -> None:
        stream, epoch, until = line["stream"], line["epoch"], line["until"]
        self._epochs[stream] = epoch
        is_other = line["reason"] in ("stream_new", "ahead")
        for replay in self._replays:
            for pattern in replay.at.keys() & set(line["subjects"]):
                replay.at[pattern] = until if is_other else max(until, replay.at[pattern])
        if any(not self._is_replayed(pattern) for pattern in line["subjects"]):
            if is_other:
                self.live.pop(stream, None)
            self._reach(stream, epoch, until)

    def _reach(self, stream: str, epoch: str, sequence: int) -> None:
        before = self.live.get(stream)
        if before is None or before.epoch != epoch or before.sequence < sequence:
            self.live[stream] = Cursor(stream, epoch, sequence)

    def _end_replay(self, pattern: str) -> None:
        for replay in self._replays:
            if replay.at.pop(pattern, None) is not None:
                replay.patterns.remove(pattern)
        self._replays = [each for each in self._replays if each.patterns]

    def _is_replayed(self, pattern: str) -> bool:
        return any(pattern in each.patterns for each in self._replays)

    def _stream(self, replay: _Replay) -> str | None:
        return self._streams.get(replay.patterns[0])

    def stream_of(self, subject: str) -> str:
        """Return the stream of a message."""
        return next(
            stream for pattern, stream in self._streams.items() if matches(pattern, subject)
        )

    def requests(self) -> list[dict[str, Any]]:
        """Return what to ask for at the next gateway."""
        asked = []
        for stream, cursor in self.live.items():
            patterns = [
                pattern
                for pattern, its in self._streams.items()
                if its == stream and not self._is_replayed(pattern)
            ]
            if patterns:
                asked.append({"subjects": patterns, "history": {"after": str(cursor)}})
        for replay in self._replays:
            for pattern in replay.patterns:
                asked.append({"subjects": [pattern], "history": self._wish(replay, pattern)})
        return asked

    def _wish(self, replay: _Replay, pattern: str) -> Any:
        at = replay.at.get(pattern)
        if at is None or replay.history == "last_per_subject":
            return replay.history
        stream = self._streams[pattern]
        return {"after": str(Cursor(stream, self._epochs[stream], at))}


class Resumer:
    """A browser that follows streams at one gateway after the other.

    `got`: the messages in the order in which they came; `told`: all else. `starts`: by pattern, up
    to which sequence nothing was to come, as it was told first.
    """

    def __init__(self, *patterns: str, history: Any = "new", query: str = "") -> None:
        self.patterns, self.wish = patterns, history
        self.got: list[Entry] = []
        self.told: list[dict[str, Any]] = []
        self.starts: dict[str, int] = {}
        self.browser: Browser
        self.address = ""
        self._query = query
        self._cursors = Cursors()
        self._requests = [{"subjects": list(patterns), "history": history}]
        self._reading: asyncio.Task[None] | None = None

    async def connect(self, stream: str) -> None:
        """Ask for all it follows at the gateway with this address; return once it may be live."""
        self.address = stream
        self.browser = Browser(stream + self._query)
        await self.browser.__aenter__()
        self._cursors = Cursors()
        for request in self._requests:
            self._cursors.asked(request["subjects"], request["history"])
            await self.browser.send(request)
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self.browser.ws:
                lines = json.loads(frame)
                for line in lines if isinstance(lines, list) else [lines]:
                    self._take(line)

    def _take(self, line: dict[str, Any]) -> None:
        self._cursors.take(line)
        if "seq" in line and "subject" in line:
            payload = json.dumps(line["data"]).encode()
            self.got.append(Entry(line["seq"], line["subject"], payload))
            return
        self.told.append(line)
        if "history" in line:
            self.starts.setdefault(line["subjects"][0], line["history"]["after"])

    @property
    def is_live(self) -> bool:
        """Whether no replay is under way, of all that was asked for."""
        return not self._cursors._replays

    def position(self, stream: str) -> int:
        """Return how far it has what is live."""
        cursor = self._cursors.live.get(stream)
        return 0 if cursor is None else cursor.sequence

    async def disconnect(self) -> None:
        """Vanish, as a browser without network does."""
        self.browser.kill()
        await self.gone()

    async def gone(self) -> None:
        """Note where it was, once the connection has ended."""
        assert self._reading is not None
        await self._reading
        self._requests = self._cursors.requests() or self._requests
