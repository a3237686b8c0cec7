"""The page wherever it is served, and over a network that fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.page.support.viewer import Viewer
from tests.support.proxy import Proxy
from tests.support.servers import Gateway, running

Publish = Callable[[str, bytes], None]
RECONNECTED = 30_000  # ms: the back-off waits up to 15 s between two tries


@pytest.fixture
def proxy(gateway: Gateway) -> Iterator[Proxy]:
    with running(Proxy(gateway.port, prefix=b"/nats/live")) as proxy:
        yield proxy


def through(proxy: Proxy, page: Page) -> Viewer:
    return Viewer(page, f"http://127.0.0.1:{proxy.port}/nats/live")


def test_under_a_sub_path_all_works(
    proxy: Proxy, page: Page, publish: Publish, subject: str
) -> None:
    viewer = through(proxy, page).open()
    viewer.follow(subject)
    publish(subject, b'"here"')
    expect(viewer.row("here")).to_have_count(1)
    requested = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert requested
    assert all("/nats/live/page/" in name for name in requested)


def test_without_its_last_slash_the_page_adds_it_and_keeps_the_rest(
    proxy: Proxy, page: Page, publish: Publish, subject: str
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]  # what was looked for beside it
    page.goto(f"http://127.0.0.1:{proxy.port}/nats/live?x=1#s={subject}")
    page.wait_for_url(re.compile(re.escape(f"/nats/live/?x=1#s={subject}")))
    viewer = through(proxy, page)
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    publish(subject, b'"here"')
    expect(viewer.row("here")).to_have_count(1)
    assert page.evaluate("location.host") == f"127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/x", "/x/..//evil.example"])
def test_no_address_of_the_page_leads_to_another_host(
    page: Page, gateway: Gateway, path: str
) -> None:
    """Whatever a proxy serves the page under."""
    own = f"http://127.0.0.1:{gateway.port}"
    page.allow_errors = True  # type: ignore[attr-defined]
    index = page.request.get(own).body()
    page.route(f"{own}/**", lambda route: route.fulfill(body=index, content_type="text/html"))
    page.goto(f"{own}{path}")
    page.wait_for_url(re.compile("/$"))
    assert page.evaluate("location.origin") == own


@pytest.mark.parametrize("size", [(1280, 800), (360, 640)])
def test_a_connection_that_breaks_leaves_a_line_and_comes_back(
    proxy: Proxy, page: Page, publish: Publish, subject: str, size: tuple[int, int]
) -> None:
    """On a phone the bad news makes the list smaller, which is no reason to stand still."""
    page.allow_errors = True  # type: ignore[attr-defined]
    page.set_viewport_size({"width": size[0], "height": size[1]})
    viewer = through(proxy, page).open()
    viewer.follow(subject)
    for number in range(60):
        publish(subject, f'"before {number}"'.encode())
    expect(viewer.row("before 59")).to_be_in_viewport()
    proxy.reset()
    expect(viewer.row("disconnected")).to_be_in_viewport(timeout=RECONNECTED)
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_be_in_viewport()
    expect(viewer.row("before 59")).to_have_count(1)
    viewer.expect_state("live")


def test_a_network_that_swallows_everything_is_noticed(
    proxy: Proxy, page: Page, publish: Publish, subject: str
) -> None:
    """A cable that is out looks like a quiet subject; nobody closes the connection."""
    page.allow_errors = True  # type: ignore[attr-defined]
    page.clock.install()
    viewer = through(proxy, page).open()
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    proxy.black_hole()
    page.clock.run_for(20_000)  # after which it asks for a word
    viewer.expect_state("live")
    page.clock.run_for(10_000)  # in which none comes
    viewer.expect_state("reconnecting")
    publish(subject, b'"missed"')
    proxy.heal()
    expect(viewer.row("disconnected")).to_have_count(1, timeout=RECONNECTED)
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_have_count(1)
