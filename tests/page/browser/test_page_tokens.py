"""The page at a gateway that asks for tokens."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.page.support.viewer import Viewer
from tests.support import minting
from tests.support.servers import Gateway, NatsServer, running

TOKEN = "the-token-of-this-page"


@pytest.fixture(scope="module")
def guarded(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("tokens")
    entry = {"name": "page", "token": TOKEN, "deny": ["page.secret"]}
    (folder / "tokens").write_text(json.dumps(entry))
    (folder / "key").write_text(minting.key_file("ES256"))
    files = {"tokens_file": folder / "tokens", "jwt_key": folder / "key"}
    with running(Gateway(nats_server.url, log=folder / "log", **files)) as service:
        yield service


def asked(page: Page, url: str, fragment: str = "") -> Viewer:
    """Open the page; return it once it asks for a token."""
    viewer = Viewer(page, url)
    page.goto(f"{url}/{fragment}")
    viewer.expect_state("error")
    expect(page.get_by_test_id("token")).to_be_focused()
    return viewer


def enter_token(page: Page, token: str) -> None:
    page.get_by_test_id("token").fill(token)
    page.get_by_test_id("token").press("Enter")


@pytest.mark.parametrize("fragment", ["", "#s=page.a,page.secret"])
def test_the_page_asks_for_a_token_and_goes_on_with_it(
    page: Page, guarded: Gateway, publish: Callable[[str, bytes], None], fragment: str
) -> None:
    viewer = asked(page, guarded.url, fragment)
    enter_token(page, TOKEN)
    expect(page.get_by_test_id("token")).to_be_hidden()
    if not fragment:
        viewer.expect_state("idle")
        viewer.enter("page.a page.secret")
    expect(viewer.chip("page.a")).to_have_attribute("data-state", "active")
    expect(viewer.chip("page.secret")).to_have_attribute("data-state", "refused")
    publish("page.a", b'"live"')
    expect(viewer.row("live")).to_have_count(1)
    expect(page.locator(".row.note:not([hidden])")).to_have_count(0)
    focused = page.locator("#messages" if fragment else "#subjects")
    expect(focused).to_be_focused()


def test_a_token_can_be_changed_before_it_ends_and_nothing_is_missed(
    page: Page, guarded: Gateway, publish: Callable[[str, bytes], None]
) -> None:
    viewer = asked(page, guarded.url, "#s=page.a")
    expect(viewer.button("Try again")).to_be_hidden()
    enter_token(page, minting.token(seconds=4_000))
    expect(viewer.chip("page.a")).to_have_attribute("data-state", "active")
    expect(viewer.button("Renew")).to_be_hidden()
    viewer.button("Settings").click()
    viewer.button("Change token").click()
    expect(page.get_by_test_id("token")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("token")).to_be_hidden()
    viewer.button("Settings").click()
    viewer.button("Change token").click()
    enter_token(page, minting.token(seconds=300))
    expect(page.get_by_test_id("token")).to_be_hidden()
    expect(page.get_by_text("Your token ends at ")).to_be_visible()
    viewer.button("Renew").click()
    expect(page.get_by_test_id("token")).to_be_focused()
    enter_token(page, minting.token(seconds=4_000))
    expect(page.get_by_text("Your token ends at ")).to_be_hidden()
    publish("page.a", b'"still live"')
    expect(viewer.row("still live")).to_have_count(1)
    expect(page.locator(".row.note:not([hidden])")).to_have_count(0)
    assert len(viewer.sockets) == 2, "one for each time that the gateway asked"


def test_a_wrong_token_is_asked_for_again_and_a_token_is_kept_nowhere(
    page: Page, guarded: Gateway
) -> None:
    viewer = asked(page, guarded.url)
    enter_token(page, "a wrong token")
    expect(page.get_by_text("the token is not valid")).to_be_visible()
    expect(page.get_by_test_id("token")).to_have_value("")
    enter_token(page, TOKEN)
    viewer.expect_state("idle")
    kept = page.evaluate(
        "() => JSON.stringify([location.href, {...localStorage}, {...sessionStorage},"
        " document.cookie, history.state, document.documentElement.outerHTML])"
    )
    assert TOKEN not in kept
    expect(page.get_by_test_id("token")).to_have_value("")
    page.reload()
    viewer.expect_state("error")


@pytest.mark.parametrize(
    ("cookie", "reason"),
    [(lambda: minting.token(seconds=-31), "has expired"), (lambda: "wrong", "is not valid")],
)
def test_the_page_asks_for_a_token_where_the_one_in_its_cookie_does_not_count(
    page: Page, guarded: Gateway, cookie: Callable[[], str], reason: str
) -> None:
    made = {"name": "nats_bridge_token", "value": cookie(), "url": guarded.url, "httpOnly": True}
    page.context.add_cookies([made])
    viewer = asked(page, guarded.url, "#s=page.a")
    expect(page.get_by_text(f"The gateway asks for a token: the token {reason}")).to_be_visible()
    enter_token(page, TOKEN)
    expect(viewer.chip("page.a")).to_have_attribute("data-state", "active")


def test_a_token_in_a_cookie_is_all_the_page_needs(page: Page, guarded: Gateway) -> None:
    made = {"name": "nats_bridge_token", "value": TOKEN, "url": guarded.url, "httpOnly": True}
    page.context.add_cookies([made])
    Viewer(page, guarded.url).open().follow("page.a")


def test_the_page_asks_again_when_the_token_has_expired(page: Page, guarded: Gateway) -> None:
    viewer = asked(page, guarded.url, "#s=page.a")
    enter_token(page, minting.token(seconds=2))
    expect(viewer.chip("page.a")).to_have_attribute("data-state", "active")
    expect(page.get_by_text("the token has expired")).to_be_visible()
    enter_token(page, TOKEN)
    expect(viewer.chip("page.a")).to_have_attribute("data-state", "active")


def test_a_token_function_is_asked_in_time_and_nothing_is_missed(
    page: Page, guarded: Gateway, publish: Callable[[str, bytes], None]
) -> None:
    calls: list[tuple[float, dict[str, object]]] = []

    def mint(why: dict[str, object]) -> str:
        calls.append((time.monotonic(), why))
        return minting.token(seconds=6)

    page.goto(guarded.url)
    page.expose_function("mint", mint)
    page.evaluate(
        """async () => {
          const { Client } = await import("/page/js/client.js");
          window.seen = { got: [], gaps: 0 };
          const client = new Client({ token: (why) => window.mint(why) });
          client.addEventListener("gap", () => { seen.gaps += 1; });
          await client.subscribe("renewed.*", ({ data }) => seen.got.push(data));
        }"""
    )
    published, after = 0, 10
    while after:
        after -= len(calls) >= 3
        publish("renewed.a", str(published).encode())
        published += 1
        page.wait_for_timeout(100)
    page.wait_for_function("(last) => window.seen.got.at(-1) === last", arg=published - 1)
    seen = page.evaluate("() => window.seen")
    assert seen == {"got": list(range(published)), "gaps": 0}
    assert all(later - earlier > 2 for (earlier, _), (later, _) in itertools.pairwise(calls))
    assert all(why == {"refused": False, "reason": ""} for _, why in calls)


def test_a_page_can_offer_its_token_as_a_subprotocol(page: Page, guarded: Gateway) -> None:
    page.goto(guarded.url)
    opened = """([url, token]) => new Promise((done) => {
      const socket = new WebSocket(url, ["bearer", token]);
      socket.onmessage = ({ data }) => done([socket.protocol, JSON.parse(data).success]);
      socket.onclose = ({ code, reason }) => done([code, reason]);
    })"""
    for token in (minting.token(), "f" * 32):
        answer = page.evaluate(opened, [guarded.stream, token])
        good = token != "f" * 32
        assert answer == (["bearer", True] if good else [4501, "the token is not valid"])
