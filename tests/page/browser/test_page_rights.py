"""The page at a gateway that does not let it follow everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

Publish = Callable[[str, bytes], None]


@pytest.fixture(scope="module")
def limited(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("gateway") / "log"
    allow = "orders.> telemetry.>"
    with running(Gateway(nats_server.url, log=log, allow_subjects=allow)) as service:
        yield service


def test_every_example_can_be_followed(page: Page, limited: Gateway, publish: Publish) -> None:
    viewer = Viewer(page, limited.url).open()
    examples = page.locator("#empty [data-subject]:visible")
    expect(examples).to_have_text(["orders.*", "orders.> telemetry.>"])
    examples.last.click()
    for pattern in ("orders.>", "telemetry.>"):
        expect(viewer.chip(pattern)).to_have_attribute("data-state", "active")
    publish("telemetry.a", b'"here"')
    expect(viewer.row("here")).to_have_count(1)


def test_whoever_asks_for_more_is_told_what_there_is_and_can_have_it(
    page: Page, limited: Gateway
) -> None:
    viewer = Viewer(page, limited.url).open()
    viewer.enter("test.subject")
    chip = viewer.chip("test.subject")
    expect(chip).to_have_attribute("data-state", "refused")
    expect(chip).to_contain_text("You may follow orders.>, telemetry.>.")
    expect(page.locator("#empty")).to_be_visible()
    viewer.button("Unsubscribe test.subject").click()
    viewer.enter(">")
    expect(viewer.chip(">")).to_have_attribute("data-state", "refused")
    expect(page.locator("#empty")).to_be_visible()
    viewer.button("Follow the 2 patterns you may").click()
    expect(viewer.chip(">")).to_have_count(0)
    for pattern in ("orders.>", "telemetry.>"):
        expect(viewer.chip(pattern)).to_have_attribute("data-state", "active")
    expect(page.locator("#empty")).to_be_hidden()


def test_where_everything_may_be_followed_the_examples_are_as_ever(viewer: Viewer) -> None:
    examples = viewer.page.locator("#empty [data-subject]:visible")
    expect(examples).to_have_text(["test.subject", "orders.*", ">"])


@pytest.mark.parametrize(
    ("publishes", "words"), [(True, "a test message each second"), (False, "what you publish")]
)
def test_the_first_example_says_whether_test_messages_come(
    page: Page,
    nats_server: NatsServer,
    tmp_path: Path,
    publishes: bool,
    words: str,
) -> None:
    log = tmp_path / "log"
    page.allow_errors = True  # type: ignore[attr-defined]  # once the gateway has ended
    with running(Gateway(nats_server.url, log=log, publish_test_messages=publishes)) as service:
        Viewer(page, service.url).open()
        expect(page.locator("#empty li").first).to_contain_text(words)
