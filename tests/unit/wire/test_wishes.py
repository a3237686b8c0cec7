"""What somebody wants of the past, in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.cursor import Cursor
from bridge.wire.wishes import (
    After,
    All,
    Auto,
    FromSequence,
    Last,
    LastPerSubject,
    New,
    Since,
    Wish,
    read_wish,
)

CURSORS = (Cursor("ORDERS", "mik3x0aa", 1234), Cursor("CLICKS", "mik3x0ab", 88))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ('"new"', New()),
        ('"auto"', Auto()),
        ('"all"', All()),
        ('"last_per_subject"', LastPerSubject()),
        ('{"last": 100}', Last(100)),
        ('{"seq": 1234}', FromSequence(1234)),
        ('{"since": "5m"}', Since(timedelta(minutes=5))),
        ('{"since": "90s"}', Since(timedelta(seconds=90))),
        ('{"since": "2h"}', Since(timedelta(hours=2))),
        ('{"since": "1d"}', Since(timedelta(days=1))),
        (
            '{"since": "2026-03-01T12:00:00Z"}',
            Since(datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ),
        ('{"after": "ORDERS.mik3x0aa.1234/CLICKS.mik3x0ab.88"}', After(CURSORS)),
    ],
)
def test_each_form_is_read(text: str, wish: Wish) -> None:
    read = read_wish(json.loads(text))
    assert (type(read), read) == (type(wish), wish)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        "",
        "latest",
        [],
        {},
        {"last": 0},
        {"last": True},
        {"last": 1.5},
        {"last": "5"},
        {"last": 2**63},
        {"seq": -1},
        {"last": 1, "seq": 1},
        {"since": 5},
        {"since": ""},
        {"since": "5"},
        {"since": "5w"},
        {"since": "999999d"},
        {"since": "2026-03-01T12:00:00"},
        {"since": "2026-03-01"},
        {"since": "yesterday"},
        {"after": 5},
        {"after": ""},
        {"after": "ORDERS"},
        {"first": 1},
    ],
)
def test_anything_else_is_refused_with_a_sentence(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{20,200}\.$"):
        read_wish(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["last", "since", "seq", "after"]) | st.text(), inner, max_size=3
        )
    ),
    max_leaves=5,
)


@given(JSON)
def test_nothing_else_is_raised(value: Any) -> None:
    try:
        read_wish(value)
    except ValueError as error:
        assert str(error).endswith(".")
