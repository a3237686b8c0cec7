"""How stored messages are told to one connection."""

from __future__ import annotations

from typing import Any

from bridge.audiences import ways
from bridge.audiences.ways import Ways
from bridge.fanout.follow import Follow
from bridge.history.own_rights import OwnRights
from bridge.history.stored import Stored
from bridge.wire.wants import PLAIN
from tests.unit.fanout.world import Follower


class Stage:
    rights = OwnRights(None, ())


def test_a_long_replay_of_ever_new_subjects_is_remembered_within_bounds() -> None:
    """A connection may be behind for hours, or ask for the latest of a million keys."""
    stage: Any = Stage()
    made = Ways(Follower(), stage, {"a.>": Follow("a.>", PLAIN)})
    made.have_changed()
    for number in range(2 * ways.MAX_KNOWN + 10):
        message = Stored(number + 1, f"a.{number}", b"1", b"", b"0")
        piece = made.piece(message, is_replay=False, epoch="")
        assert piece is not None
        assert f'"a.{number}"'.encode() in piece
        assert len(made._known) <= ways.MAX_KNOWN
