"""The newest messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.history.ring import Ring
from bridge.history.stored import Stored


def message(sequence: int, payload: bytes = b"") -> Stored:
    return Stored(sequence, "a", payload, b"", b"0")


@given(st.lists(st.integers(1, 5)), st.integers(1, 10), st.integers(0, 5))
def test_it_has_all_after_first(steps: list[int], most: int, start: int) -> None:
    ring, added, sequence = Ring(start, most), list[int](), start
    for step in steps:
        sequence += step
        added.append(sequence)
        ring.add(message(sequence))
        assert len(ring) <= most
        for after in range(ring.first, sequence + 2):
            assert [m.sequence for m in ring.after(after)] == [s for s in added if s > after]


def test_it_holds_no_more_bytes_than_it_may() -> None:
    ring = Ring(0, max_bytes=3000)
    for sequence in range(1, 10):
        ring.add(message(sequence, bytes(1000)))
    assert [each.sequence for each in ring.after(ring.first)] == [8, 9]
    ring.add(message(10, bytes(4000)))
    assert (ring.first, len(ring)) == (10, 0)


def test_it_begins_again_elsewhere() -> None:
    ring = Ring(0)
    ring.add(message(1))
    ring.begin_at(7)
    assert (ring.first, ring.after(7)) == (7, [])
