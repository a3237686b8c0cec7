"""What streams make good after a lost connection or an outage, and what they cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.streams import Streams
from tests.page.support.viewer import Viewer
from tests.support.jetstream import jetstream
from tests.support.servers import Gateway, NatsServer, running


class Line:
    """What the page's connections go through."""

    def __init__(self, page: Page) -> None:
        self._routes: list[WebSocketRoute] = []
        self._is_cut = False
        page.route_web_socket(re.compile("/stream"), self._handle)

    def _handle(self, route: WebSocketRoute) -> None:
        if self._is_cut:
            route.close(code=1001)
            return
        route.connect_to_server()
        self._routes.append(route)

    def cut(self) -> None:
        self._is_cut = True
        self._routes[-1].close(code=1001)

    def mend(self) -> None:
        self._is_cut = False

    def say(self, notice: dict[str, Any]) -> None:
        """Tell the page something in the gateway's place."""
        self._routes[-1].send(json.dumps(notice))


@pytest.fixture
def line(page: Page) -> Line:
    return Line(page)


@pytest.fixture
def viewer(page: Page, line: Line, stream_gateway: Gateway) -> Viewer:
    return Viewer(page, stream_gateway.url).open()


@pytest.fixture
def stream(streams: Streams) -> str:
    name = f"S{uuid4().hex[:8]}"
    streams.make(name, f"{name}.>")
    return name


def notes(viewer: Viewer) -> Locator:
    return viewer.page.locator("#messages .row.note:not([hidden]) .row-text")


def miss(viewer: Viewer, line: Line, meanwhile: Callable[[], None]) -> None:
    """Lose the connection, do something, and have it back."""
    line.cut()
    viewer.expect_state("reconnecting")
    meanwhile()
    line.mend()
    viewer.expect_state("live", timeout=20_000)


def test_a_gap_of_a_stream_closes_by_itself_and_says_so(
    viewer: Viewer, line: Line, streams: Streams, stream: str
) -> None:
    viewer.follow(f"{stream}.*")
    streams.publish(f"{stream}.a", b"1")
    viewer.expect_figure("received", "1")
    miss(viewer, line, lambda: streams.publish(f"{stream}.a", b"2", b"3", b"4"))
    expect(notes(viewer)).to_have_text(re.compile(r"^back after \d.*s, 3 messages fetched$"))
    expect(viewer.row("fetched")).to_have_class(re.compile(r"\bpast\b"))
    viewer.expect_figure("received", "4")
    viewer.expect_figure("kept", "4")
    expect(viewer.page.locator(".row.replayed:not([hidden])")).to_have_count(3)
    expect(viewer.page.get_by_test_id("gaps")).to_be_hidden()
    assert violations(viewer.page) == []


def test_beside_it_a_pattern_without_a_stream_has_its_gap(
    viewer: Viewer, line: Line, streams: Streams, stream: str
) -> None:
    plain = f"plain.{stream}"
    viewer.follow(f"{stream}.*", plain)
    streams.publish(f"{stream}.a", b"1")
    viewer.expect_figure("received", "1")
    miss(viewer, line, lambda: streams.publish(f"{stream}.a", b"2"))
    expect(viewer.row("1 message fetched")).to_have_count(1)
    gap = re.compile(rf"^disconnected .*: messages of {re.escape(plain)} in between were not")
    expect(notes(viewer).filter(has_text=gap)).to_have_count(1)


def test_a_pattern_that_is_behind_says_so_at_its_chip(
    viewer: Viewer, line: Line, stream: str
) -> None:
    pattern = f"{stream}.*"
    viewer.follow(pattern)
    stage = viewer.chip(pattern).locator(".chip-stage")
    expect(stage).to_be_hidden()
    notice = {"stream": stream, "subjects": [pattern]}
    line.say({"status": "behind", **notice})
    expect(stage).to_have_text("behind")
    assert violations(viewer.page) == []
    line.say({"status": "live", **notice, "epoch": "e", "seq": 0})
    expect(stage).to_be_hidden()


@pytest.mark.parametrize(
    ("most", "reason"),
    [
        (1_000, "the stream no longer has all of it"),
        (40, "more came than the gateway replays"),
    ],
)
def test_what_does_not_come_later_is_told_with_the_reason(
    page: Page, stream_server: NatsServer, streams: Streams, tmp_path: Path, most: int, reason: str
) -> None:
    name = f"S{uuid4().hex[:8]}"
    streams.make(name, f"{name}.>", max_msgs=50)
    kept = min(most, 50)
    gateway = Gateway(stream_server.url, log=tmp_path / "log", max_replay=most)
    with running(gateway):
        viewer = Viewer(page, gateway.url).open()
        viewer.follow(f"{name}.*")
        streams.publish(f"{name}.a", b"1")
        viewer.expect_figure("received", "1")
        gateway.stop()
        page.allow_errors = True  # type: ignore[attr-defined]
        viewer.expect_state("reconnecting")
        streams.publish(f"{name}.a", *(b"%d" % number for number in range(120)))
        gateway.start()
        expect(viewer.row(f"{kept} messages fetched")).to_have_count(1, timeout=30_000)
        viewer.expect_figure("received", str(1 + kept))
        gaps = page.get_by_test_id("gaps")
        expect(gaps).to_contain_text("1 · last")
        gaps.click()
        line = viewer.row(f"not all came later, {reason}")
        expect(line).to_be_in_viewport()
        viewer.button("Latest").click()
        expect(page.get_by_test_id("missed")).to_contain_text(reason)
        assert violations(page) == []


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A server with JetStream that a test may stop."""
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        yield server


def test_an_outage_of_nats_is_made_good_by_streams(
    page: Page, own_server: NatsServer, tmp_path: Path
) -> None:
    streams = Streams(own_server)
    streams.make("ORDERS", "orders.>")
    page.allow_errors = True  # type: ignore[attr-defined]  # once the gateway has ended
    with running(Gateway(own_server.url, log=tmp_path / "log")) as gateway:
        viewer = Viewer(page, gateway.url).open()
        viewer.follow("orders.*")
        streams.publish("orders.a", b"1")
        viewer.expect_figure("received", "1")
        own_server.stop()
        viewer.expect_state("reconnecting", timeout=20_000)
        expect(page.locator("#state-hint")).to_contain_text("what streams store meanwhile comes")
        own_server.start()
        streams.publish("orders.a", b"2", b"3")
        viewer.expect_state("live", timeout=30_000)
        expect(page.get_by_test_id("received")).to_have_text("3", timeout=30_000)
        back = re.compile(r"^NATS is back after .*s: what streams stored of orders\.\* comes now$")
        expect(notes(viewer)).to_have_text(back)
        expect(page.get_by_test_id("gaps")).to_be_hidden()
