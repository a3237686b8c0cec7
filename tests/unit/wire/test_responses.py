"""Lines that are not messages."""

from __future__ import annotations

import json

import pytest

from bridge.wire import responses

EVERYBODY = {"success": True, "data": "Successfully connected", "connection_id": "x"}


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        ({}, {}),
        ({"allow": (">",), "deny": ()}, {}),
        ({"allow": ("a.>",)}, {"allow": ["a.>"], "deny": []}),
        ({"deny": ("a.>",)}, {"allow": [">"], "deny": ["a.>"]}),
        ({"allow": tuple(map(str, range(129)))}, {}),
    ],
)
def test_a_greeting_and_a_fresh_token_say_what_may_be_followed_where_that_is_not_everything(
    rights: dict[str, tuple[str, ...]], told: dict[str, list[str]]
) -> None:
    assert json.loads(responses.greeting("x", **rights)) == EVERYBODY | told
    rest = {"publish": True, "history": True, "test_subject": "t"}
    for more in ({"publish": True}, {"history": True}, {"test_subject": "t"}, rest):
        greeting = json.loads(responses.greeting("x", **rights, **more))
        assert greeting == EVERYBODY | told | more
    token = {
        "success": True,
        "message": "Successfully signed in",
        "action": "token",
        "subjects": [],
    }
    for more in ({}, {"publish": True}, {"history": True}, {"publish": True, "history": True}):
        assert json.loads(responses.signed_in(**rights, **more)) == token | told | more
