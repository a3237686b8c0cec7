"""Headers of the PROXY protocol: what is one, what it says, and who may send one."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.access.proxies import TrustedProxies
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.web.proxy_protocol import (
    MAX_V1_BYTES,
    UNKNOWN,
    V2,
    HeaderError,
    ProxyHeaders,
    feed,
    read_header,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SOURCE, TARGET = "203.0.113.9", "10.0.0.1"


def v2(
    source: str = SOURCE, *, command: int = 0x21, family: int = 0x11, more: bytes = b""
) -> bytes:
    """Return a header of version 2."""
    kind = socket.AF_INET6 if ":" in source else socket.AF_INET
    target = "2001:db8::1" if ":" in source else TARGET
    addresses = socket.inet_pton(kind, source) + socket.inet_pton(kind, target)
    body = addresses + struct.pack("!HH", 5555, 443) + more
    return V2 + bytes([command, family]) + struct.pack("!H", len(body)) + body


V1 = b"PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\n"
HEADERS = [
    (V1, SOURCE),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 5555 443\r\n", "2001:db8::9"),
    (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 5555 443\r\n", SOURCE),
    (b"PROXY UNKNOWN\r\n", UNKNOWN),
    (b"PROXY UNKNOWN ffff:ffff:ffff::ffff 1 2 3 what ever\r\n", UNKNOWN),
    (v2(), SOURCE),
    (v2("2001:db8::9", family=0x21), "2001:db8::9"),
    (v2(more=b"\x04\x00\x02hi" + b"\x20" * 400), SOURCE),
    (v2(command=0x20), None),
    (V2 + b"\x20\x00\x00\x00", None),
    (V2 + b"\x21\x00\x00\x00", UNKNOWN),
    (V2 + b"\x21\x12\x00\x0c" + bytes(12), UNKNOWN),
    (V2 + b"\x21\x31\x00\xd8" + b"/" * 216, UNKNOWN),
]


@pytest.mark.parametrize(("header", "source"), HEADERS)
def test_a_header_says_where_a_connection_comes_from(header: bytes, source: str | None) -> None:
    assert read_header(header) == (source, len(header))
    assert read_header(header + REQUEST) == (source, len(header))


@pytest.mark.parametrize(("header", "source"), HEADERS)
def test_a_header_is_waited_for_however_it_is_cut(header: bytes, source: str | None) -> None:
    for end in range(len(header)):
        assert read_header(header[:end]) is None, end


@pytest.mark.parametrize("data", [REQUEST, b"POST / ", b"PRI *", b"\x16\x03\x01", b"\r\nGET", b"x"])
def test_what_begins_otherwise_is_no_header(data: bytes) -> None:
    assert read_header(data) == (None, 0)


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY TCP4 x y 1 2\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        b"PROXY \r\n",
        b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 \xff 5.6.7.8 1 2\r\n",
        b"PROXY TCP4 " + b"1" * MAX_V1_BYTES,
        V2 + b"\x11\x11\x00\x0c" + bytes(12),
        V2 + b"\x21\x11\xff\xff",
        V2 + b"\x21\x11\x00\x04" + bytes(4),
        V2 + b"\x21\x21\x00\x0c" + bytes(12),
    ],
)
def test_a_header_that_makes_no_sense_is_told(data: bytes) -> None:
    with pytest.raises(HeaderError):
        read_header(data)


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda each: V2 + each)))
@example(V1[:6])
def test_nothing_that_comes_first_does_harm(data: bytes) -> None:
    try:
        found = read_header(data)
    except HeaderError:
        return
    assert found is None or found[1] <= len(data)


class Handler:
    """What is told of a connection, without one."""

    def __init__(self, address: str) -> None:
        self.address = address

    def comes_from(self, address: str) -> None:
        self.address = address


def take(*data: bytes, peer: str = "127.0.0.1", said: list[Any]) -> tuple[bytes | None, str]:
    """Return what is left of `data`, which came piece by piece, and where it comes from then."""
    throttled = ThrottledLog()
    throttled.tell = lambda event, **facts: said.append((event.name, facts))  # type: ignore[method-assign, misc, assignment]
    headers = ProxyHeaders(TrustedProxies(["127.0.0.1"]), throttled)
    handler: Any = Handler(peer)
    rest: bytes | None = None
    for end in range(len(data)):
        rest = headers.take(handler, b"".join(data[: end + 1]))
    return rest, handler.address


@pytest.mark.parametrize(("header", "source"), HEADERS)
def test_a_trusted_balancer_is_believed_and_its_header_taken(
    header: bytes, source: str | None
) -> None:
    said: list[Any] = []
    found = take(header[:3], header[3:] + REQUEST, said=said)
    assert found == (REQUEST, source or "127.0.0.1")
    assert said == []


def test_a_second_header_is_its_callers_and_stays() -> None:
    said: list[Any] = []
    rest, address = take(V1 + V1 + REQUEST, said=said)
    assert (rest, address) == (V1 + REQUEST, SOURCE)


@pytest.mark.parametrize("header", [V1, v2()])
def test_from_a_stranger_it_stays_and_is_told(header: bytes) -> None:
    said: list[Any] = []
    found = take(header + REQUEST, peer="127.0.0.2", said=said)
    assert found == (header + REQUEST, "127.0.0.2")
    ((event, facts),) = said
    assert event == "refused_proxy"
    assert "TRUSTED_PROXIES" in facts["reason"]


def test_one_that_makes_no_sense_stays_and_is_told() -> None:
    said: list[Any] = []
    assert take(b"PROXY TCP4\r\n" + REQUEST, said=said)[0] == b"PROXY TCP4\r\n" + REQUEST
    assert [event for event, _ in said] == ["refused_proxy"]


@given(st.binary(max_size=200), st.integers(1, 7))
def test_a_protocol_with_a_buffer_gets_all_in_order(data: bytes, size: int) -> None:
    got = bytearray()

    class Small(asyncio.BufferedProtocol):
        def get_buffer(self, sizehint: int) -> bytearray:
            self.buffer = bytearray(size)
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            got.extend(self.buffer[:nbytes])

    feed(Small(), data)
    assert bytes(got) == data
