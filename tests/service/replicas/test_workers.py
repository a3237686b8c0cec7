"""WORKERS=2: processes that share a port under one parent."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.service.browsers.test_post import post
from tests.service.life.test_terminal import Terminal
from tests.support.browser_client import Browser
from tests.support.ports import default_port
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, running, until

ENOUGH = 24
"""Connections of which surely not all come to the same worker."""


@contextmanager
def started(nats_server: NatsServer, log: Path) -> Iterator[Gateway]:
    with running(Gateway(nats_server.url, log=log, cold=True, workers=2)) as service:
        until(lambda: sum(map(listens, workers_of(service))) == 2)
        yield service


@pytest.fixture
def pair(nats_server: NatsServer, log: Path) -> Iterator[Gateway]:
    """Two workers, for a test that ends one of them or both."""
    with started(nats_server, log) as service:
        yield service


@pytest.fixture(scope="module")
def lasting_pair(
    nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """Two workers, for tests that leave them as they were."""
    with started(nats_server, tmp_path_factory.mktemp("workers") / "log") as service:
        yield service


def workers_of(service: Gateway) -> list[psutil.Process]:
    return service.ps().children()


def listens(process: psutil.Process) -> bool:
    return any(each.status == psutil.CONN_LISTEN for each in process.net_connections())


async def browsers(service: Gateway, stack: AsyncExitStack) -> dict[str, list[Browser]]:
    """Connect to every worker; return the connections by the name of their replica."""
    found: dict[str, list[Browser]] = {}
    for _ in range(ENOUGH):
        browser = await stack.enter_async_context(Browser(service.stream))
        found.setdefault(browser.connection_id[:8], []).append(browser)
    assert len(found) == 2, found
    return found


async def message(browser: Browser) -> Any:
    """Return the next message; a busy machine may look like an outage of NATS for a moment."""
    while "status" in (line := await browser.next()):
        pass
    return line


async def test_workers_share_the_port_and_each_gets_every_message(
    lasting_pair: Gateway, raw_nats: RawNats
) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(lasting_pair, stack)
        everyone = [browser for some in by_worker.values() for browser in some]
        for browser in everyone:
            request = {"connection_id": browser.connection_id, "subjects": ["to.all"]}
            assert (await post(lasting_pair, request))[0] == 200  # whichever worker it came to
        raw_nats.publish("to.all", b"1")
        for browser in everyone:
            assert await message(browser) == {"subject": "to.all", "data": 1}
            await browser.quiet()


async def test_test_messages_come_once(nats_server: NatsServer, log: Path) -> None:
    service = Gateway(nats_server.url, log=log, cold=True, workers=2, publish_test_messages=True)
    with running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe_at_last("test.subject")
            loop = asyncio.get_running_loop()
            await message(browser)
            began = loop.time()
            for _ in range(3):
                await message(browser)
            assert loop.time() - began > 2.5


async def test_without_a_nats_url_workers_publish_test_messages(log: Path) -> None:
    service = Gateway(None, log=log, cold=True, workers=2, publish_test_messages=None)
    with default_port(), running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe_at_last("test.subject")
            while "data" not in await browser.next():
                pass


async def test_a_worker_that_dies_is_started_again_and_others_do_not_notice(
    pair: Gateway, raw_nats: RawNats
) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(pair, stack)
        before = workers_of(pair)
        before[0].kill()
        lost = await lost_of(by_worker)
        (kept,) = set(by_worker) - {lost}
        for browser in by_worker[kept]:
            await browser.subscribe_at_last("to.those.who.stay")
        raw_nats.publish("to.those.who.stay", b"1")
        for browser in by_worker[kept]:
            assert await browser.next() == {"subject": "to.those.who.stay", "data": 1}
        await eventually(lambda: len(workers_of(pair)) == 2)
        await eventually(
            lambda: "ended with signal 9, and is started again after 1.0 s" in pair.output()
        )
        names: Counter[str] = Counter()
        while len(names) < 2:  # of both, one of them new
            async with Browser(pair.stream) as browser:
                names[browser.connection_id[:8]] += 1
        assert lost not in names


async def lost_of(by_worker: dict[str, list[Browser]]) -> str:
    """Return the replica all of whose connections end."""

    async def ended(name: str) -> str:
        for browser in by_worker[name]:
            await browser.closed()
        return name

    tasks = [asyncio.create_task(ended(name)) for name in by_worker]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_one_signal_stops_all(pair: Gateway, number: int) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(pair, stack)
        children = workers_of(pair)
        assert await asyncio.to_thread(pair.stop, number) == 0
        for browser in (browser for some in by_worker.values() for browser in some):
            assert await browser.closed() == 1012
    assert not any(child.is_running() for child in children)


async def test_workers_stop_when_their_parent_is_killed(pair: Gateway) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(pair, stack)
        children = workers_of(pair)
        pair.stop(signal.SIGKILL)
        for browser in (browser for some in by_worker.values() for browser in some):
            assert await browser.closed() == 1012
    await eventually(lambda: not any(child.is_running() for child in children))


@default_port()
def test_the_port_of_other_workers_is_not_shared(lasting_pair: Gateway, log: Path) -> None:
    second = Gateway(None, log=log, cold=True, workers=2, http_port=lasting_pair.port)
    second.launch()
    assert second.wait() == 2
    assert second.output().endswith(
        f"HTTP_PORT: {lasting_pair.port} is in use on 127.0.0.1; set another one\n"
    )


def test_a_setting_that_no_worker_can_start_with_ends_all(
    nats_server: NatsServer, log: Path
) -> None:
    service = Gateway(
        nats_server.url, log=log, cold=True, program="tests/programs/with_a_wrong_worker.py"
    )
    service.launch()
    assert service.wait() == 2


def test_a_setting_that_went_wrong_later_costs_no_other_worker(pair: Gateway, log: Path) -> None:
    dead, alive = workers_of(pair)
    (log.parent / ".env").write_text("HTTP_HOST=no.such.host.example\n")
    dead.kill()
    until(lambda: "ended with status 2, and is started again after 2.0 s" in pair.output())
    assert alive.is_running() and listens(alive)
    (log.parent / ".env").unlink()
    until(lambda: sum(map(listens, workers_of(pair))) == 2)
    assert alive in workers_of(pair)


def test_a_worker_that_cannot_be_started_now_is_started_later(pair: Gateway) -> None:
    dead, alive = workers_of(pair)
    soft, hard = pair.ps().rlimit(psutil.RLIMIT_NOFILE)
    pair.ps().rlimit(psutil.RLIMIT_NOFILE, (5, hard))
    dead.kill()
    until(lambda: "cannot be started: Too many open files" in pair.output())
    pair.ps().rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
    until(lambda: sum(map(listens, workers_of(pair))) == 2)
    assert alive in workers_of(pair)


async def test_ctrl_c_stops_all_in_an_orderly_way(pair: Gateway) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(pair, stack)
        process, pair.process = pair.process, None
        assert process is not None
        while process.poll() is None:  # as somebody does who is in a hurry
            os.killpg(process.pid, signal.SIGINT)
            await asyncio.sleep(0.001)
        assert process.returncode == 0
        for browser in (browser for some in by_worker.values() for browser in some):
            assert await browser.closed() == 1012
    assert "Traceback" not in pair.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_workers_start_is_a_stop(
    nats_server: NatsServer, log: Path, number: int
) -> None:
    service = Gateway(nats_server.url, log=log, cold=True, workers=2)
    service.launch()
    process, children = service.process, until(lambda: workers_of(service))
    assert process is not None
    os.killpg(process.pid, number)
    assert service.wait() == 0
    service.process = None
    assert not any(child.is_running() for child in children)


async def test_a_signal_for_a_certificate_that_is_not_there_harms_nobody(
    lasting_pair: Gateway,
) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(lasting_pair, stack)
        for worker in workers_of(lasting_pair):
            worker.send_signal(signal.SIGHUP)
        for browser in (browser for some in by_worker.values() for browser in some):
            await browser.quiet()


def test_a_closed_terminal_ends_all_in_an_orderly_way(nats_server: NatsServer) -> None:
    terminal = Terminal()
    service = Gateway(nats_server.url, log=terminal.path, cold=True, workers=2)
    service.start()
    until(lambda: sum(map(listens, workers_of(service))) == 2)
    children, process, service.process = workers_of(service), service.process, None
    assert process is not None
    terminal.close()
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 0
    assert not any(child.is_running() for child in children)


async def test_a_worker_that_hangs_is_killed_and_another_one_takes_its_place(
    nats_server: NatsServer, log: Path
) -> None:
    program = "tests/programs/with_quick_checks.py"
    with running(
        Gateway(nats_server.url, program=program, log=log, cold=True, workers=2)
    ) as service:
        until(lambda: sum(map(listens, workers_of(service))) == 2)
        until(lambda: min(connections_of(service)) == 0)  # both have published figures
        before = workers_of(service)
        before[0].suspend()
        await eventually(lambda: "has done nothing for 3.0 s and is killed" in service.output())
        await eventually(lambda: sum(map(listens, workers_of(service))) == 2)
        assert before[1] in workers_of(service)
        async with AsyncExitStack() as stack:
            await browsers(service, stack)


async def test_every_worker_tells_the_figures_of_all(pair: Gateway, raw_nats: RawNats) -> None:
    async with AsyncExitStack() as stack:
        by_worker = await browsers(pair, stack)
        sizes = sorted(map(len, by_worker.values()))
        for _ in range(10):  # some of them at one worker, some at the other
            await eventually(lambda: sorted(connections_of(pair)) == sizes)
        before = workers_of(pair)
        before[0].kill()
        lost = await lost_of(by_worker)
        await eventually(lambda: sorted(connections_of(pair)) == [0, ENOUGH - len(by_worker[lost])])


def connections_of(service: Gateway) -> list[float]:
    figures = service.figures()
    return [figures.get(f'bridge_connections{{worker="{n}"}}', -1) for n in (1, 2)]
