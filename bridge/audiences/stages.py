"""The streams that somebody follows, and what is looked after each minute."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bridge.audiences.stage import Stage
from bridge.history.errors import HistoryError
from bridge.telemetry import events
from bridge.telemetry.logs import tell

if TYPE_CHECKING:
    from bridge.audiences.stage import Follower
    from bridge.fanout.hub import Hub
    from bridge.history.history import History
    from bridge.history.keeper import Keeper
    from bridge.history.own_rights import OwnRights

RETRY_SECONDS = 1.0
"""Until NATS is asked again what it did not say."""
REMIND_SECONDS = 60.0
"""After which a connection that got nothing is told how far it is."""
REMINDED_AT_ONCE, REMINDER_PAUSE_SECONDS = 100, 0.01
"""Then others have their turn: ten thousand take a second, most of which is free."""


class Stages:
    """A stage for each tail in use. `history` returns what reads them; None before the first."""

    def __init__(self, history: Callable[[], History | None], hub: Hub) -> None:
        self._history = history
        self._hub = hub
        self._stages: dict[Keeper, Stage] = {}
        self._reminding: asyncio.Task[None] | None = None
        self._is_due = asyncio.Event()

    def of(self, keeper: Keeper, rights: OwnRights) -> Stage:
        """Return the stage of a tail, made if there is none."""
        stage = self._stages.get(keeper)
        if stage is None:
            stage = Stage(keeper.tail, rights, self._hub.flusher, self._hub.counters)
            self._stages[keeper] = stage
        if self._reminding is None:
            self._reminding = asyncio.create_task(self._remind())
        return stage

    @property
    def followers(self) -> Iterator[Follower]:
        """Those of all streams."""
        return (each for stage in self._stages.values() for each in stage.followers)

    @property
    def replaying(self) -> int:
        """How many followers get what was before."""
        return sum(len(each.patterns) > len(each.had.follows) for each in self.followers)

    @property
    def behind(self) -> int:
        """How many followers catch up."""
        return sum(each.is_behind for each in self.followers)

    def drop_if_unused(self, stage: Stage) -> None:
        """End a stage without followers."""
        if not stage.followers:
            stage.end()
            self._stages = {k: each for k, each in self._stages.items() if each is not stage}

    def stop(self) -> None:
        """Look after nothing any more. Idempotent."""
        if self._reminding is not None:
            self._reminding.cancel()

    def look_soon(self) -> None:
        """Look after them now: NATS may let the gateway read something else than before."""
        self._is_due.set()

    async def _remind(self) -> None:
        seconds = REMIND_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._is_due.wait()
            self._is_due.clear()
            try:
                seconds = REMIND_SECONDS if await self.look() else RETRY_SECONDS
            except Exception as failure:
                tell(events.BACKGROUND_FAILED, failure)

    async def look(self) -> bool:
        """Ask again what the gateway may read; tell those that got nothing how far they are.

        Returns whether NATS has said.
        """
        rights = await self._rights() if self._stages else None
        if rights is not None:
            for stage in self._stages.values():
                stage.rights = rights
        followers = tuple(self.followers)
        for begin in range(0, len(followers), REMINDED_AT_ONCE):
            self._hub.flush()  # or some would be told that they have what is yet to be written
            for follower in followers[begin : begin + REMINDED_AT_ONCE]:
                follower.remind()
            await asyncio.sleep(REMINDER_PAUSE_SECONDS)
        return rights is not None or not self._stages

    async def _rights(self) -> OwnRights | None:
        history = self._history()
        with contextlib.suppress(HistoryError):
            return await history.rights() if history is not None else None
        return None
