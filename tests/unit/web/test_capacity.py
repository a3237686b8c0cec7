"""How connections are counted, and who is turned away."""

from __future__ import annotations

import pytest
from aiohttp import web

from bridge.access.proxies import TrustedProxies
from bridge.web.capacity import SPARE_FILES, Capacity


def test_where_files_are_few_they_limit_the_connections() -> None:
    capacity = Capacity(limit=100)
    assert capacity.limit == 100
    capacity.set_files(SPARE_FILES + 20)
    assert capacity.limit == 20
    capacity.set_files(SPARE_FILES + 1000)
    assert capacity.limit == 100


async def test_a_connection_that_has_left_makes_room_before_all_of_it_is_given_back() -> None:
    """What it followed is unfollowed by then, for which NATS may take seconds."""
    capacity = Capacity(limit=1)
    place = capacity.take_place("10.0.0.1", "10.0.0.1")
    with pytest.raises(web.HTTPServiceUnavailable):
        capacity.take_place("10.0.0.2", "10.0.0.2")
    place.leave()
    other = capacity.take_place("10.0.0.2", "10.0.0.2")
    place.give_back()
    place.give_back()
    with pytest.raises(web.HTTPServiceUnavailable):
        capacity.take_place("10.0.0.3", "10.0.0.3")
    other.give_back()
    capacity.take_place("10.0.0.3", "10.0.0.3")


async def test_behind_a_proxy_an_address_is_counted_until_all_is_given_back() -> None:
    capacity = Capacity(limit_per_address=1, proxies=TrustedProxies(["10.0.0.0/8"]))
    place = capacity.take_place("192.0.2.1", "10.0.0.1")
    place.leave()
    with pytest.raises(web.HTTPServiceUnavailable):
        capacity.take_place("192.0.2.1", "10.0.0.1")
    capacity.take_place("192.0.2.2", "10.0.0.1")
    place.give_back()
    capacity.take_place("192.0.2.1", "10.0.0.1").give_back()
