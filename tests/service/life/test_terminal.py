"""What a person at a terminal sees, and nobody else."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.service.next_steps import TEST_MESSAGES, lines
from tests.support.servers import Gateway, NatsServer, http, running, until


class Terminal:
    """A terminal to start a service on. `text` is what has been written to it."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        self.path = Path(os.ttyname(self._slave))
        self._bytes = b""

    @property
    def text(self) -> str:
        while select.select([self._master], [], [], 0)[0]:
            self._bytes += os.read(self._master, 4096)
        return self._bytes.decode().replace("\r\n", "\n")

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_it_says_what_to_do_next_with_the_server_that_is_used(
    nats_server: NatsServer, terminal: Terminal
) -> None:
    settings = {
        "log": terminal.path,
        "cold": True,
        "publish_test_messages": True,
        "nats_token": "planted-secret",
    }
    with running(Gateway(nats_server.url, **settings)) as service:  # type: ignore[arg-type]
        until(lambda: "Ctrl-C" in terminal.text)
        assert terminal.text.endswith(
            f"page  {service.url}/\n"
            f"NATS  {nats_server.url} (connected)\n"
            "test  a message on test.subject each second (PUBLISH_TEST_MESSAGES=false: none)\n"
            "next  open the page, type test.subject, press Enter\n"
            f"      nats pub -s {nats_server.url} test.subject hello  (and your sign-in)\n"
            "      Ctrl-C stops the service\n"
        )
        assert "planted-secret" not in terminal.text
        assert service.stop() == 0


def test_it_says_so_once_and_names_no_server_that_does_not_answer(
    tmp_path: Path, terminal: Terminal
) -> None:
    nats = NatsServer(tmp_path)
    service = Gateway(nats.url, log=terminal.path, cold=True)
    service.launch()
    try:
        until(lambda: http(f"{service.url}/readyz")[0] == 503)
        assert "next" not in terminal.text
        for _ in range(2):
            with running(nats):
                until(lambda: http(f"{service.url}/readyz")[0] == 200)
            until(lambda: http(f"{service.url}/readyz")[0] == 503)
        until(lambda: terminal.text.count("NATS  lost") == 2)
        assert terminal.text.count("next  open the page, type hello.world") == 1
    finally:
        assert service.stop() == 0


def test_a_log_is_told_no_such_thing(nats_server: NatsServer, log: Path) -> None:
    with running(Gateway(nats_server.url, log=log)) as service:
        until(lambda: "NATS  " in service.output())
        assert service.stop() == 0
    assert "next" not in log.read_text()


def test_the_lines_fit_a_terminal() -> None:
    told = lines("nats://127.0.0.1:4222", test_messages=True, signs_in=True, terminal=True)
    assert max(map(len, [*told, TEST_MESSAGES])) <= 80
