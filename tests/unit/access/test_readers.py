"""Who may read by a plain GET, in which a browser need not say which page asks."""

from __future__ import annotations

import pytest

from bridge.access.origins import OriginPolicy
from bridge.access.readers import ANY_NAME, FOREIGN, TWO_NAMES, reader_fault

ORIGINS = OriginPolicy(["https://friend.example", "https://*.below.example"], names=["box"])
BROWSER = {"Accept-Language": "en"}


def fault(headers: dict[str, str], host: str, scheme: str = "http", **how: bool) -> str:
    how = {"proxied": False, "has_token": False} | how
    return reader_fault({"Host": host} | headers, ORIGINS, scheme, host, **how)


@pytest.mark.parametrize(
    ("host", "of_browsers", "of_programs"),
    [
        ("127.0.0.1:5001", True, True),
        ("[::1]:5001", True, True),
        ("10.1.2.3", True, True),
        ("localhost:5001", True, True),
        ("app.localhost", True, True),
        ("box:5001", True, True),
        ("friend.example", True, True),
        ("FRIEND.example:5001", True, True),
        ("a.below.example", True, True),
        ("below.example", False, False),
        ("gateway:5001", False, True),
        ("evil.example", False, False),
        ("evil.friend.example", False, False),
        ("evil.local", False, False),
        ("127.0.0.1.evil.example", False, False),
        ("localhost.evil.example", False, False),
        ("", False, False),
        ("evil.example/127.0.0.1", False, False),
        ("127.0.0.1@evil.example", False, False),
    ],
)
def test_a_name_alone_tells_a_page_of_ours_from_one_that_was_pointed_here(
    host: str, of_browsers: bool, of_programs: bool
) -> None:
    assert fault(BROWSER, host) == ("" if of_browsers else ANY_NAME)
    assert fault({}, host) == ("" if of_programs else ANY_NAME)
    assert fault(BROWSER, host, has_token=True) == ""


def test_a_certificate_or_a_trusted_proxy_proves_a_name_without_dots() -> None:
    assert fault(BROWSER, "gateway", "https") == ""
    assert fault(BROWSER, "gateway", proxied=True) == ""
    assert fault(BROWSER, "gateway:81", proxied=True) == ANY_NAME


@pytest.mark.parametrize(
    ("came_as", "told"),
    [
        ("friend.example", ""),
        ("127.0.0.1:5001", ""),
        ("gateway:5001", ""),
        ("evil.example", TWO_NAMES),
        ("gateway.evil.example:5001", TWO_NAMES),
    ],
)
def test_what_a_proxy_says_opens_no_name_that_was_pointed_at_the_proxy(
    came_as: str, told: str
) -> None:
    for said in ("127.0.0.1", "localhost", "friend.example"):
        assert fault(BROWSER | {"Host": came_as}, said, proxied=True) == told
    assert fault(BROWSER | {"Host": came_as}, "evil.example", proxied=True) == ANY_NAME
    assert fault(BROWSER | {"Host": came_as}, "localhost", proxied=True, has_token=True) == ""


@pytest.mark.parametrize("site", ["cross-site", "same-site", "Cross-Site"])
def test_what_is_for_another_site_is_refused_unless_its_origin_was_judged(site: str) -> None:
    headers = {"Sec-Fetch-Site": site}
    assert fault(headers, "127.0.0.1") == FOREIGN
    assert fault(headers, "127.0.0.1", has_token=True) == FOREIGN
    assert fault(headers | {"Origin": "https://friend.example"}, "nats.example") == ""


def test_what_names_no_host_is_no_browser() -> None:
    how = {"proxied": False, "has_token": False}
    assert reader_fault({}, ORIGINS, "http", "evil.example", **how) == ""
