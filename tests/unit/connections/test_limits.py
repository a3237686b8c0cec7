"""Rates, on a clock that the test turns."""

from __future__ import annotations

from bridge.connections.limits import Limits, RequestLimiter, TokenBucket
from bridge.wire.codes import CloseCode


def test_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(1) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000) for _ in range(4)] == [True, True, True, False]


def test_requests_over_the_rate_are_refused_and_far_over_it_end_the_connection() -> None:
    limiter = RequestLimiter(Limits(requests_per_second=20, request_burst=40), now=0)
    assert all(limiter.allows_request(0) for _ in range(40))
    assert not any(limiter.allows_request(0) for _ in range(80))
    assert limiter.close_code is None
    assert not limiter.allows_request(0)
    assert limiter.close_code == CloseCode.FLOOD


def test_twice_the_rate_is_refused_but_no_flood() -> None:
    limiter = RequestLimiter(Limits(requests_per_second=20, request_burst=40), now=0)
    allowed = sum(limiter.allows_request(n / 40) for n in range(4000))
    assert limiter.close_code is None
    assert 2000 <= allowed <= 2041


def test_too_many_bad_requests_within_a_minute_end_the_connection() -> None:
    limiter = RequestLimiter(Limits(bad_requests_per_minute=60), now=0)
    for _ in range(60):
        limiter.count_bad_request(0)
    assert limiter.close_code is None
    limiter.count_bad_request(0.5)
    assert limiter.close_code == CloseCode.TOO_MANY_BAD_REQUESTS
