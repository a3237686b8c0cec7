"""What connections follow: subjects as they come, and streams with what was before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from bridge.connections.judgement import denied, fault_of
from bridge.connections.waiting import Asked, How, Outcome, Waiting
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.audiences.answers import Begun
    from bridge.audiences.stream_hub import StreamHub
    from bridge.connections.connection import Connection
    from bridge.connections.limits import Limits
    from bridge.fanout.hub import Hub
    from bridge.wire.wants import Wants


class Following:
    """Has connections follow patterns, by the one hub or the other, as far as they may.

    `nats_is_up` tells whether following can succeed. Call all of it while `Connection.changes` is
    held.
    """

    def __init__(
        self, hub: Hub, streams: StreamHub, limits: Limits, nats_is_up: Callable[[], bool]
    ) -> None:
        self._hub = hub
        self._streams = streams
        self._limits = limits
        self.waiting = Waiting(self.follow, nats_is_up)
        hub.on_postponed = self._postpone

    def patterns(self, connection: Connection) -> tuple[str, ...]:
        """Return what a connection follows, and what it waits for."""
        return *connection.patterns, *self.waiting.patterns(connection)

    def is_live(self, connection: Connection) -> bool:
        """Tell whether a connection has all there is of what it asked for."""
        return not self.waiting.patterns(connection) and self._streams.is_live(connection)

    async def subscribe(
        self, connection: Connection, patterns: Sequence[str], how: How, request_id: bytes
    ) -> Outcome:
        """Follow patterns; those that NATS cannot have now, as soon as it can."""
        outcome = await self.follow(connection, patterns, how)
        for pattern, refusal in outcome.refused.items():
            if refusal.code == "nats_down":
                self.waiting.add(connection, pattern, Asked(how, request_id))
        return outcome

    async def follow(self, connection: Connection, patterns: Collection[str], how: How) -> Outcome:
        """Follow `patterns`, those that are followed in this way from now on.

        The refusals are in the order of the patterns.
        """
        refused: dict[str, Refusal] = {}
        wanted: list[str] = []
        # One that waits already has its place.
        taken = set(self.patterns(connection))
        followed = set(connection.patterns)
        for pattern in patterns:
            if pattern in followed:
                refusal = _fault_of_change(pattern, how, is_streamed=pattern in connection.streamed)
            else:
                refusal = self._fault(connection, pattern, taken)
            if refusal is None:
                wanted.append(pattern)
            else:
                refused[pattern] = refusal
        begun: list[Begun] = []
        plain = wanted
        if connection.streamed:
            change = self._streams.change
            plain = [each for each in wanted if not change(connection, each, how.wants)]
        if how.past is not None:
            found = await self._streams.follow(connection, plain, how.wants, how.past)
            begun, plain = found.begun, found.plain
            refused |= found.refused
        refused |= await self._hub.follow(connection, plain, how.wants)
        for each in begun:
            each.start()
        for pattern in wanted:
            if pattern not in refused:
                self.waiting.discard(connection, pattern)
        return Outcome(begun, {each: refused[each] for each in patterns if each in refused})

    def _fault(self, connection: Connection, pattern: str, taken: set[str]) -> Refusal | None:
        """Say why a pattern may not be asked for; if it may, it is among those `taken`."""
        count = len(taken) + (pattern not in taken)
        refusal = fault_of(pattern, connection.policy, count, self._limits.max_subjects)
        if refusal is None:
            taken.add(pattern)
        return refusal

    async def unsubscribe(
        self, connection: Connection, patterns: Iterable[str]
    ) -> dict[str, Refusal]:
        """Follow patterns no more, nor wait for them; return the refusals of the others."""
        left = [each for each in patterns if not self.waiting.discard(connection, each)]
        stored = await self._streams.leave(connection, left)
        return self._hub.unfollow(connection, [each for each in left if each not in stored])

    def change_policy(self, connection: Connection, policy: SubjectPolicy) -> list[Refusal]:
        """Put a connection under another policy; return the refusals of what it lost by that."""
        lost = [*self._hub.change_policy(connection, policy)]
        lost += self._streams.change_policy(connection)
        return [denied(pattern) for pattern in lost]

    def nats_changed(self, *, up: bool) -> None:
        """Take note that the connection to NATS is lost, or that there is another one."""
        self._hub.nats_changed(up=up)
        self._streams.nats_changed(up=up)
        self.waiting.nats_changed(up)

    async def stop(self) -> None:
        """Wait for nothing more; return once NATS knows of it. Idempotent."""
        self._hub.stop()
        self.waiting.stop()
        await self._streams.stop()

    def leave(self, connection: Connection) -> None:
        """Let go of a connection that has ended."""
        self.waiting.forget(connection)
        self._streams.unfollow_all(connection)
        self._hub.unfollow_all(connection)

    def _postpone(self, connection: Connection, pattern: str, wants: Wants) -> None:
        """Take up later what NATS cannot have just now; nobody asked for it in a request."""
        self.waiting.add(connection, pattern, Asked(How(wants), b""))


def _fault_of_change(pattern: str, how: How, *, is_streamed: bool) -> Refusal | None:
    """Say why a pattern that is followed cannot be had in this way from now on."""
    name = repr(shorten(pattern))
    if how.past is not None:
        text = f"{name} is followed already; to have its past, unsubscribe from it first."
    elif is_streamed and how.wants.max_rate is not None:
        text = f"{name} is followed with its past; for a rate, unsubscribe from it first."
    else:
        return None
    return Refusal("already_followed", text, [pattern])
