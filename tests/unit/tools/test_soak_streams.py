"""What the long run notices of streams: what is lost, or twice, out of order, from nowhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.soak.checker import Findings
from tests.soak.stream_checker import StreamChecker
from tests.support.jetstream import Entry

STORED = [Entry(sequence, f"s.{'ab'[sequence % 2]}", b"") for sequence in range(1, 21)]


def response(after: int, *patterns: str, **more: object) -> dict[str, Any]:
    history = {"stream": "S", "epoch": "e", "after": after, **more}
    return {"success": True, "subjects": [*patterns] or ["s.>"], "history": history}


def message(sequence: int, **more: object) -> dict[str, Any]:
    return {"subject": STORED[sequence - 1].subject, "seq": sequence, "data": 1, **more}


def messages(*sequences: int) -> list[dict[str, Any]]:
    return [message(each) for each in sequences]


def found(*frames: dict[str, Any]) -> list[str]:
    """Return what is wrong with these frames, the word before the colon; `{}` is a reconnect."""
    findings = Findings()
    checker = StreamChecker(["s.>"], findings)
    for frame in frames:
        checker.take(frame) if frame else checker.connected()
    checker.compare(STORED)
    return [each.split(": ")[1] for each in findings.violations]


ALL = [*range(11, 21)]


@pytest.mark.parametrize(
    ("frames", "wrong"),
    [
        ([response(10), *messages(*ALL)], []),
        ([response(10), *messages(*ALL[:-1])], ["lost"]),
        ([response(10), *messages(*ALL[1:])], ["lost"]),
        ([response(10), *messages(11, 11, *ALL[1:])], ["duplicated"]),
        ([response(10), *messages(12, 11, *ALL[2:])], ["out of order"]),
        ([response(10), *messages(10, *ALL)], ["out of order", "not in the stream"]),
        ([response(10, "s.a"), *messages(12, 14, 16, 18, 20)], []),
        ([response(10, "s.a"), *messages(*ALL)], ["not in the stream"]),
        (
            [response(10), *messages(11, 12), {}, response(12, resumed=True), *messages(*ALL[2:])],
            [],
        ),
        (
            [response(10), *messages(11), {}, response(12, resumed=False), *messages(*ALL[2:])],
            ["not resumed", "lost"],
        ),
        ([{"code": "nats_down"}, response(10), *messages(*ALL)], []),
        ([{"code": "denied"}, response(20)], ["unexpected"]),
        ([response(10), {"dropped": 3}, *messages(*ALL)], ["unexpected"]),
        (
            [response(10), {"status": "nats_up", "gap": True}, *messages(*ALL)],
            ["told of a gap, but there is none in a stream"],
        ),
        ([response(10), {"status": "missed", "after": 10, "until": 12}, *messages(*ALL[2:])], []),
        (
            [response(10), {"status": "missed", "after": 10, "until": 11}, *messages(*ALL[2:])],
            ["lost"],
        ),
    ],
)
def test_each_broken_promise_is_found(frames: list[dict[str, Any]], wrong: list[str]) -> None:
    assert found(*frames) == wrong


def test_a_replay_is_older_than_what_is_live_and_comes_again_if_it_was_cut() -> None:
    replay = [message(each, replay=True) for each in ALL]
    assert found(response(10), *replay[:3], {}, response(10, resumed=True), *replay) == []
    assert found(response(10), *replay[:3], *replay) == ["duplicated"] * 3
    assert found(response(10), *replay, {"status": "live", "seq": 20}) == []


def test_what_was_compared_may_not_come_again() -> None:
    findings = Findings()
    checker = StreamChecker(["s.>"], findings)
    for frame in (response(10), *messages(*ALL[:5])):
        checker.take(frame)
    assert checker.has(STORED[:15])
    assert not checker.has(STORED)
    checker.compare(STORED[:15])
    assert findings.violations == []
    checker.take(message(15))
    assert findings.violations == ["s.> of the stream: duplicated: 15"]


def test_it_asks_for_what_is_new_and_later_for_what_is_after_its_cursor() -> None:
    checker = StreamChecker(["s.>"], Findings())
    assert checker.wish == "new"
    for frame in (response(10), *messages(11, 12)):
        checker.take(frame)
    assert checker.wish == {"after": "S.e.12"}
    checker.take({"status": "live", "seq": 19})
    assert checker.wish == {"after": "S.e.19"}
