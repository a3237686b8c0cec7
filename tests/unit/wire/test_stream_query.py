"""What the query of a GET asks for."""

from __future__ import annotations

import pytest

from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal
from bridge.wire.stream_query import read_query


def test_it_is_read_like_a_request() -> None:
    pairs = [
        ("subjects", "a,b"),
        ("meta", "headers,time"),
        ("subjects", "c.>"),
        ("subjects", "a,b"),
    ]
    request, limit = read_query(pairs)
    assert request == parse_request('{"subjects": ["a,b", "c.>"], "meta": ["time", "headers"]}')
    assert limit is None
    slow = read_query([("subjects", "a"), ("max_rate", "0.5")]).request
    assert slow == parse_request('{"subjects": ["a"], "max_rate": 0.5}')
    assert read_query([("subjects", "a"), ("limit", "10")]).limit == 10


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
    ],
)
def test_what_is_wrong_with_it_is_said(pairs: list[tuple[str, str]], sentence: str) -> None:
    with pytest.raises(Refusal, match=sentence.split("'")[-1]) as refused:
        read_query(pairs)
    assert str(refused.value).startswith(sentence)
    assert refused.value.code == "bad_request"
