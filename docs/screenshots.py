"""Take a picture of the page in every state, light, dark, and on a phone: docs/pictures/*.webp.

`python -m docs.screenshots` starts all it needs: a NATS server, a gateway, a browser.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from docs.shop import PATTERNS, messages
from tests.page.support.browser import OPTIONS, installed
from tests.page.support.streams import Streams
from tests.page.support.viewer import Viewer
from tests.support.jetstream import jetstream
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running

PAUSE = 0.02  # seconds between two messages: times and figures look like those of a real system
DRAWN = 600  # ms until figures, which are refreshed four times a second, agree with the list
HEADERS = (
    b"NATS/1.0\r\nNats-Msg-Id: 4f9a1c2e-77\r\n"
    b"traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    b"X-Signature: \xfe\xed\xbe\xef\r\n\r\n"
)
FRAGMENT = f"#s={','.join(PATTERNS)}"


@dataclass(frozen=True, slots=True)
class Screen:
    """What a picture is taken on."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    scale: int = 1
    touch: bool = False


SCREENS = (
    Screen("light", 1280, 800, "light"),
    Screen("dark", 1280, 800, "dark"),
    Screen("phone", 360, 640, "light", scale=2, touch=True),
    Screen("phone-dark", 360, 640, "dark", scale=2, touch=True),
)


class Stage:
    """A gateway with its NATS server, and the page in front of it."""

    def __init__(self, page: Page, gateway: Gateway, publisher: RawNats, streams: Streams) -> None:
        self.page = page
        self.streams = streams
        self.gateway = gateway
        self.viewer = Viewer(page, gateway.url)
        self._publisher = publisher
        self._messages = messages()

    def publish(self, number: int, pause: float = PAUSE) -> None:
        """Publish the next messages, a moment apart."""
        for subject, payload in itertools.islice(self._messages, number):
            self._publisher.publish(subject, payload)
            time.sleep(pause)

    def ask(self, subject: str, payload: bytes) -> None:
        """Publish a request, as a service with traces would."""
        self.viewer.follow(subject)
        self._publisher.publish(subject, payload, "_INBOX.h5TzU8kXbC1y7e.3", HEADERS)

    def live(self, number: int = 90) -> None:
        """Open the page on the shop and let messages come."""
        self.viewer.open(FRAGMENT)
        active = self.page.locator('[data-testid="chip"][data-state="active"]')
        expect(active).to_have_count(len(PATTERNS))
        self.publish(number)
        self.viewer.expect_figure("received", str(number))


def empty(stage: Stage) -> None:
    stage.viewer.open()


def connecting(stage: Stage) -> None:
    stage.page.add_init_script(
        "window.WebSocket = class extends EventTarget { send() {} close() {} }"
    )
    stage.page.goto(f"{stage.gateway.url}/{FRAGMENT}")
    stage.viewer.expect_state("connecting")


def waiting(stage: Stage) -> None:
    stage.viewer.open("#s=orders.*,telemetry.%3E")


def live(stage: Stage) -> None:
    stage.live()


def mistake(stage: Stage) -> None:
    stage.live()
    stage.viewer.enter("orders.*.paid sensors*")
    expect(stage.viewer.error).to_be_visible()


def refused(stage: Stage) -> None:
    stage.live()
    stage.viewer.enter("$SYS.>")
    expect(stage.viewer.chip("$SYS.>")).to_have_attribute("data-state", "refused")


def paused(stage: Stage) -> None:
    stage.live()
    stage.viewer.button("Pause").click()
    stage.publish(40)
    expect(stage.viewer.button("Resume (40 new)")).to_be_visible()


def detail(stage: Stage) -> None:
    stage.live()
    stage.page.get_by_test_id("row").filter(has_text="orders.", visible=True).last.click()
    expect(stage.viewer.detail).to_be_visible()


def headers(stage: Stage) -> None:
    stage.live()
    stage.ask("rpc.price", b'{"sku":"A-417","qty":3}')
    stage.page.get_by_test_id("row").filter(has_text="rpc.price", visible=True).click()
    expect(stage.viewer.detail).to_be_visible()


def past(stage: Stage) -> None:
    stage.streams.make("SHOP", "orders.>")
    stage.publish(60)
    stage.page.goto(f"{stage.gateway.url}/#s=orders.*@last:8,sensors.%3E")
    expect(stage.viewer.row("replayed 8, live from here")).to_have_count(1)
    stage.publish(12, pause=0.1)
    stage.page.get_by_role("button", name="What came before, orders.*").click()


def plot(stage: Stage) -> None:
    stage.live(180)
    stage.page.get_by_test_id("row").filter(has_text="celsius", visible=True).last.click()
    stage.page.get_by_test_id("payload").get_by_role("button").filter(has_text="2").first.click()
    expect(stage.page.get_by_test_id("plot")).to_be_visible()
    stage.publish(60)


def diff(stage: Stage) -> None:
    stage.live()
    stage.page.get_by_test_id("row").filter(has_text="orders.", visible=True).last.click()
    stage.page.get_by_role("tab", name="Diff").click()


def latest(stage: Stage) -> None:
    stage.live()
    stage.viewer.button("Latest").click()


def tree(stage: Stage) -> None:
    stage.streams.make("SHOP", "orders.>", "stock.>")
    stage.publish(60)
    stage.streams.publish("stock.A-417.count", b"12")
    stage.live()
    stage.viewer.button("Tree").click()
    stage.page.locator(".look:visible").click()
    expect(stage.page.get_by_test_id("found")).to_contain_text("Found")
    for name in ("orders", "sensors", "office"):
        branch = stage.page.get_by_role("treeitem", name=re.compile(f"^{name},"))
        branch.click()
        expect(branch).to_have_attribute("aria-expanded", "true")


def columns(stage: Stage) -> None:
    stage.viewer.open(f"{FRAGMENT}&c=total,customer&q=subject:orders.*")
    stage.publish(90)
    stage.page.get_by_test_id("row").filter(has_text="orders.", visible=True).last.click()
    stage.page.keyboard.press("i")
    stage.page.get_by_role("button", name="Find in the payload").click()
    stage.page.keyboard.type("sku")


def told(stage: Stage) -> None:
    stage.live()
    stage.page.get_by_test_id("filter").fill("-subject:deploy.* margaret")
    stage.viewer.button("Tell me when").first.click()
    stage.page.locator("#tell-filter").click()
    stage.publish(60)


def wall(stage: Stage) -> None:
    stage.viewer.open(f"{FRAGMENT}&v=latest&ui=wall")
    stage.publish(120)
    stage.page.get_by_test_id("toast").get_by_role("button", name="Dismiss").click()


def filtered(stage: Stage) -> None:
    stage.live()
    stage.page.get_by_test_id("filter").fill("-subject:deploy.* margaret")


def completing(stage: Stage) -> None:
    stage.live()
    stage.viewer.field.press_sequentially("sens")


def publishing(stage: Stage) -> None:
    stage.live()
    stage.page.get_by_role("button", name="Publish", exact=True).click()
    stage.page.get_by_label("Subject", exact=True).fill("orders.created")
    stage.page.get_by_label("Payload", exact=True).fill(
        '{\n  "order": "ORD-2041",\n  "total": 21.50\n}'
    )
    stage.page.get_by_label("Headers", exact=True).fill("X-Trace: 7")
    panel = stage.page.get_by_role("dialog", name="Publish")
    panel.get_by_role("button", name="Publish", exact=True).click()
    expect(stage.page.get_by_test_id("outcome")).to_contain_text("Sent")


def reconnecting(stage: Stage) -> None:
    stage.live()
    stage.gateway.stop()
    stage.viewer.expect_state("reconnecting")


def error(stage: Stage) -> None:
    stage.page.goto(f"{stage.gateway.url}/{FRAGMENT}")
    stage.viewer.expect_state("error")


def settings(stage: Stage) -> None:
    stage.live()
    stage.viewer.button("Settings").click()


def help_(stage: Stage) -> None:
    stage.live()
    stage.viewer.button("Help").click()


def cleared(stage: Stage) -> None:
    stage.live()
    stage.viewer.button("Clear").click()


STATES: tuple[Callable[[Stage], None], ...] = (
    empty,
    connecting,
    waiting,
    live,
    mistake,
    refused,
    paused,
    detail,
    headers,
    past,
    plot,
    diff,
    latest,
    tree,
    columns,
    told,
    wall,
    filtered,
    completing,
    publishing,
    reconnecting,
    error,
    settings,
    help_,
    cleared,
)


def take(browser: Browser, state: Callable[[Stage], None], screen: Screen, out: Path) -> None:
    """Bring the page into one state and take its picture."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=screen.scheme,
        device_scale_factor=screen.scale,
        has_touch=screen.touch,
        is_mobile=screen.touch,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options: dict[str, Any] = {"publish_test_messages": False}
        if state is error:
            tokens = folder / "tokens"
            tokens.write_text('{"name": "nobody", "token": "one-that-nobody-knows"}\n')
            options["tokens_file"] = str(tokens)
        if state is publishing:
            options["allow_publish"] = ">"
        server = NatsServer(folder, jetstream(folder) if state in (past, tree) else "")
        with running(server):
            gateway = Gateway(server.url, log=folder / "log", **options)
            with running(gateway), RawNats(server.port) as publisher:
                page = context.new_page()
                state(Stage(page, gateway, publisher, Streams(server)))
                page.wait_for_timeout(DRAWN)
                save(page, out / f"{state.__name__.strip('_')}-{screen.name}.webp")
    context.close()


def save(page: Page, path: Path) -> None:
    """Take the picture as WebP, a quarter of a PNG's size."""
    session = page.context.new_cdp_session(page)
    picture = session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    path.write_bytes(base64.b64decode(picture["data"]))


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [state.__name__.strip("_") for state in STATES]
    parser.add_argument("states", nargs="*", help=f"all, or some of: {' '.join(names)}")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"), help="their folder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    wanted = [s for s in STATES if s.__name__.strip("_") in (arguments.states or names)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=OPTIONS)
        for state, screen in itertools.product(wanted, SCREENS):
            take(browser, state, screen, arguments.out)
            print(f"{state.__name__.strip('_')}-{screen.name}.webp", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
