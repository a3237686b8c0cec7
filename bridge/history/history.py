"""The past and the present of streams, for all connections of a gateway."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bridge.history.cuts import Cuts
from bridge.history.errors import (
    HistoryError,
    NoHistoryError,
    NotPermittedError,
    UnansweredError,
)
from bridge.history.js_api import JetStream
from bridge.history.latest import Latest
from bridge.history.own_rights import OwnRights, RightsOfNow
from bridge.history.pace import Paces
from bridge.history.pages import Pages
from bridge.history.reading import Reading
from bridge.history.replay import Limit, Replay, Sink
from bridge.history.starts import Starts, Turn
from bridge.history.stored_subjects import StoredSubjects, find_subjects
from bridge.history.streams import Streams
from bridge.history.tails import Tails
from bridge.telemetry import stream_events
from bridge.wire.wishes import After, LastPerSubject, New, Wish

if TYPE_CHECKING:
    from bridge.history.streams import StreamInfo
    from bridge.history.tail import Tail
    from bridge.history.times import Times
    from bridge.nats_link.client import NATSLink
    from bridge.telemetry.throttled_log import ThrottledLog

ANSWER_SECONDS = 5.0
"""For JetStream, before somebody is told that it does not answer."""
REACH_SECONDS = 0.5
"""Until a tail is not waited for any longer: it tells of what it passes over every two seconds."""


class History:
    """Opens readings. `prefix` begins the names of the gateway's consumers."""

    def __init__(
        self,
        link: NATSLink,
        *,
        prefix: str = "nats_bridge",
        max_streams: int = 64,
        max_replay: int = 10000,
        times: Times | None = None,
    ) -> None:
        self.js = JetStream(link)
        self._streams = Streams(self.js)
        self._pages = Pages(self.js)
        self._starts = Starts(self._pages, max_replay=max_replay)
        self._cuts = Cuts(self._starts)
        self.tails = Tails(
            self.js,
            prefix=prefix,
            max_streams=max_streams,
            max_replay=max_replay,
            times=times,
        )
        self._max_replay = max_replay
        self._rights = RightsOfNow(self.js)
        self._paces = Paces()

    @property
    def throttled(self) -> ThrottledLog:
        """Where is logged what may come often."""
        return self.js.throttled

    async def rights(self) -> OwnRights:
        """Return what NATS lets the gateway read. Raises NoHistoryError, UnansweredError."""
        return await self._rights.get()

    async def stream_of(
        self, pattern: str, named: str | None = None, asker: object = None
    ) -> StreamInfo:
        """Return the stream that has the past of a pattern. Raises what `open` does."""
        if not self._streams.know(pattern, named):
            await self._paces.of(asker).turn()
        async with self._answering(asker):
            return await self._stream_of(pattern, named)

    async def subjects(self, patterns: Sequence[str]) -> StoredSubjects:
        """Return which subjects under `patterns` streams have. Raises what `open` does."""
        if self.js.is_silent:
            raise UnansweredError("JetStream does not answer")
        async with self._answering(None):
            return await find_subjects(self.js, self._streams, patterns, await self.rights())

    async def open(
        self,
        patterns: Sequence[str],
        wish: Wish,
        stream: str | None = None,
        asker: object = None,
    ) -> Reading:
        """Begin to read patterns of one stream; the reading's `replay` has yet to be run.

        `asker` is for whom JetStream must not be asked too often. Raises NoHistoryError;
        UnansweredError if JetStream does not answer in time; ApiError if it does not do what it has
        to.
        """
        async with self._answering(asker) as turn:
            return await self._open(list(patterns), wish, stream, turn)

    @asynccontextmanager
    async def _answering(self, asker: object) -> AsyncIterator[Turn]:
        """Yield what is to be awaited before each answer where many are needed."""
        time, pace = asyncio.get_running_loop().time, self._paces.of(asker)
        try:
            async with asyncio.timeout(ANSWER_SECONDS) as patience:

                async def turn() -> None:
                    await pace.turn()
                    patience.reschedule(time() + ANSWER_SECONDS)

                yield turn
        except TimeoutError:
            self.js.note_silence()
            raise UnansweredError("JetStream does not answer") from None
        except NotPermittedError as error:
            self._rights.forget()  # others may have been taken away, too
            self._tell(str(error))
            raise NoHistoryError("not_permitted", str(error)) from None
        except NoHistoryError as error:
            if error.reason == "not_permitted":
                self._tell(str(error))
            raise

    def _tell(self, refusal: str) -> None:
        self.throttled.tell(stream_events.HISTORY_NOT_PERMITTED, reason=refusal)

    async def _stream_of(self, pattern: str, named: str | None) -> StreamInfo:
        rights = await self.rights()
        info = await self._streams.find(pattern, named)
        if not rights.may_follow(pattern):
            text = f"NATS does not let the gateway subscribe to {pattern!r}"
            raise NoHistoryError("not_permitted", text)
        return info

    async def _open(
        self, patterns: list[str], wish: Wish, stream: str | None, turn: Turn
    ) -> Reading:
        infos = [await self._stream_of(each, stream) for each in patterns]
        if len({info.name for info in infos}) > 1:
            raise NoHistoryError("several_streams", "the patterns are of several streams")
        self._pages.note(infos[0])
        keeper = self.tails.use(infos[0])
        try:
            await keeper.include(patterns)
            tail = keeper.tail
            is_known = not isinstance(wish, After) or wish.cursor(tail.stream) is not None
            latest, place = None, wish
            if isinstance(place, After) and not is_known:
                place = place.otherwise
            if isinstance(place, LastPerSubject):
                latest, place = Latest(self._pages, tail, patterns), New()
            start = await self._starts.find(tail, patterns, place, turn)
            if not is_known:
                start = replace(start, reason=start.reason or "unknown")
        except BaseException:
            keeper.exclude(patterns)
            self.tails.leave(keeper)
            raise
        return Reading(keeper, patterns, start, latest, infos[0].subjects, self)

    def replay(
        self,
        tail: Tail,
        starts: Mapping[str, int],
        sink: Sink,
        limited_at: int,
        latest: Latest | None = None,
    ) -> Replay:
        """Return what reads patterns that the tail includes, each after its sequence.

        It may have all that was there at sequence `limited_at`.
        """
        limit = Limit(self._max_replay, limited_at, partial(self._cuts.find, tail, tuple(starts)))
        return Replay(tail, self._pages, starts, sink, latest, limit)

    async def reach_leader(self, tail: Tail) -> None:
        """Return once a tail has brought all that its leader has now, if it does so soon."""
        with contextlib.suppress(HistoryError, TimeoutError):
            async with asyncio.timeout(REACH_SECONDS):
                await tail.reached((await self._pages.info(tail)).last)

    def reconnected(self) -> None:
        """Take note that NATS was lost and is back."""
        self.js.lost()
        self._rights.forget()
        self.tails.renew()

    async def close(self) -> None:
        """End all consumers. Idempotent."""
        await self.tails.close()
        self.js.close()
