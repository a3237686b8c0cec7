"""What the query of a GET asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.wire.cursor import Cursor
from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal
from bridge.wire.stream_query import read_query
from bridge.wire.wishes import (
    After,
    All,
    Auto,
    FromSequence,
    Last,
    LastPerSubject,
    New,
    Past,
    Since,
    Wish,
)


def test_it_is_read_like_a_request() -> None:
    pairs = [
        ("subjects", "a,b"),
        ("meta", "headers,time"),
        ("subjects", "c.>"),
        ("subjects", "a,b"),
    ]
    request, limit, goes_on = read_query(pairs)
    assert request == parse_request('{"subjects": ["a,b", "c.>"], "meta": ["time", "headers"]}')
    assert limit is None and goes_on
    slow = read_query([("subjects", "a"), ("max_rate", "0.5")]).request
    assert slow == parse_request('{"subjects": ["a"], "max_rate": 0.5}')
    assert read_query([("subjects", "a"), ("limit", "10")]).limit == 10


CURSOR = Cursor("ORDERS", "mik3x0aa", 1234)
LATER = Cursor("ORDERS", "mik3x0aa", 1240)


@pytest.mark.parametrize(
    ("history", "wish"),
    [
        ("new", New()),
        ("auto", Auto()),
        ("all", All()),
        ("last_per_subject", LastPerSubject()),
        ("last:100", Last(100)),
        ("seq:9223372036854775807", FromSequence(2**63 - 1)),
        ("since:5m", Since(timedelta(minutes=5))),
        ("since:2026-03-01T12:00:00Z", Since(datetime(2026, 3, 1, 12, tzinfo=UTC))),
        ("since:2026-03-01T13:00:00 01:00", Since(datetime(2026, 3, 1, 12, tzinfo=UTC))),
    ],
)
def test_each_form_of_history_is_read(history: str, wish: Wish) -> None:
    request, _, goes_on = read_query([("subjects", "a"), ("history", history), ("live", "true")])
    assert request.past == Past(wish, is_optional=history == "auto")
    assert goes_on
    named = [("subjects", "a"), ("history", history), ("stream", "123"), ("live", "false")]
    request, _, goes_on = read_query(named)
    assert request.past == Past(wish, "123", is_optional=history == "auto")
    assert not goes_on


@pytest.mark.parametrize(
    ("more", "past"),
    [
        ([("after", str(LATER))], Past(After((CURSOR,)))),
        ([("after", "x")], Past(After((CURSOR,)))),
        ([("after", str(LATER)), ("stream", "S")], Past(After((CURSOR,)), "S")),
        ([("history", "all"), ("after", str(LATER))], Past(After((CURSOR,), All()))),
        ([("history", "last:3"), ("live", "false")], Past(After((CURSOR,), Last(3)))),
        ([("history", "auto")], Past(After((CURSOR,), Auto()), is_optional=True)),
        ([], Past(After((CURSOR,)), is_optional=True)),
        ([("max_rate", "1")], None),
        ([("max_rate", "1"), ("history", "auto")], None),
    ],
)
def test_who_comes_back_says_it_by_the_header(more: list[tuple[str, str]], past: Past) -> None:
    assert read_query([("subjects", "a"), *more], str(CURSOR)).request.past == past


def test_after_goes_before_history() -> None:
    pairs = [("subjects", "a"), ("after", f"{CURSOR}/B.x.1"), ("history", "last:3")]
    cursors = (CURSOR, Cursor("B", "x", 1))
    assert read_query(pairs).request.past == Past(After(cursors, Last(3)))


def test_a_header_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(Refusal, match=r"^Last-Event-ID: A cursor is a stream, an epoch and a"):
        read_query([("subjects", "a"), ("history", "all")], "7")


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "subjects required"),
        ([("subjects", "a"), ("action", "unsubscribe")], "'action' is no key of this query."),
        ([("subjects", "a"), ("x" * 90, "1")], f"'{'x' * 79}…' is no key of this query."),
        ([("subjects", "a"), ("max_rate", "1"), ("max_rate", "2")], "max_rate may come once."),
        *(
            ([("subjects", "a"), ("max_rate", rate)], "max_rate has to be a number from")
            for rate in ("", "0", "1000", "x", "nan", "inf", "1e1", "-1")
        ),
        ([("subjects", "a"), ("meta", "")], "meta has to be a list of some of"),
        ([("subjects", "a"), ("limit", "1"), ("limit", "1")], "limit may come once."),
        *(
            ([("subjects", "a"), ("limit", limit)], "limit has to be a number of messages")
            for limit in ("", "0", "-1", "1.5", "x", "١", "9" * 16)
        ),
        *(
            ([("subjects", "a"), ("history", history)], "history is new, auto, all, last_per_subj")
            for history in ("", "old", "all:", "last", "after:A.b.1", "seq", ":", "new:1")
        ),
        *(
            ([("subjects", "a"), ("history", history)], '"last" in history is a whole number')
            for history in ("last:", "last:0", "last:x", "last:1.5", "last:" + "9" * 20)
        ),
        ([("subjects", "a"), ("history", "since:soon")], '"since" in history is a time like'),
        ([("subjects", "a"), ("history", "new"), ("history", "all")], "history may come once."),
        ([("subjects", "a"), ("after", "")], "after: A cursor is a stream, an epoch and a"),
        ([("subjects", "a"), ("after", "A.b.1/A.b.2")], "after: A cursor names each stream once."),
        ([("subjects", "a"), ("stream", "S")], "stream goes with history."),
        ([("subjects", "a"), ("live", "no"), ("history", "all")], "live is true or false."),
        ([("subjects", "a"), ("live", "false")], "live=false goes with history or after"),
        ([("subjects", "a"), ("max_rate", "1"), ("history", "all")], "With max_rate, history can"),
        (
            [("subjects", "a"), ("max_rate", "1"), ("history", "auto"), ("after", "A.b.1")],
            "With max_rate there is no after: it leaves messages out.",
        ),
    ],
)
def test_what_is_wrong_with_it_is_said(pairs: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence.split("'")[-1]) as refused:
        read_query(pairs)
    assert str(refused.value).startswith(sentence)
    assert refused.value.code == "bad_request"
