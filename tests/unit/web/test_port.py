"""Which addresses a host stands for, where the page is, and why a port cannot be had."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections import Counter
from typing import Any

import pytest

from bridge.web import listener, port
from bridge.web.listener import IN_A_CONTAINER, ON_A_MACHINE, page_url
from bridge.web.port import bind
from tests.support.ports import free_port

EVERY_ADDRESS = ["0.0.0.0", "::"]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="IPv6 is switched off")


async def reached_by(host: str) -> set[str]:
    """Return which of two addresses lead to a server on `host`."""
    number = free_port()
    server = await bind(asyncio.Protocol, host, number)
    reached = set()
    for address in ("127.0.0.1", "::1"):
        try:
            _, writer = await asyncio.open_connection(address, number)
        except OSError:
            continue
        writer.close()
        reached.add(address)
    server.close()
    return reached


async def test_of_a_crowd_few_are_taken_at_once_and_all_in_the_end() -> None:
    turn, taken = 0, Counter[int]()

    def take() -> asyncio.Protocol:
        taken[turn] += 1
        return asyncio.Protocol()

    number, crowd = free_port(), 10 * port.TAKEN_AT_ONCE
    server = await bind(take, "127.0.0.1", number)
    with contextlib.ExitStack() as stack:
        for _ in range(crowd):  # the system holds them, since nothing takes them meanwhile
            stack.enter_context(socket.create_connection(("127.0.0.1", number), 20))
        while taken.total() < crowd:
            await asyncio.sleep(0)
            turn += 1
    server.close()
    assert max(taken.values()) <= port.TAKEN_AT_ONCE + 1  # asyncio takes one more, or not


async def test_the_system_holds_no_more_for_a_connection_than_was_set() -> None:
    taken: asyncio.Queue[int] = asyncio.Queue()

    class Taking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.put_nowait(size_of(transport.get_extra_info("socket")))

    def size_of(sock: Any) -> int:
        size: int = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        return size

    number = free_port()
    server = await bind(Taking, "127.0.0.1", number)
    with socket.create_connection(("127.0.0.1", number)), socket.socket() as alike:
        alike.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, port.SEND_BUFFER_BYTES)
        assert await taken.get() == size_of(alike)
    server.close()


@ipv6
@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", {"127.0.0.1"}),
        ("0.0.0.0", {"127.0.0.1"}),
        ("::1", {"::1"}),
        ("::", {"127.0.0.1", "::1"}),
    ],
)
async def test_it_listens_where_it_is_told(host: str, addresses: set[str]) -> None:
    assert await reached_by(host) == addresses


async def test_localhost_is_this_machine_alone() -> None:
    assert "127.0.0.1" in await reached_by("localhost")
    server = await bind(asyncio.Protocol, "localhost", free_port())
    assert {sock.getsockname()[0] for sock in server.sockets} <= {"127.0.0.1", "::1"}
    server.close()


def resolves_to(*addresses: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name stand for `addresses`, as the system does for some."""
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def resolved(host: str, *args: Any, **options: Any) -> list[Any]:
        hosts = addresses if host == "a.name" else (host,)
        return [info for each in hosts for info in await real(each, *args, **options)]

    monkeypatch.setattr(loop, "getaddrinfo", resolved)


@pytest.mark.parametrize("missing", ["192.0.2.1", pytest.param("2001:db8::1", marks=ipv6)])
async def test_an_address_of_a_name_that_is_not_there_costs_nobody_the_others(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where IPv6 is switched off, `localhost` mostly stands for ::1 all the same."""
    resolves_to(missing, "127.0.0.1", monkeypatch=monkeypatch)
    assert await reached_by("a.name") == {"127.0.0.1"}


async def test_a_system_without_ipv6_is_listened_to_on_all_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = socket.socket

    def without(family: int = socket.AF_INET, *args: Any, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return real(family, *args, **options)

    monkeypatch.setattr(port.socket, "socket", without)
    assert await port._addresses("::") == ["0.0.0.0"]


async def refusal(host: str, number: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a start ends with."""
    with pytest.raises(SystemExit) as ended:
        await bind(asyncio.Protocol, host, number)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    "host",
    ["192.0.2.1", "2001:db8::1", "eth0", "a..b", "x" * 300, "no.such.host.invalid"],
)
async def test_what_is_no_address_of_this_machine_is_answered_with_what_is_one(
    host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    line = await refusal(host, free_port(), capsys)
    assert line.startswith(f"HTTP_HOST: {host} is no address of this machine, and no name for one")
    assert "0.0.0.0 is every address of IPv4, :: every one" in line


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::", "localhost"])
async def test_a_port_that_is_taken_is_named(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        line = await refusal(host, number, capsys)
    assert line == f"HTTP_PORT: {number} is in use on {host}; set another one"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
async def test_a_port_that_needs_a_right_is_named_with_the_cure(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def denied(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", denied)
    line = await refusal("127.0.0.1", 80, capsys)
    assert line.startswith("HTTP_PORT: 80 is for processes with CAP_NET_BIND_SERVICE")
    assert "set a port above 1023" in line
    # A policy of the system, such as SELinux, may deny others, for reasons of its own.
    line = await refusal("127.0.0.1", 8080, capsys)
    assert line == f"HTTP_HOST: cannot listen on 127.0.0.1:8080: {os.strerror(number)}"


@pytest.mark.parametrize(
    ("host", "addresses", "url"),
    [
        ("127.0.0.1", ["127.0.0.1"], "http://127.0.0.1:5001/"),
        ("::1", ["::1"], "http://[::1]:5001/"),
        ("localhost", ["::1", "127.0.0.1"], "http://localhost:5001/"),
        ("devbox", ["10.0.0.7"], "http://devbox:5001/"),
        ("fe80::1%eth0", ["fe80::1%eth0"], "http://[fe80::1%25eth0]:5001/"),
    ],
)
def test_the_page_is_where_it_was_put(host: str, addresses: list[str], url: str) -> None:
    assert page_url(host, addresses, 5001, "http") == (url, "")


@pytest.mark.parametrize(
    ("host", "addresses", "url"),
    [
        ("0.0.0.0", ["0.0.0.0"], "https://127.0.0.1:5001/"),
        ("0", ["0.0.0.0"], "https://127.0.0.1:5001/"),
        ("::", EVERY_ADDRESS, "https://127.0.0.1:5001/"),
        ("::", ["::"], "https://[::1]:5001/"),
    ],
)
@pytest.mark.parametrize(("contained", "note"), [(False, ON_A_MACHINE), (True, IN_A_CONTAINER)])
def test_of_every_address_one_is_shown_and_the_others_are_told(
    host: str,
    addresses: list[str],
    url: str,
    contained: bool,
    note: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "in_container", lambda: contained)
    assert page_url(host, addresses, 5001, "https") == (url, note)
