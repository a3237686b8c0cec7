"""Members that want at most so many messages a second of each subject.

One store and one clock are enough for a group, however many members it has, and what is passed over
is never encoded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from bridge.fanout.conflation import Conflation, Held, Subject, Waiting
from bridge.fanout.group import Group, GroupKey, Writer, write
from bridge.wire.envelope import Message
from bridge.wire.framing import UNENCODED, Framing

if TYPE_CHECKING:
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters
    from bridge.wire.envelope import Envelope


class RatedGroup(Group):
    """Members that share a rate, or one with a callback that is called at a rate.

    What waits is not due yet: it is counted when it goes on, or when it is passed over.
    """

    __slots__ = ("_conflation", "_held", "_joins", "_late", "_loop", "_timer")

    def __init__(self, key: GroupKey, counters: Counters, flusher: Writer, held: Held) -> None:
        super().__init__(key, counters, flusher)
        assert key.follow.wants.max_rate is not None
        self._held = held
        self._conflation = Conflation(key.follow.wants.max_rate, held)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._joins = 0
        """How often members have joined while something may have waited."""
        self._late: dict[Member, tuple[int, int]] = {}
        """The latest of them: the number of the join, and the slot in which all of that has gone
        on. In the order in which they joined."""

    @property
    def framing(self) -> Framing:
        """How pieces for this group are made: not before it is known which ones go on."""
        return UNENCODED

    # Who is in it

    def enter(self, member: Member) -> None:
        """Take in a member: what comes from now on is for it, and nothing that waits."""
        super().enter(member)
        if self._conflation.queue:
            self._note_join(member)

    def part(self, member: Member) -> None:
        """Let go of a member; it gets what came before, also what waits."""
        super().part(member)
        self._late.pop(member, None)
        if not self.members:
            self._let_go(len(self._conflation.queue))

    def hand_over(self, member: Member) -> None:
        """Send a member what came before, also what waits. It is then as one that joins now."""
        super().hand_over(member)
        joined, _ = self._late.pop(member, (0, 0))
        waiting = self._conflation.waiting()
        if waiting:
            self._write(waiting, [member], joined)
            self._note_join(member)

    def _note_join(self, member: Member) -> None:
        self._joins += 1
        self._late[member] = self._joins, self._conflation.queue[-1].due

    # What comes

    def append(self, pieces: list[Any]) -> None:
        """Take messages of one subject: they go on, wait, or are passed over."""
        envelope: Envelope = pieces[-1][0]
        count = len(pieces)
        subject = self._conflation.subjects.get(envelope.subject)
        if subject is None:
            subject = self._begin(envelope.subject)
            self._send_first(envelope, pieces[0][1])
            count -= 1
        if count:
            if subject.message is not None:
                self._pass_over(subject.joins)
            if count > 1:
                self.filter(count - 1)
            message = Message(envelope.subject, pieces[-1][1])
            self._conflation.hold(subject, message, self._joins)
        if self._held.is_full:
            self._held.make_room()

    def _begin(self, name: str) -> Subject:
        now, queue = self._slot_now(), self._conflation.queue
        if queue and queue[0].due <= now:
            self._send_due(now)  # the timer is late, and what is due next would stand behind this
        if not queue:
            self._held.by[self] = None
        subject = self._conflation.begin(name, now)
        if self._timer is None:
            self._set_timer()
        return subject

    def _send_first(self, envelope: Envelope, payload: bytes) -> None:
        if self.key.callback is None:
            super().append(self.key.framing.encode(envelope, [payload]))
        else:
            self._send([Message(envelope.subject, payload)])

    def _pass_over(self, joins: int) -> None:
        """Count a message in whose place a newer one waits, for those who were there for it."""
        due = len(self.members)
        if joins < self._joins:
            for joined, _ in reversed(self._late.values()):
                if joined <= joins:
                    break
                due -= 1
        self._counters.expected += due
        self._counters.filtered += due

    # When it goes on

    @property
    def size(self) -> int:
        """Bytes it holds, roughly."""
        return self._conflation.size

    def send_all(self) -> None:
        """Send what waits, before its time."""
        self._send_waiting(self._conflation.take_all())

    def let_go_of_half(self) -> None:
        """Send what waits longest before its time, and forget when that was sent."""
        self._let_go((len(self._conflation.queue) + 1) // 2)

    def _let_go(self, count: int) -> None:
        self._send_waiting(self._conflation.take_oldest(count))
        self._end_if_idle()

    def _slot_now(self) -> int:
        return int(self._loop.time() / self._conflation.slot_seconds)

    def _set_timer(self) -> None:
        slot = self._conflation.queue[0].due
        self._timer = self._loop.call_at(slot * self._conflation.slot_seconds, self._tick, slot)

    def _tick(self, slot: int) -> None:
        self._timer = None
        self._send_due(max(slot, self._slot_now()))
        if self._conflation.queue and self._timer is None:
            self._set_timer()

    def _send_due(self, now: int) -> None:
        self._send_waiting(self._conflation.take_due(now))
        for member, (_, until) in tuple(self._late.items()):
            if until > now:
                break
            del self._late[member]
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if not self._conflation.queue:
            self._late.clear()
            self._held.by.pop(self, None)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    # How it goes on

    def _send_waiting(self, waiting: list[Waiting]) -> None:
        """Send what waited to those who were there when it came."""
        if self._late and any(each.joins < self._joins for each in waiting):
            self._flusher.flush()
            self._write(waiting, self.members.keys() - self._late.keys())
            newest = max(each.joins for each in waiting)
            for member, (joined, _) in self._late.items():
                if joined > newest:
                    break  # nothing here is for this one, or for anyone who joined later
                self._write(waiting, [member], joined)
        elif waiting and self.members:
            self._send([each.message for each in waiting])

    def _write(self, waiting: list[Waiting], members: Collection[Member], joined: int = 0) -> None:
        """Write to some members, at once, what came after the join with that number."""
        messages = [each.message for each in waiting if each.joins >= joined] if members else []
        if self.key.callback is not None:
            self._send(messages)
        else:
            framing = self.key.framing
            write(list(map(framing.piece, messages)), framing, members, self._counters)

    def _send(self, messages: list[Message]) -> None:
        """Send messages to all members on the ordinary path."""
        callback = self.key.callback
        if callback is None:
            super().append(list(map(self.key.framing.piece, messages)))
        else:
            self._counters.expected += len(messages)
            for message in messages:
                callback(message)
