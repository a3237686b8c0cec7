"""Whose word about a request counts."""

from __future__ import annotations

import pytest
from multidict import CIMultiDict

from bridge.access.addresses import parse_address
from bridge.access.proxies import Caller, TrustedProxies

PROXIES = TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])
PROXY, STRANGER = "10.1.2.3", "203.0.113.9"
FOR, PROTO, HOST = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"
PORT = "X-Forwarded-Port"


@pytest.mark.parametrize(
    ("peer", "headers", "address", "scheme", "host"),
    [
        (STRANGER, {}, STRANGER, "http", "inner"),
        (STRANGER, {FOR: "1.1.1.1", PROTO: "https", HOST: "x"}, STRANGER, "http", "inner"),
        (STRANGER, {"Forwarded": "for=1.1.1.1;proto=https"}, STRANGER, "http", "inner"),
        ("192.0.2.8", {FOR: "1.1.1.1"}, "192.0.2.8", "http", "inner"),
        (PROXY, {}, "10.1.2.3", "http", "inner"),
        (PROXY, {FOR: "1.1.1.1"}, "1.1.1.1", "http", "inner"),
        ("192.0.2.7", {FOR: "1.1.1.1", PROTO: "HTTPS", HOST: "a:8"}, "1.1.1.1", "https", "a:8"),
        ("::ffff:10.1.2.3", {FOR: "1.1.1.1:4711"}, "1.1.1.1", "http", "inner"),
        ("2001:db8::1", {FOR: "[2001:5::2]:4711"}, "2001:5::2", "http", "inner"),
        # What the caller itself wrote stands before what the proxy added.
        (PROXY, {FOR: "10.9.9.9, 6.6.6.6, 1.1.1.1"}, "1.1.1.1", "http", "inner"),
        (PROXY, {FOR: "6.6.6.6, 1.1.1.1, 10.0.0.2"}, "1.1.1.1", "http", "inner"),
        (PROXY, {FOR: "10.0.0.4, 10.0.0.2"}, "10.0.0.4", "http", "inner"),
        (PROXY, {PROTO: "http, https", HOST: "evil.example, outer"}, "10.1.2.3", "https", "outer"),
        (PROXY, {FOR: "1.1.1.1, unknown"}, "10.1.2.3", "http", "inner"),
        (PROXY, {FOR: "1.1.1.1, _hidden, 10.0.0.2"}, "10.0.0.2", "http", "inner"),
        (PROXY, {FOR: ", ,"}, "10.1.2.3", "http", "inner"),
        # The scheme of the WebSocket is that of its page.
        (PROXY, {PROTO: "wss"}, "10.1.2.3", "https", "inner"),
        (PROXY, {PROTO: "WSS", HOST: "a"}, "10.1.2.3", "https", "a"),
        (PROXY, {PROTO: "Ws"}, "10.1.2.3", "http", "inner"),
        (PROXY, {PROTO: "https, wss"}, "10.1.2.3", "https", "inner"),
        (PROXY, {PROTO: "wsss"}, "10.1.2.3", "wsss", "inner"),
        (PROXY, {PROTO: "ftp"}, "10.1.2.3", "ftp", "inner"),
        (STRANGER, {PROTO: "wss"}, STRANGER, "http", "inner"),
        # The port counts where the host has none.
        (PROXY, {PROTO: "https", PORT: "8443"}, "10.1.2.3", "https", "inner:8443"),
        (PROXY, {PROTO: "https", HOST: "a", PORT: "8443"}, "10.1.2.3", "https", "a:8443"),
        (PROXY, {PROTO: "https", HOST: "a:1", PORT: "8443"}, "10.1.2.3", "https", "a:1"),
        (PROXY, {PROTO: "wss", HOST: "[::1]", PORT: "8443"}, "10.1.2.3", "https", "[::1]:8443"),
        (PROXY, {HOST: "[::1]:1", PORT: "8443"}, "10.1.2.3", "http", "[::1]:1"),
        (PROXY, {PORT: "8080"}, "10.1.2.3", "http", "inner:8080"),
        (PROXY, {PROTO: "https", PORT: "443"}, "10.1.2.3", "https", "inner:443"),
        (PROXY, {PORT: "1, 8080"}, "10.1.2.3", "http", "inner:8080"),
        # Of a listener behind the one that ended TLS: nobody serves https on port 80.
        (PROXY, {PROTO: "https", PORT: "80"}, "10.1.2.3", "https", "inner"),
        (PROXY, {PROTO: "http", PORT: "443"}, "10.1.2.3", "http", "inner"),
        *((PROXY, {PORT: port}, "10.1.2.3", "http", "inner") for port in (
            "", "0", "65536", "99999", "-1", "8e3", "80a", "@evil.example", "٨٠")),
        (STRANGER, {PORT: "8443"}, STRANGER, "http", "inner"),
        (PROXY, {PORT: "8443", "Forwarded": "proto=https"}, "10.1.2.3", "https", "inner"),
        (PROXY, {"X-Forwarded-Prefix": "//evil.example"}, "10.1.2.3", "http", "inner"),
        # RFC 7239
        (PROXY, {"Forwarded": "for=1.1.1.1;proto=https;host=outer"}, "1.1.1.1", "https", "outer"),
        (PROXY, {"Forwarded": 'For="[2001:5::2]:1"; Proto=https'}, "2001:5::2", "https", "inner"),
        (
            PROXY,
            {"Forwarded": "for=6.6.6.6;host=evil.example, for=1.1.1.1;proto=https, for=10.0.0.2"},
            *("1.1.1.1", "https", "inner"),
        ),
        (PROXY, {"Forwarded": "nonsense;=;for"}, "10.1.2.3", "http", "inner"),
        (PROXY, {"Forwarded": "for=1.1.1.1;proto=WSS;host=a"}, "1.1.1.1", "https", "a"),
        (PROXY, {"Forwarded": "for=1.1.1.1;proto=ws"}, "1.1.1.1", "http", "inner"),
        # A proxy writes one kind: the other kind is its caller's, and nobody knows which is which.
        (PROXY, {FOR: "1.1.1.1", "Forwarded": "for=6.6.6.6"}, "10.1.2.3", "http", "inner"),
        ("", {FOR: "1.1.1.1"}, "", "http", "inner"),
    ],
)  # fmt: skip
def test_only_what_a_trusted_proxy_added_counts(
    peer: str, headers: dict[str, str], address: str, scheme: str, host: str
) -> None:
    assert PROXIES.caller(peer, "http", "inner", CIMultiDict(headers)) == Caller(
        address, scheme, host
    )


def test_without_proxies_nothing_is_believed() -> None:
    headers = CIMultiDict({FOR: "1.1.1.1", HOST: "outer"})
    caller = TrustedProxies().caller("127.0.0.1", "http", "inner", headers)
    assert caller == Caller("127.0.0.1", "http", "inner")


def test_lines_of_one_header_are_one_list_in_any_case() -> None:
    headers = CIMultiDict([("x-forwarded-for", "6.6.6.6"), ("X-FORWARDED-FOR", "1.1.1.1")])
    assert PROXIES.caller(PROXY, "http", "inner", headers).address == "1.1.1.1"


@pytest.mark.parametrize("text", ["", "unknown", "1.2.3", "1.2.3.4.5:1", "[::1", "example.com"])
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None
