"""When a connection may go from one overlapping pattern to another, copy by copy."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.fanout.handover import is_between_copies


@pytest.mark.parametrize("subjects", list(product(["wide.a", "wide.b"], repeat=3)))
@pytest.mark.parametrize("second_comes_first", [True, False])
def test_between_two_copies_of_one_message_and_only_there(
    subjects: tuple[str, ...], second_comes_first: bool
) -> None:
    wide: Any = SimpleNamespace(pattern="wide.*", last=(0, "", b""))
    narrow: Any = SimpleNamespace(pattern="wide.a", last=(0, "", b""))
    order = [narrow, wide] if second_comes_first else [wide, narrow]
    number = 0
    for payload, subject in enumerate(subjects):
        feeds = [feed for feed in order if feed is wide or subject == "wide.a"]
        for feed in feeds:
            number += 1
            feed.last = (number, subject, b"%d" % payload)
            half_way = len(feeds) == 2 and feed is feeds[0]
            assert is_between_copies(wide, narrow) is half_way
            assert is_between_copies(narrow, wide) is half_way


def test_nothing_has_come_yet() -> None:
    one: Any = SimpleNamespace(pattern="a.*", last=(0, "", b""))
    other: Any = SimpleNamespace(pattern="a.b", last=(0, "", b""))
    assert not is_between_copies(one, other)
