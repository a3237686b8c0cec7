"""How often one address may ask for a WebSocket."""

from __future__ import annotations

import pytest

from bridge.access.proxies import TrustedProxies
from bridge.web import handshake_rate
from bridge.web.capacity import Capacity
from bridge.web.handshake_rate import FEWEST_A_MINUTE, FLOOD_HANDSHAKES, HandshakeRate

ONE, OTHER = "192.0.2.1", "192.0.2.2"


def taken(rate: HandshakeRate, address: str, now: float) -> int:
    """Return how many handshakes of `address` are taken at `now`."""
    count = 0
    while not rate.wait(address, now):
        count += 1
    return count


def test_all_can_come_back_three_times_at_once_and_then_once_a_minute() -> None:
    rate = HandshakeRate(1000)
    assert taken(rate, ONE, 0) == pytest.approx(3000, abs=1)
    assert taken(rate, ONE, 6) == pytest.approx(100, abs=1)
    assert taken(rate, ONE, 66) == pytest.approx(1000, abs=1)
    assert taken(rate, OTHER, 66) == pytest.approx(3000, abs=1)
    assert taken(rate, ONE, 10000) == pytest.approx(3000, abs=1), "that is forgotten in the end"


def test_whoever_comes_too_soon_is_told_how_much_and_does_not_pay_for_it() -> None:
    rate = HandshakeRate(1000)
    taken(rate, ONE, 0)
    first = rate.wait(ONE, 0)
    assert 0 < first <= 0.06
    assert rate.wait(ONE, 0) == first
    assert rate.wait(ONE, 0.06) == 0


def test_where_few_may_be_connected_a_person_may_reload() -> None:
    assert taken(HandshakeRate(1), ONE, 0) == pytest.approx(3 * FEWEST_A_MINUTE, abs=1)


def test_a_flood_counts_as_several_and_nobody_waits_for_more_than_a_minute() -> None:
    rate = HandshakeRate(1000)
    for _ in range(100):
        rate.count_flood(ONE, 0)
    assert taken(rate, ONE, 0) == pytest.approx(3000 - 100 * FLOOD_HANDSHAKES, abs=1)
    for _ in range(1000):
        rate.count_flood(ONE, 0)
    assert rate.wait(ONE, 0) == 60
    assert rate.wait(ONE, 59) == 1
    assert rate.wait(ONE, 60) == 0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake_rate, "MAX_ADDRESSES", 100)
    rate = HandshakeRate(1000)
    for number in range(1000):
        rate.wait(f"10.0.{number}.1", 0)
        rate.wait(ONE, 0)
    assert len(rate._used_up) == 100
    assert taken(rate, ONE, 0) == pytest.approx(2000, abs=1), "who still comes is remembered"


async def test_a_network_of_ipv6_is_one_address() -> None:
    capacity = Capacity(limit_per_address=1, proxies=TrustedProxies(["10.0.0.0/8"]))
    for number in range(3 * FEWEST_A_MINUTE + 100):
        if wait := capacity.wait(f"2001:db8::{number:x}"):
            break
    assert wait
    assert capacity.wait("2001:db8::ffff:1")
    assert not capacity.wait("2001:db8:0:1::1")
    refusal = capacity.too_soon("2001:db8::1", 1.2)
    assert refusal.headers["Retry-After"] == "2"
