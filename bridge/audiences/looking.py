"""What there is to follow: the subjects that streams have, and those that came by of late."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bridge.history.errors import HistoryError, NoHistoryError
from bridge.token_bucket import TokenBucket
from bridge.wire import responses
from bridge.wire.responses import Refusal, shorten
from bridge.wire.selection import MOST_TOLD, MOST_TOLD_BYTES, Breadths, select
from bridge.wire.subjects import WILDCARDS, contains, fault, matches

if TYPE_CHECKING:
    from bridge.access.history_policy import HistoryPolicy
    from bridge.access.policy import SubjectPolicy
    from bridge.fanout.hub import Hub
    from bridge.history.history import History
    from bridge.history.stored_subjects import StoredSubjects

KEPT_SECONDS = 5.0
"""In which the same question has the same answer."""
MAX_KEPT = 16
LOOKS_PER_SECOND, LOOKS_AT_ONCE = 0.5, 5
"""By all connections together, but for those that get what was found for others."""
MAX_PATTERNS = 8
"""In a question; and as many are asked of streams, where these are all that somebody may read."""
MOST_SEEN, MOST_SEEN_BYTES = 2000, 65536
"""Subjects that are told of those that came by; of those that are stored, see `select`."""
AT_ONCE = 500
"""Subjects that are looked at before others go on; a millisecond or two."""

T = TypeVar("T")
Key = tuple[tuple[str, ...], "SubjectPolicy", "HistoryPolicy"]


class _Asked(NamedTuple):
    """Who asks for what."""

    patterns: Sequence[str]
    policy: SubjectPolicy
    past: HistoryPolicy


class _Known(NamedTuple):
    """What is known, whoever asks."""

    seen: Iterable[str]
    stored: StoredSubjects | None = None
    is_all: bool = True
    reason: str = ""
    """Why no stream was read."""


class Looking:
    """Looks, for one after the other and not too often. `history` returns what reads streams."""

    def __init__(self, hub: Hub, history: Callable[[], History | None]) -> None:
        self._hub = hub
        self._history = history
        self._kept: dict[Key, tuple[float, bytes]] = {}
        self._looking = asyncio.Lock()
        self._bucket = TokenBucket(LOOKS_PER_SECOND, LOOKS_AT_ONCE, 0.0)

    async def look(
        self, patterns: Sequence[str], policy: SubjectPolicy, past: HistoryPolicy
    ) -> bytes:
        """Return the response, without an id: subjects that may be followed, and how many more.

        Raises Refusal.
        """
        for pattern in patterns:
            wrong = fault(pattern)
            if wrong:
                text = f"{shorten(pattern)!r} is not a valid subject: {wrong}."
                raise Refusal("bad_subject", text, [pattern])
        if len(patterns) > MAX_PATTERNS:
            raise Refusal("bad_request", f"Look at {MAX_PATTERNS} patterns at most.", patterns)
        key = tuple(patterns), policy, past
        async with self._looking:
            now = asyncio.get_running_loop().time()
            at, line = self._kept.get(key, (-KEPT_SECONDS, b""))
            if line and now - at <= KEPT_SECONDS:
                return line
            if not self._bucket.take(now):
                text = "Others are looking just now; please ask again in a moment."
                raise Refusal("rate_limited", text, patterns, counted_as="rate")
            asked = _Asked(patterns, policy, past)
            known = await self._know(asked)
            line = await _answer(asked, known)
            self._keep(key, line)
        return line

    def _keep(self, key: Key, line: bytes) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= MAX_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = asyncio.get_running_loop().time(), line

    async def _know(self, asked: _Asked) -> _Known:
        seen, readable = self._hub.seen(), asked.past.within(asked.patterns)
        history = self._history()
        if history is None:
            return _Known(seen, reason="off" if self._hub.is_connected else "nats_down")
        if not readable:
            return _Known(seen, reason="off")
        try:
            found = await history.subjects(_widest(readable, asked.patterns))
        except NoHistoryError as error:
            return _Known(seen, reason=error.reason)
        except HistoryError:
            return _Known(seen, is_all=False, reason="nats_down")
        return _Known(seen, found, found.is_all)


def _widest(readable: Sequence[str], patterns: Sequence[str]) -> Sequence[str]:
    """Return patterns that cover all that may be read, and as little else as a few can."""
    widest: list[str] = []
    for pattern in readable:
        if not any(contains(each, pattern) for each in widest):
            widest = [each for each in widest if not contains(pattern, each)] + [pattern]
    return widest if len(widest) <= MAX_PATTERNS else patterns


async def _answer(asked: _Asked, known: _Known) -> bytes:
    """Tell what may be known of it, within bounds."""
    readable = known.stored.readable() if known.stored is not None else ()
    stored = [
        each
        async for each in _gently(readable)
        if _is_plain(each[0]) and asked.past.may_read(each[0])
    ]
    stored.sort()  # soon: streams tell theirs in order
    there = {subject for subject, _, _ in stored}
    seen = [
        subject
        async for subject in _gently(known.seen)
        if subject not in there and any(matches(each, subject) for each in asked.patterns)
        if _is_plain(subject) and asked.policy.may_follow(subject)
    ]
    seen.sort()
    told = [seen[place] for place in await _select(seen, MOST_SEEN, MOST_SEEN_BYTES)]
    return responses.subjects_found(
        asked.patterns,
        await _by_stream(stored),
        told,
        len(seen) - len(told),
        complete=known.is_all,
        reason=known.reason,
    )


async def _by_stream(stored: Sequence[tuple[str, str, int]]) -> list[dict[str, object]]:
    """Return what is told of each stream; of all `(subject, stream, messages)`, some."""
    left = Counter(stream for _, stream, _ in stored)
    told: dict[str, dict[str, int]] = {name: {} for name in sorted(left)}
    for place in await _select([subject for subject, _, _ in stored], MOST_TOLD, MOST_TOLD_BYTES):
        subject, stream, messages = stored[place]
        told[stream][subject] = messages
        left[stream] -= 1
    return [
        {"stream": name, "messages": messages, "more": left[name]}
        for name, messages in told.items()
    ]


async def _select(names: Sequence[str], most: int, most_bytes: int) -> list[int]:
    breadths = Breadths()
    return select(names, [breadths.of(each) async for each in _gently(names)], most, most_bytes)


async def _gently(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield all, and let others go on in between: a hundred thousand subjects take a second."""
    for number, each in enumerate(items):
        if number % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        yield each


def _is_plain(subject: str) -> bool:
    """Tell whether a pattern of that name stands for this subject alone."""
    return not any(each in WILDCARDS for each in subject.split("."))
