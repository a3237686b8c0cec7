"""The checker of the long run finds each kind of broken promise, and takes none for one."""

from __future__ import annotations

import pytest

from tests.soak.checker import DOWN, UP, Checker, Findings, Numbers

ACK = {"success": True, "subjects": ["a.*"]}


@pytest.fixture
def published() -> dict[str, Numbers]:
    numbers = {"a.1": Numbers(), "a.2": Numbers()}
    for each in numbers.values():
        for _ in range(10):
            each.take()
        each.confirm(10)
    return numbers


def found(published: dict[str, Numbers], *frames: object, more: int = 10) -> list[str]:
    """Return what is wrong with these frames after an acknowledgement; numbers are of a.1.

    `more`: how many messages are published on it meanwhile; the acknowledgement came at number 10.
    """
    findings = Findings()
    checker = Checker(published, findings)
    checker.take(ACK)
    for _ in range(more):
        published["a.1"].take()
    published["a.1"].confirm(10 + more)
    for frame in frames:
        checker.take({"subject": "a.1", "data": {"n": frame}} if isinstance(frame, int) else frame)
    checker.finish()
    return findings.violations


def test_all_in_order_is_as_promised(published: dict[str, Numbers]) -> None:
    assert found(published, *range(10, 20)) == []


def test_what_was_on_its_way_before_the_acknowledgement_may_come(
    published: dict[str, Numbers],
) -> None:
    assert found(published, *range(8, 20)) == []


@pytest.mark.parametrize(
    ("frames", "violation"),
    [
        ([10, 11, 11, 12], "duplicated: 11 of a.1 after 11"),
        ([10, 11, 12, 10], "duplicated: 10 of a.1 after 12"),
        ([10, 12, 11], "out of order: 11 of a.1 after 12"),
        ([10, 13], "lost untold: 2 of a.1 after 10; 2 are missing, 0 told as dropped"),
        ([11], "lost untold: 1 of a.1 after 9; 1 are missing, 0 told as dropped"),
        ([10, 11], "lost untold: 1 of a.1 after 11; 1 are missing, 0 told as dropped"),
        ([10, {"dropped": 1}, 13], "lost untold: 2 of a.1 after 10; 2 are missing, 1 told"),
        ([10, 13, {"dropped": 2}], "lost untold: 2 of a.1 after 10; 2 are missing, 0 told"),
        ([10, {"dropped": 3}, 13], "told that 3 were dropped, but 2 are missing"),
        ([10, {"dropped": 1}, 11, 12], "told that 1 were dropped, but 0 are missing"),
        ([10, DOWN, UP, 11, 13], "lost untold: 1 of a.1 after 11; 1 are missing, 0 told"),
        ([10, 12, DOWN, UP], "lost untold: 1 of a.1 after 10; 1 are missing, 0 told"),
        ([10, DOWN, UP, 12, 11], "out of order: 11 of a.1 after 12"),
        ([10, DOWN, UP, 10], "duplicated: 10 of a.1 after 10"),
        ([{"success": False, "code": "limit"}], "unexpected: "),
    ],
)
def test_a_broken_promise_is_found(
    frames: list[object], violation: str, published: dict[str, Numbers]
) -> None:
    latest = max(frame for frame in [9, *frames] if isinstance(frame, int))
    more = max(latest - 9, 3)
    assert any(each.startswith(violation) for each in found(published, *frames, more=more))


@pytest.mark.parametrize(
    "frames",
    [
        [10, DOWN, UP, 13],
        [10, DOWN, 12, 13, UP],
        [DOWN, UP, 13],
        [10, DOWN, 11, UP, 13],
        [10, {"dropped": 2}, 13],
        [{"dropped": 3}, 13],
        [10, {"dropped": 1}, 12, {"dropped": 1}],
        [10, {"dropped": 1}, DOWN, UP, 13],
        [{"success": False, "code": "nats_down"}, 10, 11, 12, 13],
    ],
)
def test_a_loss_that_was_told_is_none(frames: list[object], published: dict[str, Numbers]) -> None:
    assert found(published, *frames, more=4) == []


def test_a_drop_that_was_none_is_found_before_the_browser_leaves(
    published: dict[str, Numbers],
) -> None:
    findings = Findings()
    checker = Checker(published, findings)
    for frame in (ACK, {"dropped": 1}, {"subject": "a.1", "data": {"n": 10}}):
        checker.take(frame)
    assert findings.violations == []
    checker.take({"subject": "a.2", "data": {"n": 10}})
    assert findings.violations == ["told that 1 were dropped, but 0 are missing"]


def test_what_the_server_may_not_have_taken_need_not_come(published: dict[str, Numbers]) -> None:
    findings = Findings()
    checker = Checker(published, findings)
    checker.take(ACK)
    numbers = published["a.1"]
    numbers.take()
    numbers.lose()
    assert numbers.take() == 11
    checker.take({"subject": "a.1", "data": {"n": 11}})
    numbers.confirm(12)
    assert checker.is_complete
    checker.finish()
    assert findings.violations == []
