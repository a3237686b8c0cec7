"""Finding a host: what a DNS server that does not answer holds up, and what not."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time

import pytest

from bridge.web.resolver import Resolver
from tests.support.servers import ROOT


async def test_a_host_has_its_addresses() -> None:
    resolver = Resolver()
    found = await resolver.resolve("localhost", 443)
    assert {"127.0.0.1", "::1"} >= {each["host"] for each in found} != set()
    assert {each["port"] for each in found} == {443}
    (only,) = await resolver.resolve("127.0.0.1", 80, socket.AF_INET)
    assert (only["host"], only["family"]) == ("127.0.0.1", socket.AF_INET)
    with pytest.raises(OSError):
        await resolver.resolve("nowhere.invalid", 443)
    await resolver.close()


PROGRAM = """
import asyncio, socket, time
from bridge.web.resolver import Resolver
socket.getaddrinfo = lambda *_: time.sleep(30)

async def main():
    try:
        async with asyncio.timeout(0.2):
            await Resolver().resolve("slow.example.com", 443)
    except TimeoutError:
        print("given up", flush=True)

asyncio.run(main())
"""


def test_a_lookup_that_hangs_is_given_up_and_holds_up_no_end() -> None:
    begun = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "given up\n", "")
    assert time.monotonic() - begun < 20


async def test_what_comes_too_late_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    reports: list[object] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: time.sleep(0.2))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await Resolver().resolve("slow.example.com", 443)
    await asyncio.sleep(0.3)
    assert reports == []
