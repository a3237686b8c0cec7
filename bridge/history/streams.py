"""What a stream is like, and which one holds what somebody wants to follow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bridge.history.errors import (
    NO_STREAM,
    NOT_ENABLED,
    ApiError,
    HistoryError,
    NoHistoryError,
    NoJetStreamError,
    NotPermittedError,
    UnansweredError,
)
from bridge.wire.cursor import epoch_of
from bridge.wire.subjects import contains, overlap, split

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream

TIMEOUT_SECONDS = 5.0
KEPT_SECONDS = 5.0
"""What was found is not asked for again within it."""
MAX_KEPT = 1000


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
    )


async def ask_info(js: JetStream, stream: str, seconds: float) -> StreamInfo:
    """Ask the leader of a stream. Raises HistoryError."""
    answer = await js.ask(f"STREAM.INFO.{stream}", seconds=seconds)
    try:
        return read_info(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise UnansweredError(f"cannot read what is said of {stream!r}: {error!r}") from None


class _Asked:
    """What was asked for, by all who want to know it."""

    def __init__(self, at: float, task: asyncio.Task[StreamInfo]) -> None:
        self.at = at
        self.task = task
        # Those who wait have it; it may be that nobody does any more.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    @property
    def is_of_no_use(self) -> bool:
        """Whether it failed in a way that may have passed."""
        if not self.task.done():
            return False
        return self.task.cancelled() or isinstance(self.task.exception(), UnansweredError)


class Streams:
    """Finds the stream of a pattern; what is found, or that there is none, is kept for a moment."""

    def __init__(self, js: JetStream) -> None:
        self._js = js
        self._asked: dict[tuple[str, str | None], _Asked] = {}
        self._found: dict[str, tuple[float, StreamInfo]] = {}
        """By name, what was found, and when: it is the stream of all patterns that it contains."""
        self._refusal: HistoryError | None = None
        self._refused_at = 0.0

    async def find(self, pattern: str, named: str | None = None) -> StreamInfo:
        """Return the one stream that has the past of a pattern, or of which it is to be.

        Raises NoHistoryError, or UnansweredError where another try may help.
        """
        now = asyncio.get_running_loop().time()
        asked = self._asked.get((pattern, named))
        if asked is None or now - asked.at > KEPT_SECONDS or asked.is_of_no_use:
            if len(self._asked) >= MAX_KEPT:
                self._asked.clear()
            task = asyncio.create_task(self._find(pattern, named))
            asked = self._asked[pattern, named] = _Asked(now, task)
        return await asyncio.shield(asked.task)

    async def _find(self, pattern: str, named: str | None) -> StreamInfo:
        try:
            return await self._ask(pattern, named)
        except NotPermittedError as error:
            raise NoHistoryError("not_permitted", str(error)) from None
        except NoJetStreamError:
            raise NoHistoryError("no_jetstream", "NATS has no JetStream here") from None
        except ApiError as error:
            raise _meaning_of(error) from None

    async def _ask(self, pattern: str, named: str | None) -> StreamInfo:
        name = named or _bucket_of(pattern)
        info = self._holding(pattern) if name is None else None
        if info is not None:
            return info
        name = name or await self._name(pattern)
        info = await ask_info(self._js, name, TIMEOUT_SECONDS)
        if info.retention != "limits":
            text = f"the stream {name!r} keeps messages only until somebody has taken them"
            raise NoHistoryError("retention", text)
        if not info.subjects:
            return info
        if named is None and not any(contains(each, pattern) for each in info.subjects):
            part = [each for each in info.subjects if overlap(each, pattern)]
            text = f"the stream {name!r} holds only part of it: {_listed(part)}"
            raise NoHistoryError("partly", text)
        if named is None:
            self._found[name] = asyncio.get_running_loop().time(), info
        if not any(overlap(each, pattern) for each in info.subjects):
            raise NoHistoryError("no_stream", f"the stream {name!r} holds none of it")
        return info

    def _holding(self, pattern: str) -> StreamInfo | None:
        """Return the stream that contains a pattern, if it was found lately.

        NATS lets no two streams of an account store the same subject, so there is no other one.
        """
        now = asyncio.get_running_loop().time()
        for name, (at, info) in tuple(self._found.items()):
            if now - at > KEPT_SECONDS:
                del self._found[name]
            elif any(contains(each, pattern) for each in info.subjects):
                return info
        return None

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


def _bucket_of(pattern: str) -> str | None:
    """Return the stream of a key-value bucket, for a pattern of its keys."""
    tokens = split(pattern)
    is_one = len(tokens) > 2 and tokens[0] == "$KV" and tokens[1] not in ("*", ">")
    return f"KV_{tokens[1]}" if is_one else None


def _meaning_of(error: ApiError) -> Exception:
    if error.number in NOT_ENABLED:
        return NoHistoryError("no_jetstream", "JetStream is not enabled for this account")
    if error.number == NO_STREAM:
        return NoHistoryError("no_stream", "there is no such stream")
    return UnansweredError(str(error))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(repr(each) for each in names[:5]) + more
