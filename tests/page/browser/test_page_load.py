"""The page under load: it never freezes, its memory is bounded, nothing is lost silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from playwright.sync_api import expect

from tests.page.support.flood import Flood
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

pytestmark = [pytest.mark.timing, pytest.mark.load]

LONG_TASK = 200  # ms: a page that does not answer for longer is felt to hang
PAUSED_WITHIN = 200  # ms

WATCH = """() => {
  window.longTasks = [];
  const note = (list) => longTasks.push(...list.getEntries().map(({ duration }) => duration));
  new PerformanceObserver(note).observe({ type: "longtask" });
  addEventListener("click", ({ timeStamp }) => (window.clicked = timeStamp), { capture: true });
  new MutationObserver(() => {
    if (document.body.dataset.state === "paused") window.stoodStill ??= performance.now();
  }).observe(document.body, { attributes: true });
}"""


@pytest.fixture(scope="module")
def gateway(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that drops messages for a page that cannot keep up, as it does by default."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    with running(Gateway(nats_server.url, log=log)) as service:
        yield service


def memory(viewer: Viewer) -> tuple[float, float]:
    """What the page holds after a collection of garbage, in MB: its heap, and its whole process.

    Frames as they came are held outside of the heap, so the heap alone would flatter us.
    """
    session: Any = viewer.page.context.new_cdp_session(viewer.page)
    session.send("HeapProfiler.collectGarbage")
    heap = float(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    browser: Any = viewer.page.context.browser
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    renderers = [psutil.Process(each["id"]) for each in processes if each["type"] == "renderer"]
    return heap / 1e6, max(each.memory_full_info().uss for each in renderers) / 1e6


def figure(viewer: Viewer, name: str) -> int:
    text = viewer.page.get_by_test_id(name).inner_text()
    return int(re.sub(r"\D", "", text))


LONG = pytest.mark.long


@pytest.mark.parametrize("seconds", [10, pytest.param(30, marks=LONG)])
def test_ten_thousand_a_second(
    viewer: Viewer, nats_server: NatsServer, subject: str, seconds: int
) -> None:
    total = 10_000 * seconds
    viewer.follow(f"{subject}.*")
    viewer.page.evaluate(WATCH)
    with Flood(nats_server.port, subject, rate=10_000, total=total) as flood:
        viewer.page.wait_for_timeout(seconds * 1000 // 3)
        viewer.button("Pause").click()
        viewer.expect_state("paused")
        clicked, stood_still = viewer.page.evaluate("[window.clicked, window.stoodStill]")
        assert stood_still - clicked < PAUSED_WITHIN
        rows = viewer.page.get_by_test_id("row").all_inner_texts()
        viewer.page.wait_for_timeout(2_000)
        assert viewer.page.get_by_test_id("row").all_inner_texts() == rows
        viewer.button("Resume").click()
        flood.wait(60)
    expect(viewer.page.get_by_test_id("received")).to_have_text(f"{total:,}", timeout=20_000)
    viewer.expect_figure("dropped", "0")
    assert figure(viewer, "kept") + figure(viewer, "notkept") == total
    expect(viewer.row(f'"number": {total - 1}')).to_be_in_viewport()
    long_tasks = viewer.page.evaluate("longTasks")
    print(f"paused after {stood_still - clicked:.0f} ms; longest task {max(long_tasks, default=0)}")
    assert max(long_tasks, default=0) <= LONG_TASK


@pytest.mark.parametrize("half", [150_000, pytest.param(500_000, marks=LONG)])
def test_memory_is_bounded(
    viewer: Viewer, nats_server: NatsServer, subject: str, half: int
) -> None:
    """Half of the messages are more than the page keeps."""
    viewer.follow(f"{subject}.*")
    with Flood(nats_server.port, subject, rate=25_000, total=half) as flood:
        flood.wait(120)
    expect(viewer.page.get_by_test_id("received")).to_have_text(f"{half:,}", timeout=20_000)
    halfway, process_halfway = memory(viewer)
    with Flood(nats_server.port, subject, rate=25_000, total=half) as flood:
        flood.wait(120)
    expect(viewer.page.get_by_test_id("received")).to_have_text(f"{2 * half:,}", timeout=20_000)
    end, process_end = memory(viewer)
    print(
        f"heap {halfway:.1f}, then {end:.1f} MB; "
        f"process {process_halfway:.0f}, then {process_end:.0f} MB"
    )
    assert figure(viewer, "kept") <= 100_000
    assert viewer.page.get_by_test_id("row").count() <= 120
    assert end < 150
    assert end < halfway * 1.05
    assert process_end < 250
