"""Which web pages may connect, and why one may not."""

from __future__ import annotations

import socket

import pytest

from bridge.access import foreign_pages
from bridge.access.foreign_pages import likely_cause
from bridge.access.origins import (
    OriginPolicy,
    machine_names,
    origin_fault,
    parse_origin,
    without_userinfo,
)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://10.1.2.3:5001", True),
        ("HTTP://10.1.2.3:5001", True),
        ("https://10.1.2.3:5001", False),
        ("http://10.1.2.3", False),
        ("http://10.1.2.3:5001/path", False),
        ("http://me@10.1.2.3:5001", False),
        ("http://[::1", False),
        ("http://10.1.2.3:x", False),
        ("https://friend.example", True),
        ("https://FRIEND.example", True),
        ("https://friend.example:443", True),
        ("https://friend.example:444", False),
        ("ftp://friend.example", False),
        ("//friend.example", False),
        ("null", False),
        ("file://", False),
    ],
)
def test_origins_match_exactly_or_not_at_all(origin: str | None, allowed: bool) -> None:
    policy = OriginPolicy(["https://friend.example"])
    assert policy.allows(origin, "http", "10.1.2.3:5001") is allowed


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example.com", True),
        ("https://A.Example.COM", True),
        ("https://a.b.example.com", True),
        ("https://xn--mller-kva.example.com", True),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://a..example.com", False),
        ("https://*.example.com", False),
        ("https://aexample.com", False),
        ("https://a.example.com.evil.example", False),
        ("https://evil.example\\.example.com", False),
        ("https://evil.example/.example.com", False),
        ("https://evil.example#.example.com", False),
        ("https://evil.example?.example.com", False),
        ("https://evil@a.example.com", False),
        ("https://evil.example%00.example.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
        ("https://a.other.example:8443", True),
        ("https://a.other.example", False),
    ],
)
def test_a_pattern_stands_for_whole_labels_below_a_name(origin: str, allowed: bool) -> None:
    policy = OriginPolicy(["https://*.example.com", "https://*.other.example:8443"])
    assert policy.allows(origin, "http", "127.0.0.1:5001") is allowed


APPS = [
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://obsidian.md",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://8b1b4f1e-0c3d-4a6e-9a59-3f8f2d1c7a11",
    "safari-web-extension://0C2D6B7E-54A1-4A0C-9E5C-8D9B1F2A3C4D",
]


@pytest.mark.parametrize("origin", APPS)
def test_an_app_may_connect_if_it_is_named(origin: str) -> None:
    assert origin_fault(origin) == ""
    assert OriginPolicy([origin]).allows(origin, "http", "127.0.0.1")
    assert not OriginPolicy().allows(origin, "http", "127.0.0.1")
    for other in (origin.replace("://", "://x"), f"{origin}:1", f"https://{origin[-9:]}"):
        assert not OriginPolicy([origin]).allows(other, "http", "127.0.0.1"), other


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        ("null", "opened as a file"),
        ("NULL", "opened as a file"),
        ("file://", "opened as a file"),
        ("file:///home/me/page.html", "opened as a file"),
        ("*", "too wide, or no pattern"),
        ("https://*", "too wide, or no pattern"),
        ("https://*.com", "too wide, or no pattern"),
        ("https://*.*.com", "too wide, or no pattern"),
        ("https://a*.example.com", "too wide, or no pattern"),
        ("https://a.*.example.com", "too wide, or no pattern"),
        ("https://*.10.0.0.1", "too wide, or no pattern"),
        ("https://example.com:*", "too wide, or no pattern"),
        ("*://example.com", "too wide, or no pattern"),
        ("app://*.obsidian.md", "too wide, or no pattern"),
        ("wss://example.com", "the origin of a page has http or https"),
        ("ws://example.com:5001", "the origin of a page has http or https"),
        ("https://müller.example", "xn--"),
        ("example.com", "is not an origin such as https://example.com"),
        ("https://example.com/", "is not an origin such as https://example.com"),
        ("https://example.com;x", "is not an origin such as https://example.com"),
        ("https://", "is not an origin such as https://example.com"),
        ("https://me:planted-secret@example.com", "is not an origin such as https://example.com"),
    ],
)
def test_an_entry_that_can_stand_for_no_page_is_refused_with_a_sentence(
    origin: str, said: str
) -> None:
    fault = origin_fault(origin)
    assert said in fault
    assert "planted" not in fault
    assert "\n" not in fault


@pytest.mark.parametrize("origin", ["https://*.example.com:8443", "http://*.localhost"])
def test_a_pattern_is_taken(origin: str) -> None:
    assert origin_fault(origin) == ""


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:5001", True),
        ("[::1]:5001", True),
        ("10.1.2.3", True),
        ("localhost:5001", True),
        ("page.localhost:5001", True),
        ("notlocalhost", False),
        ("rebound.evil.example:5001", False),
        ("friend.example", True),
        # Anybody in the same network can answer for these: LLMNR, NetBIOS, mDNS, a search domain.
        ("devbox:5001", False),
        ("devbox", False),
        ("wpad:5001", False),
        ("ai", False),
        ("evil.local", False),
        ("localhost.", False),
        # Of this machine
        ("pi:5001", True),
        ("PI:5001", True),
        ("pi.lan", True),
        ("pi.evil.example", False),
    ],
)
def test_a_name_is_ours_only_if_nobody_else_can_answer_for_it(host: str, ours: bool) -> None:
    policy = OriginPolicy(["http://friend.example"], names=("pi", "pi.lan"))
    assert policy.allows(f"http://{host}", "http", host) is ours


@pytest.mark.parametrize(
    ("origin", "proxied", "ours"),
    [
        ("https://devbox", False, True),
        ("https://devbox:5001", False, True),
        ("https://devbox:8443", True, True),
        ("http://devbox", True, True),
        ("http://devbox", False, False),
        ("http://devbox:8080", True, False),
        ("https://evil.example", True, False),
        ("http://evil.example", True, False),
    ],
)
def test_a_name_without_dots_is_proved_by_a_certificate_or_a_proxy(
    origin: str, proxied: bool, ours: bool
) -> None:
    scheme, _, host = origin.partition("://")
    assert OriginPolicy(names=()).allows(origin, scheme, host, proxied=proxied) is ours


def test_the_names_of_this_machine_are_its_own() -> None:
    name = socket.gethostname().lower()
    assert {name, name.partition(".")[0]} == machine_names()
    assert OriginPolicy().allows(f"http://{name}:5001", "http", f"{name}:5001")


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://example.com", "https://example.com"),
        ("https://me:planted@example.com", "https://…@example.com"),
        ("https://me:planted@planted@example.com", "https://…@example.com"),
        ("https://me:pl/anted@example.com", "https://…@example.com"),
        ("me:planted@example.com", "…@example.com"),
        ("http://x\nhttps://me:planted@example.com", "http://…@example.com"),
        ("", ""),
    ],
)
def test_a_user_and_a_password_in_an_origin_are_not_shown(origin: str, shown: str) -> None:
    assert without_userinfo(origin) == shown


@pytest.mark.parametrize(
    ("origin", "own", "trusted", "forwarded", "cause"),
    [
        ("https://devbox:8443", "https://devbox", True, True, foreign_pages.PORT_DROPPED),
        ("http://devbox:8080", "http://devbox", False, False, foreign_pages.PORT_DROPPED),
        ("https://devbox", "http://devbox", False, False, foreign_pages.TLS_ENDS),
        ("https://devbox:8443", "http://devbox:8443", False, True, foreign_pages.TLS_ENDS),
        ("https://devbox", "http://devbox", True, False, foreign_pages.SCHEME_UNSAID),
        ("https://a.example", "http://127.0.0.1:5001", False, True, foreign_pages.NOT_TRUSTED),
        ("https://a.example", "https://a.example", True, True, foreign_pages.ONLY_A_NAME),
        ("http://wpad:5001", "http://wpad:5001", False, False, foreign_pages.ONLY_A_NAME),
        ("https://a.example", "http://127.0.0.1:5001", False, False, foreign_pages.ADD_IT),
        ("http://127.0.0.1:3000", "http://127.0.0.1:5001", False, False, foreign_pages.ADD_IT),
        ("null", "http://127.0.0.1:5001", False, False, foreign_pages.NO_HOME),
        ("file://", "http://127.0.0.1:5001", False, False, foreign_pages.NO_HOME),
        ("", "http://127.0.0.1:5001", False, False, foreign_pages.ADD_IT),
        ("http://[::1", "http://", False, False, foreign_pages.ADD_IT),
    ],
)
def test_the_likely_cause_says_what_to_change(
    origin: str, own: str, trusted: bool, forwarded: bool, cause: str
) -> None:
    assert likely_cause(origin, own, trusted=trusted, forwarded=forwarded) == cause


def test_an_origin_is_compared_without_its_default_port() -> None:
    assert parse_origin("HTTPS://Example.com") == parse_origin("https://example.com:443")
    assert parse_origin("app://obsidian.md") == ("app", "obsidian.md", None)
