"""The EventSource of real browsers, on pages of the gateway's origin and of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.page.support.bidi import Firefox, firefox
from tests.page.support.browser import installed_firefox
from tests.support.servers import Gateway, NatsServer, running, until
from tests.support.two_streams import two_streams

TOKEN = "the-token-of-ann-here"
LISTEN = """(() => {
  window.got = []; window.notices = []; window.opened = 0;
  window.source = new EventSource(URL, { withCredentials: true });
  source.onopen = () => (opened += 1);
  source.onmessage = ({ data }) => got.push(JSON.parse(data).data);
  source.addEventListener("notice", ({ data }) => notices.push(JSON.parse(data)));
  return true;
})()"""
OPEN, CLOSED = 1, 2
RESTART = {"status": "closed", "code": 1012, "reason": "the service stops"}
Evaluate = Callable[[str], Any]


def listen(url: str) -> str:
    return LISTEN.replace("URL", json.dumps(url))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox for all tests of this file."""
    if not (program := installed_firefox()):
        pytest.skip("no Firefox: install firefox-esr, or set FIREFOX")
    with firefox(program, tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(params=["Chromium", "Firefox"])
def evaluate(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[Callable[[str], object], Evaluate]]:
    """What opens an address in a browser, and what returns the value of an expression there."""
    if request.param == "Chromium":
        page: Page = request.getfixturevalue("page")
        page.allow_errors = True  # type: ignore[attr-defined]
        yield page.goto, page.evaluate
        return
    driver: Firefox = request.getfixturevalue("other")
    with driver.as_new():
        yield driver.go, driver.evaluate


def test_it_comes_back_after_a_restart_and_gets_each_message_once(
    evaluate: tuple[Callable[[str], object], Evaluate],
    nats_server: NatsServer,
    publish: Callable[[str, bytes], None],
    log: Path,
    subject: str,
) -> None:
    go, run = evaluate
    with running(Gateway(nats_server.url, log=log)) as service:
        go(f"{service.url}/")
        run(listen(f"{service.url}/stream?subjects={subject}"))
        for turn in range(2):
            until(lambda: run("opened") == turn + 1)  # noqa: B023
            for number in range(10):
                publish(subject, b"%d" % (10 * turn + number))
            until(lambda: len(run("got")) == 10 * (turn + 1))  # noqa: B023
            if turn == 0:
                service.stop()
                until(lambda: run("notices").count(RESTART) == 1)
                service.start()
        assert run("got") == list(range(20))
        assert run("opened") == 2


def test_what_is_compressed_comes_as_soon_as_what_is_not(
    evaluate: tuple[Callable[[str], object], Evaluate],
    gateway: Gateway,
    publish: Callable[[str, bytes], None],
    subject: str,
) -> None:
    go, run = evaluate
    go(f"{gateway.url}/")
    run(listen(f"{gateway.url}/stream?subjects={subject}"))
    until(lambda: run("notices.length") == 2)
    before = gateway.figures()["bridge_compression_input_bytes_total"]
    sent: list[object] = []
    for number in range(10):
        sent.append([number, "x" * 1000] if number % 2 else number)
        publish(subject, json.dumps(sent[-1]).encode())
        until(lambda: run("got.length") == len(sent))
    assert run("got") == sent
    assert gateway.figures()["bridge_compression_input_bytes_total"] - before > 5000
    run("source.close()")


def test_the_past_of_two_streams_comes_once_through_a_restart(
    evaluate: tuple[Callable[[str], object], Evaluate], tmp_path: Path, log: Path
) -> None:
    """One of them is slower, and both go on while the gateway is away."""
    go, run = evaluate
    with two_streams(tmp_path / "nats", log) as streams:
        service = streams.service
        streams.publish()
        go(f"{service.url}/")
        run(listen(streams.url))
        until(lambda: run("got.length") == streams.sent)
        streams.publish()
        service.stop()
        streams.publish()
        service.start()
        streams.publish()
        until(lambda: run("got.length") >= streams.sent)
        streams.check(run("got"))
        assert run("opened") == 2
        assert run("notices.filter(n => n.history).map(n => n.history.resumed ?? 0)") == [
            *(0, 0),
            *(True, True),
        ]


def test_a_401_ends_it(
    evaluate: tuple[Callable[[str], object], Evaluate], nats_server: NatsServer, log: Path
) -> None:
    go, run = evaluate
    (log.parent / "tokens").write_text(json.dumps({"name": "ann", "token": TOKEN}))
    with running(Gateway(nats_server.url, log=log, tokens_file=log.parent / "tokens")) as service:
        go(f"{service.url}/")
        run(listen(f"{service.url}/stream?subjects=a"))
        until(lambda: run("source.readyState") == CLOSED)
        assert run("opened") == 0
        run(f'document.cookie = "nats_bridge_token={TOKEN}; SameSite=Strict"')
        run(listen(f"{service.url}/stream?subjects=a"))
        until(lambda: run("opened") == 1)


def test_a_page_of_an_allowed_origin_reads_with_its_cookie_and_others_do_not(
    evaluate: tuple[Callable[[str], object], Evaluate],
    nats_server: NatsServer,
    publish: Callable[[str, bytes], None],
    log: Path,
    subject: str,
    second_origin: str,
) -> None:
    go, run = evaluate
    (log.parent / "tokens").write_text(json.dumps({"name": "ann", "token": TOKEN}))
    settings = {"tokens_file": log.parent / "tokens", "allowed_origins": second_origin}
    with (
        running(Gateway(nats_server.url, log=log, **settings)) as service,
        running(Gateway(nats_server.url, log=log.parent / "other")) as closed,
    ):
        go(second_origin)
        run(f'document.cookie = "nats_bridge_token={TOKEN}; SameSite=Strict"')
        run(listen(f"{service.url}/stream?subjects={subject}"))
        until(lambda: run("source.readyState") == OPEN)
        publish(subject, b"1")
        until(lambda: run("got") == [1])
        run("source.close()")
        run(listen(f"{closed.url}/stream?subjects={subject}"))
        until(lambda: run("source.readyState") == CLOSED)
        refused = 'bridge_refused_total{reason="origin"}'
        before = closed.figures()[refused]
        stream = json.dumps(f"{closed.url}/stream?subjects=a")
        run(f'fetch({stream}, {{ mode: "no-cors" }}).then(() => "sent")')
        until(lambda: closed.figures()[refused] == before + 1)
