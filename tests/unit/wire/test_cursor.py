"""The text of a cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.cursor import Cursor, epoch_of, read_cursors

NAMES = st.text(st.characters(codec="ascii", exclude_characters="./*>\\\x7f ", min_codepoint=33))
CURSORS = st.builds(
    Cursor,
    NAMES.filter(lambda name: 0 < len(name) < 256),
    st.from_regex(r"[0-9a-z]{1,13}", fullmatch=True),
    st.integers(0, 2**63 - 1),
)


@given(st.lists(CURSORS, min_size=1, max_size=64, unique_by=lambda each: each.stream))
def test_what_is_written_is_read(cursors: list[Cursor]) -> None:
    assert read_cursors("/".join(map(str, cursors))) == cursors


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ORDERS",
        "ORDERS.1",
        "ORDERS.mik3x0aa.",
        "ORDERS.mik3x0aa.-1",
        "ORDERS.mik3x0aa.1x",
        "ORDERS.MIK.1",
        "OR DERS.mik3x0aa.1",
        "OR.DERS.mik3x0aa.1",
        "ORDERS.mik3x0aa.1/",
        "ORDERS.mik3x0aa.١",
        "ORDERS.mik3x0aa.9223372036854775808",
        "ORDERS.mik3x0aa.99999999999999999999999",
        "ORDERS.a.1/ORDERS.a.2",
        "/".join(f"S{number}.a.1" for number in range(65)),
    ],
)
def test_anything_else_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A cursor .*\.$"):
        read_cursors(text)


def test_an_epoch_is_when_the_stream_was_made() -> None:
    assert epoch_of("1970-01-01T00:00:00.035999999Z") == "z"
    assert epoch_of("1970-01-01T00:00:00Z") == "0"
    assert epoch_of("1970-01-01T00:00:01.5Z") == epoch_of("1970-01-01T02:00:01.5+02:00")
    assert int(epoch_of("2026-03-01T12:00:00.123456789Z"), 36) == 1772366400123
