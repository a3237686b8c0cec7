"""How stored messages are told to one connection, subject by subject, as far as they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.audiences.audience import meta_of
from bridge.audiences.told import pieces_of, with_cursors
from bridge.wire.envelope import Envelope

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.own_rights import OwnRights
    from bridge.history.stored import Stored

MAX_KNOWN = 1000
"""Subjects of which it is known how they are told; from there on all are forgotten."""

Way = tuple[Envelope, tuple[str, ...]]


class Ways:
    """Makes pieces of messages. `follows`: what they are read for, by pattern; it may change."""

    def __init__(self, member: Member, stage: Stage, follows: dict[str, Follow]) -> None:
        self.follows = follows
        self._member, self._stage = member, stage
        self._known: dict[str, Way | None] = {}
        """By subject, under the same grants."""
        self._grants: tuple[SubjectPolicy, OwnRights] | None = None

    def forget(self) -> None:
        """Take note that `follows` has changed."""
        self._grants = None

    def have_changed(self) -> bool:
        """Tell whether pieces that were made before this call may be wrong."""
        grants = self._member.policy, self._stage.rights
        if grants == self._grants:
            return False
        self._grants = grants
        self._known.clear()
        return True

    def piece(self, message: Stored, *, is_replay: bool, epoch: str) -> bytes | None:
        """Return a message as it is written; None if it may not be.

        `epoch`: of its stream, if it gets an id.
        """
        subject = message.subject
        if subject not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[subject] = self._find(subject)
        way = self._known[subject]
        if way is None:
            return None
        envelope, meta = way
        framing = self._member.framing
        pieces = pieces_of([message], [envelope], framing, meta, is_replay=is_replay)
        if epoch:
            pieces = with_cursors(pieces, [message], framing, self._stage.tail, epoch)
        return pieces[0]

    def _find(self, subject: str) -> Way | None:
        if not self._stage.rights.may_receive(subject):
            return None
        if not self._member.policy.may_receive(subject):
            return None
        meta = meta_of(self.follows.values(), subject)
        if meta is None:
            return None
        return Envelope(subject), meta
