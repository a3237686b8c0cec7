"""The newest messages."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from bridge.history.ring import Ring
from bridge.history.stored import Stored
from bridge.wire.subjects import matches


def message(sequence: int, payload: bytes = b"", subject: str = "a") -> Stored:
    return Stored(sequence, subject, payload, b"", b"0")


def sequences(ring: Ring, after: int, pattern: str = ">") -> list[int]:
    return [each.sequence for each in ring.matching(pattern, after)]


@given(
    st.lists(st.tuples(st.lists(st.integers(1, 5), min_size=1, max_size=9), st.booleans())),
    st.integers(1, 40),
    st.integers(0, 5),
)
def test_it_has_all_after_first(runs: list[tuple[list[int], bool]], most: int, start: int) -> None:
    ring, added, sequence = Ring(start, most), list[int](), start
    for steps, is_looked_at in runs:
        run = list(accumulate(steps, initial=sequence))[1:]
        sequence = run[-1]
        added += run
        ring.add([message(each, subject="ab"[each % 2]) for each in run])
        assert min(len(added), most - most // 10) <= len(ring) <= most
        for after in range(ring.first, sequence + 2) if is_looked_at else ():
            assert sequences(ring, after) == [s for s in added if s > after]


def test_it_holds_no_more_bytes_than_it_may() -> None:
    ring = Ring(0, max_bytes=3000)
    for sequence in range(1, 10):
        ring.add([message(sequence, bytes(1000))])
    assert sequences(ring, ring.first) == [8, 9]
    ring.add([message(10, bytes(4000))])
    assert (ring.first, len(ring)) == (10, 0)


def test_it_begins_again_elsewhere() -> None:
    ring = Ring(0)
    ring.add([message(1)])
    ring.begin_at(7)
    assert (ring.first, len(ring), sequences(ring, 7)) == (7, 0, [])


@given(st.lists(st.sampled_from(["a", "a.b", "a.c", "d.b"]), max_size=30), st.integers(0, 30))
def test_those_that_match_are_found_in_order(subjects: list[str], after: int) -> None:
    ring = Ring(0, max_messages=20)
    for number, subject in enumerate(subjects):
        ring.add([message(number + 1, subject=subject)])
    for pattern in ("a", "a.b", "a.*", "*.b", ">", "x", "a.>"):
        assert sequences(ring, max(after, ring.first), pattern) == [
            number + 1
            for number, subject in enumerate(subjects)
            if number + 1 > max(after, ring.first) and matches(pattern, subject)
        ]
