"""Overlapping patterns that come and go under load, with a real nats-server."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running

pytestmark = pytest.mark.load
PUBLISHERS = 4
SECONDS, ENOUGH_CHANGES, AT_MOST = 6, 30, 60
"""Seconds that a storm lasts, or as long as that many changes take, within so many seconds."""
MOST_UNREAD = 10_000
"""Messages; a machine that cannot read so many a second has a storm of as many as it can."""
BURST, EVERY = 50, 0.01
"""Messages that a publisher sends at a time, and seconds between: 20,000 a second of all four."""
CHANGE_EVERY = 0.0025
"""Seconds between two changes, or until the gateway has answered if that takes longer."""


class Publisher(Thread):
    """Publishes numbered messages, or such as are all alike."""

    def __init__(self, port: int, number: int, got: list[str], *, alike: bool) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.sent = 0
        self.begin, self.enough = Event(), Event()
        self._port = port
        self._got = got
        self._alike = alike

    def run(self) -> None:
        with RawNats(self._port) as client:
            self.begin.wait()
            started = time.monotonic()
            while (now := time.monotonic() - started) < AT_MOST:
                if now >= SECONDS and self.enough.is_set():
                    break
                if PUBLISHERS * self.sent - len(self._got) < MOST_UNREAD:
                    client.send(b"".join(self._command() for _ in range(BURST)))
                time.sleep(EVERY)

    def _command(self) -> bytes:
        self.sent += 1
        payload = b"7" if self._alike else b"[%d,%d]" % (self.number, self.sent)
        return RawNats.command(b"load.a", payload)


async def toggle(
    browser: Browser, responded: asyncio.Queue[None], publishers: list[Publisher]
) -> int:
    """Leave and join one pattern after the other until cancelled; return how often."""
    changes = 0
    try:
        while True:
            for pattern in ("load.*", "load.a"):
                for action in ("unsubscribe", "subscribe"):
                    began = time.monotonic()
                    await browser.send({"subjects": [pattern], "action": action})
                    await responded.get()
                    changes += 1
                    if changes == ENOUGH_CHANGES:
                        for publisher in publishers:
                            publisher.enough.set()
                    await asyncio.sleep(began + CHANGE_EVERY - time.monotonic())
    except asyncio.CancelledError:
        return changes


@pytest.mark.parametrize(
    "alike",
    [
        pytest.param(True, id="alike"),
        pytest.param(False, id="numbered", marks=pytest.mark.long),
        *(pytest.param(True, id=f"alike-{n}", marks=pytest.mark.long) for n in range(10)),
    ],
)
async def test_in_a_storm_of_joins_and_leaves_each_message_comes_once(
    alike: bool, nats_server: NatsServer, log: Path
) -> None:
    limits = {"requests_per_second": 100_000, "request_burst": 100_000}
    service = Gateway(nats_server.url, log=log, max_pending_bytes=100_000_000, **limits)
    got: list[str] = []
    publishers = [Publisher(nats_server.port, n, got, alike=alike) for n in range(PUBLISHERS)]
    with running(service):
        async with Browser(service.stream + "?batch=1", ping_interval=None) as browser:
            await browser.subscribe("load.*", "load.a")
            for publisher in publishers:
                publisher.start()
            await asyncio.sleep(0.5)
            responded: asyncio.Queue[None] = asyncio.Queue()
            toggling = asyncio.create_task(toggle(browser, responded, publishers))
            for publisher in publishers:
                publisher.begin.set()
            quiet = 0
            while quiet < 3:
                try:
                    async with asyncio.timeout(1):
                        lines = str(await browser.ws.recv()).split("\n")
                except TimeoutError:
                    quiet += not any(each.is_alive() for each in publishers)
                    continue
                for line in lines:
                    if line.startswith('{"subject"'):
                        got.append(line)
                    elif '"success":true' in line:
                        responded.put_nowait(None)
                    elif '"nats_down"' not in line:  # it is asked for again, and then answered
                        pytest.fail(line)
                if not any(each.is_alive() for each in publishers):
                    toggling.cancel()
            toggling.cancel()
            changes = await toggling
    sent = sum(publisher.sent for publisher in publishers)
    assert len(got) == sent
    assert changes >= ENOUGH_CHANGES, "there was no storm"
    if not alike:
        numbered = [tuple(json.loads(line)["data"]) for line in got]
        assert max(Counter(numbered).values()) == 1
        for publisher in publishers:
            its = [number for who, number in numbered if who == publisher.number]
            assert its == sorted(its)
