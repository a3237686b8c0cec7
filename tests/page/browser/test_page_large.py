"""Payloads of megabytes in the detail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.support.detail import payload, value
from tests.page.support.flood import Flood
from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running, until


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, RawNats]]:
    """A gateway and a NATS that take payloads of 5 MB."""
    folder = tmp_path_factory.mktemp("large")
    gateway_of = {"log": folder / "log", "max_pending_bytes": 32 * 1024 * 1024}
    with (
        running(NatsServer(folder, "max_payload: 8MB\nmax_pending: 64MB")) as server,
        running(Gateway(server.url, **gateway_of)) as gateway,
        RawNats(server.port) as raw_nats,
    ):
        yield gateway, raw_nats


ROWS = [{"n": number, "text": f"line {number} of many"} for number in range(110_000)]


def large_json() -> bytes:
    return json.dumps({"rows": {row["n"]: row for row in ROWS}}).encode()


OPENS = """async () => {
  const row = [...document.querySelectorAll("[data-testid=row]")].find(row => !row.hidden);
  const press = { bubbles: true, cancelable: true };
  const start = performance.now();
  row.dispatchEvent(new PointerEvent("pointerdown", press));
  row.click();
  document.querySelector("[data-testid=payload]").getBoundingClientRect();
  await new Promise(requestAnimationFrame);
  await new Promise(done => setTimeout(done)); // the frame is painted
  return performance.now() - start;
}"""


@pytest.mark.timing
@pytest.mark.parametrize(
    "make", [large_json, lambda: b"word " * 1_000_000, lambda: b"\xff" * 5_000_000]
)
def test_five_megabytes_open_at_once_and_show_their_beginning(
    page: Page, large: tuple[Gateway, RawNats], subject: str, make: Callable[[], bytes]
) -> None:
    gateway, raw_nats = large
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    body = make()
    raw_nats.publish(subject, body)
    row = viewer.row(subject)
    expect(row).to_have_count(1)
    assert len(row.locator(".row-text").inner_text()) <= 300
    # the quickest of a few, for the machine may be busy with others
    assert min(page.evaluate(OPENS) for _ in range(5)) < 300
    expect(viewer.detail).to_contain_text(re.compile(r"The first [5-7]\d\.\d kB of \d\.\d MB"))
    assert page.evaluate("document.querySelectorAll('#detail *').length") < 20_000
    with page.expect_download() as downloading:
        viewer.button("Download").click()
    assert Path(downloading.value.path()).read_bytes() == body
    assert downloading.value.suggested_filename.startswith(f"{subject}-1.")


def test_all_of_five_megabytes_can_be_shown_without_freezing(
    page: Page, large: tuple[Gateway, RawNats], subject: str
) -> None:
    gateway, raw_nats = large
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    raw_nats.publish(subject, json.dumps({"rows": ROWS}).encode())
    viewer.row(subject).click()
    payload(viewer).get_by_role("button", name="… 109,900 more").click()
    page.evaluate(
        "() => { globalThis.frames = 0; const count = () => "
        "{ if (!document.querySelector('.detail-more').hidden) frames += 1; "
        "requestAnimationFrame(count); }; count(); }"
    )
    before = page.evaluate("frames")
    viewer.button("Show all").click()
    expect(viewer.detail.locator(".detail-more")).to_be_hidden(timeout=60_000)
    expect(payload(viewer)).to_be_focused()
    end = payload(viewer).evaluate("pane => pane.textContent.slice(-40)")
    assert '109999 of many"' in end
    assert page.evaluate("frames") - before > 10
    last = value(viewer, '"line 109999 of many"')

    def at_the_end() -> bool:
        payload(viewer).press("End")  # again, for heights are known only of what was seen
        return last.count() == 1 and last.bounding_box() is not None

    until(at_the_end)
    expect(last).to_be_in_viewport()
    assert page.evaluate("document.querySelectorAll('#detail *').length") < 20_000


def test_the_limit_that_holds_is_told_be_it_messages_or_text(
    viewer: Viewer, nats_server: NatsServer, subject: str
) -> None:
    kept = viewer.page.locator("#kept-title")
    viewer.follow(f"{subject}.*")
    with Flood(nats_server.port, subject, rate=8_000, total=36_000, size=2_000) as flood:
        flood.wait(60)
    expect(viewer.page.get_by_test_id("received")).to_have_text("36,000", timeout=60_000)
    expect(kept).to_contain_text("; 64 MB full)")
    expect(kept).to_have_attribute("title", re.compile("at most 100,000, and 64 MB of text$"))
    gone = viewer.page.get_by_test_id("notkept").inner_text()
    viewer.page.locator("#messages").press("Home")
    expect(viewer.row(f"{gone} messages before this were not kept")).to_be_in_viewport()
    viewer.prefer("Messages kept", "300,000, or 192 MB")
    expect(kept).to_have_attribute("title", re.compile("at most 300,000, and 192 MB of text$"))
    expect(kept).not_to_contain_text("full")
    viewer.prefer("Messages kept", "1,000, or 64 MB")
    viewer.expect_figure("kept", "1,000")
    expect(kept).not_to_contain_text("full")
