"""What NATS says of the gateway's own user, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.history.own_rights import OwnRights, read_rights


def rights(subscribe: dict[str, Any] | None) -> OwnRights:
    permissions = None if subscribe is None else {"subscribe": subscribe}
    return read_rights({"data": {"user": "u", "permissions": permissions}})


@pytest.mark.parametrize(
    ("subscribe", "pattern", "may"),
    [
        (None, ">", True),
        ({}, ">", True),
        ({"allow": ["a.>"]}, "a.*", True),
        ({"allow": ["a.>"]}, "*.b", False),
        ({"allow": ["a.> workers"]}, "a.b", False),
        ({"allow": []}, "a.b", False),
        ({"deny": ["a.b"]}, "a.*", True),
        ({"deny": ["a.*"]}, "a.b", False),
        ({"deny": ["a.* workers"]}, "a.b", True),
    ],
)
def test_a_pattern_has_to_lie_within_what_nats_allows(
    subscribe: dict[str, Any] | None, pattern: str, may: bool
) -> None:
    assert rights(subscribe).may_follow(pattern) is may


def test_a_message_on_a_denied_subject_is_not_delivered() -> None:
    some = rights({"allow": ["a.>"], "deny": ["a.secret.>", "a.b"]})
    assert [each for each in ("a.c", "a.b", "a.secret.x", "b") if some.may_receive(each)] == ["a.c"]


def test_those_that_allow_the_same_are_equal() -> None:
    assert rights({"allow": ["a"]}) == rights({"allow": ["a", "b queue"]})
    assert len({rights(None), rights({}), rights({"deny": ["a"]})}) == 2
    assert rights(None) != 1
