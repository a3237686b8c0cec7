"""Patterns of one connection that overlap: how to go from one to the other, copy by copy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bridge.fanout.audience import Audience, Key
from bridge.wire.envelope import Message
from bridge.wire.subjects import contains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.fanout.feed import Feed
    from bridge.fanout.flusher import Flusher
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters


def is_between_copies(gone: Feed, heir: Feed) -> bool:
    """Tell whether a message has come by one of two overlapping feeds and not yet by the other.

    NATS sends the copies of a message for several subscriptions one after the other. A connection
    that goes from the one feed to the other between them would get the message twice, or not at
    all.
    """
    if gone.last[1:] == heir.last[1:]:
        return False
    ahead, behind = (gone, heir) if gone.last > heir.last else (heir, gone)
    return contains(behind.pattern, ahead.last[1])


def lone_copy(
    gone: Feed, heirs: Sequence[Feed], audience: Audience
) -> tuple[Message | None, Message | None]:
    """Return the message that `audience` has missed, or the one it has had, as `gone` ends.

    `heirs` bring its other patterns, in their order. The server may end `gone` between two copies:
    the one by an heir has been filtered, and that by `gone` will not come; or else the one by
    `gone` has come, and that by the heir will, too.

    A change of the connection's patterns within the round trip after this forgets what was found:
    of several patterns taken away together, the message under way may be missed or come twice.
    """
    both = [each for each in (gone, *heirs) if contains(gone.pattern, each.last[1])]
    number, subject, payload = max((each.last for each in both), default=(0, "", b""))
    heir = next((each for each in heirs if contains(each.pattern, subject)), None)
    if heir is None or number <= audience.since or not audience.gets(gone.pattern, subject):
        return None, None
    by_gone, by_heir = (each.last[1:] == (subject, payload) for each in (gone, heir))
    if by_gone is by_heir:
        return None, None
    message = Message(subject, payload)
    return (None, message) if by_gone else (message, None)


class SkipsOneCopy(Audience):
    """An audience that has had a message, by a pattern it lost, of which one more copy comes.

    It passes over that copy, and is otherwise like any other audience. Those who have had the same
    share it.
    """

    def __init__(
        self,
        member: Member,
        patterns: tuple[str, ...],
        counters: Counters,
        flusher: Flusher,
        had: Message,
    ) -> None:
        callback = member.callback
        super().__init__(patterns, member.policy, counters, flusher, batch=member.batch)
        if callback is not None:
            self.callback = partial(self._call, callback)
        self._had = had
        self._is_to_come = True

    @property
    def key(self) -> Key:
        """What makes it the same audience as another."""
        return *super().key, self._had

    def append(self, pieces: list[bytes]) -> None:
        """Take messages as ever, but for the one."""
        copy = self._had.line if self.batch else self._had.frame
        if self._is_to_come and copy in pieces:
            pieces = list(pieces)
            pieces.remove(copy)
            self._counters.expected += len(self.members)
            self._pass_over()
        super().append(pieces)

    def _call(self, callback: Callable[[Message], None], message: Message) -> None:
        same = (message.subject, message.payload) == (self._had.subject, self._had.payload)
        if self._is_to_come and same:
            self._pass_over()  # whoever calls has counted it as due
        else:
            callback(message)

    def _pass_over(self) -> None:
        self._is_to_come = False
        self._counters.filtered += len(self.members)
