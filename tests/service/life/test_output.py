"""Standard output and error that do not take what is written to them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.servers import Gateway, NatsServer, http, running
from tests.timing import within


@pytest.fixture(params=["a pipe that nobody reads", "a full disk"])
def unwritable(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file to which nothing can be written: one that blocks, or one that refuses."""
    if request.param == "a full disk":
        return Path("/dev/full")
    fifo = tmp_path / "output"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    request.addfinalizer(lambda: os.close(reader))
    writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(writer, b"x" * 512)
    except BlockingIOError:
        os.close(writer)
    return fifo


async def test_the_service_does_not_notice(
    nats_server: NatsServer, unwritable: Path, publish: Callable[[str, bytes], None]
) -> None:
    with running(Gateway(nats_server.url, log=unwritable, log_level="debug")) as service:
        # More connections than lines wait: each says that it was opened and closed.
        for _ in range(1100):
            async with Browser(service.stream):
                pass
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            publish("a", b"1")
            assert await browser.next() == {"subject": "a", "data": 1}
        with within(8, "stop with output that nobody takes"):
            assert service.stop() == 0


async def test_lines_that_were_lost_are_counted(nats_server: NatsServer, tmp_path: Path) -> None:
    fifo = tmp_path / "output"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with running(Gateway(nats_server.url, log=fifo)) as service:
        for _ in range(1500):
            async with Browser(service.stream):
                pass
        text = b""
        deadline = time.monotonic() + 20
        while b" lines were lost" not in text and time.monotonic() < deadline:
            try:
                text += os.read(reader, 65536)
            except BlockingIOError:
                time.sleep(0.01)
        assert b" lines were lost" in text
    os.close(reader)


async def test_what_people_send_each_other_is_in_no_log_and_no_figure(
    nats_server: NatsServer, log: Path, publish: Callable[[str, bytes], None]
) -> None:
    with running(Gateway(nats_server.url, log=log, log_level="debug")) as service:
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            publish("a", b"planted payload")
            assert (await browser.next())["data"] == "planted payload"
            await browser.send("planted payload")
            assert "planted" not in await browser.frame()
        assert "planted" not in http(f"{service.url}/metrics")[1]
        assert service.stop() == 0
    assert "planted" not in log.read_text()
