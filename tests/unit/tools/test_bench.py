"""The benches: what stands for many numbers, lines of goals, the client of the crowd, inflating."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest

from bench.client import PING, Failure
from bench.figures import Spread, percentile, shown
from bench.heart.browser import PONG, Browser, Step
from bench.heart.bystander import TICKS, spread_evenly
from bench.heart.rows import ROWS
from bench.heart.table import Goal, Measured, failed_line, line, verdict
from bench.load import Publisher
from bench.publishing import table
from bench.publishing.service import SUBJECT, Echo
from bench.unpacked import text_of
from bridge.wire.compression import Compression
from bridge.wire.framing import BATCH, EVENTS
from tests.support.servers import NatsServer

GOALS = (Goal("stop", 50, "ms"), Goal("memory", 30, "KiB"))


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(250, 0, -1)]
    assert percentile(values, 50) == 125
    assert percentile(values, 99) == 248
    assert percentile(values, 100) == 250
    assert percentile([1, 2, 9], 99) == 9
    assert percentile([7], 1) == 7


def test_a_spread_is_a_median_between_the_least_and_the_most() -> None:
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert str(Spread.of([3, 1, 2])) == "2.00 (1.00 to 3.00)"
    assert str(Spread.of([5])) == "5.00"


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_rounds() -> None:
    assert Spread.of_ratios([4, 6, 20], [2, 3, 4]) == Spread(2, 2, 5)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123, "0.12"), (9.987, "9.99"), (12.34, "12.3"), (-12.34, "-12.3"), (15432.1, "15,432")],
)
def test_figures_are_shown_with_the_digits_that_matter(value: float, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("stop", "memory", "text"),
    [
        (50, 30, "reached"),
        (50.1, 30, "not reached: stop"),
        (50, 31, "not reached: memory"),
        (51, 31, "not reached"),
        (float("nan"), 30, "not reached: stop"),
    ],
)
def test_a_row_is_reached_if_all_of_its_goals_are(stop: float, memory: float, text: str) -> None:
    measured = Measured([Spread(stop, 1, 99), Spread(memory, 1, 99)])
    assert verdict(GOALS, measured) == text


def test_a_line_says_what_was_measured_beside_its_goal() -> None:
    measured = Measured([Spread.of([40, 10, 20]), Spread.of([398])], ["done after 2 s"])
    assert line("grants", "new subjects", GOALS, measured) == (
        "| grants | new subjects | stop: 20.0 (10.0 to 40.0) ms; memory: 398 KiB; done after 2 s "
        "| at most 50 ms; at most 30 KiB | not reached: memory |"
    )


def test_a_row_that_fails_has_a_line_and_is_not_reached() -> None:
    assert failed_line("far", "many ask", GOALS[:1], "no answer") == (
        "| far | many ask | failed: no answer | at most 50 ms | not reached |"
    )


@pytest.mark.parametrize(
    ("goal", "other", "verdict"),
    [
        (table.at_least(1), [2, 4], " reached "),
        (table.at_least(1), [2, 6], " not reached "),
        (table.at_most(1.5), [2, 4], " reached "),
        (table.at_most(1.5), [1, 2], " not reached "),
        (table.NO_GOAL, [1, 2], "  "),
    ],
)
def test_a_ratio_stands_beside_its_goal(goal: table.Goal, other: list[float], verdict: str) -> None:
    cells = table.line("this", [3, 3], other, goal, "note").split("|")
    ratio = str(Spread.of_ratios([3, 3], other))
    assert cells[1:2] + cells[4:] == [
        " this ",
        f" {ratio} ",
        f" {goal.text} ",
        verdict,
        " note ",
        "",
    ]
    assert len(cells) == len(table.head("one", "other", "note").splitlines()[0].split("|"))


def test_a_service_answers_with_what_it_is_asked(nats_server: NatsServer) -> None:
    echo = Echo(nats_server.port)
    asking = Publisher(nats_server.port).socket
    asking.sendall(b"SUB answers 1\r\nPING\r\n")
    assert asking.recv(100) == b"PONG\r\n"
    payload = b"MSG a 1 1\r\nx\r\n" * 1000
    for each in (b"1", b"", payload):
        asking.sendall(b"PUB %b answers %d\r\n%b\r\n" % (SUBJECT.encode(), len(each), each))
    expected = b"".join(b"MSG answers 1 %d\r\n%b\r\n" % (len(e), e) for e in (b"1", b"", payload))
    asking.settimeout(20)
    came = b""
    while len(came) < len(expected):
        came += asking.recv(65536)
    assert came == expected
    asking.close()
    echo.stop()


def test_rows_are_named_by_one_word_each() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    assert all(name.isalpha() for name in names)


def test_a_load_is_published_in_even_pieces() -> None:
    pieces = spread_evenly(itertools.cycle(["a", "b", "c"]), 2 * TICKS)
    assert next(pieces) == b"PUB a 1\r\n1\r\nPUB b 1\r\n1\r\n"
    assert next(pieces) == b"PUB c 1\r\n1\r\nPUB a 1\r\n1\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[Browser, socket.socket]]:
    """A browser of the crowd, and the server's end of its connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        browser = Browser(listener.getsockname()[1])
        server, _ = listener.accept()
    server.settimeout(20)
    yield browser, server
    browser.leave()
    server.close()


def read(browser: Browser, server: socket.socket, data: bytes) -> bool:
    """Send `data` to the browser, and have it read once that is there."""
    server.sendall(data)
    browser.socket.recv(1, socket.MSG_PEEK)
    return browser.read()


def test_a_browser_asks_for_one_thing_after_the_other(ends: tuple[Browser, socket.socket]) -> None:
    browser, server = ends
    browser.ask([Step(b"hello", b"greeting"), Step(b"more", b"answer")])
    assert server.recv(100) == b"hello"
    assert not read(browser, server, b"a message, a gree")
    assert not read(browser, server, b"ting")
    assert server.recv(100) == b"more"
    assert not read(browser, server, b"a message")
    assert read(browser, server, b"an answer, a message")
    assert not read(browser, server, b"an answer to nothing")


def test_a_browser_answers_pings(ends: tuple[Browser, socket.socket]) -> None:
    browser, server = ends
    assert not read(browser, server, b"a message" + PING)
    assert server.recv(100) == PONG


def test_a_browser_that_is_refused_says_so(ends: tuple[Browser, socket.socket]) -> None:
    browser, server = ends
    browser.ask([Step(b"hello", b"greeting")])
    with pytest.raises(Failure, match="refused"):
        read(browser, server, b'{"success":false,"code":"denied"}')


def test_a_browser_that_is_cut_says_so(ends: tuple[Browser, socket.socket]) -> None:
    browser, server = ends
    assert browser.take() == b""
    server.close()
    with pytest.raises(Failure, match="closed"):
        while browser.take() == b"":
            pass


def test_what_was_compressed_is_read_in_each_way() -> None:
    one = Compression(1, lambda before, after: None)
    texts = [b'{"id":%d,"text":"text text text"}' % number for number in range(3)]
    batch, events = one.framing(BATCH, 12), one.zipped(EVENTS)
    assert events is not None
    frames = PING + batch.join(texts[:2]) + BATCH.join(texts[2:])
    assert text_of(frames) == b"\n".join(texts[:2]) + texts[2]
    pieces = [EVENTS.wrap(text) for text in texts]
    for written in (
        EVENTS.join(pieces),
        events.join(pieces[:1]) + events.join_alone(pieces[1:2]) + events.join(pieces[2:]),
    ):
        assert text_of(written) == b"".join(pieces)
