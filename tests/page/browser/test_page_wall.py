"""The page of docs/history.md, which shows the latest value of each sensor."""

from __future__ import annotations

import asyncio
import shlex
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.page.browser.test_page_client import Site
from tests.support import readme
from tests.support.jetstream import jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, running

BACK = 30_000  # ms


class Sensors:
    """What publishes to the stream that the documentation has people make."""

    def __init__(self, nats: NatsServer) -> None:
        self._nats = nats
        self._published = 0

    def make(self) -> None:
        """Make the stream as the command says."""
        (command,) = (each for each in readme.COMMANDS if each.startswith("nats stream add"))
        *_, name, _, subjects, _, most, _ = shlex.split(command)
        config = {"max_msgs_per_subject": int(most)}

        async def make() -> None:
            async with plain_client(self._nats) as client:
                await make_stream(client, name, [subjects], **config)

        in_a_thread(make())

    def publish(self, *values: tuple[str, str]) -> None:
        """Publish payloads to subjects; they are stored when this returns."""
        self._published += len(values)

        async def publish() -> None:
            async with plain_client(self._nats) as client:
                for subject, payload in values:
                    await client.publish(subject, payload.encode())
                await until_stored(client, "SENSORS", self._published)

        in_a_thread(publish())


def in_a_thread(work: Any) -> None:
    """Run a coroutine: Playwright has the loop of this thread."""
    thread = threading.Thread(target=asyncio.run, args=(work,))
    thread.start()
    thread.join()


def pairs() -> list[tuple[str, str]]:
    """Return what the documentation publishes."""
    commands = (shlex.split(each) for each in readme.COMMANDS if "nats pub sensors." in each)
    return [(subject, payload) for *_, subject, payload in commands]


def test_the_wall_of_the_documentation_is_right_after_every_restart(
    page: Page, tmp_path: Path
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]  connections that break
    site = Site()
    threading.Thread(target=site.server.serve_forever, daemon=True).start()
    nats = NatsServer(tmp_path, jetstream(tmp_path))
    with running(nats):
        gateway = Gateway(nats.url, log=tmp_path / "log", allowed_origins=site.origin)
        sensors = Sensors(nats)
        sensors.make()
        sensors.publish(("sensors.kitchen", '{"celsius": 1}'), *pairs())

        def shows(kitchen: str, state: str = "live") -> None:
            rows = page.locator("#sensors tr")
            expect(rows.filter(has_text="kitchen")).to_have_text(
                f"sensors.kitchen{kitchen}", timeout=BACK
            )
            expect(rows.filter(has_text="cellar")).to_have_text("sensors.cellar11.2")
            expect(page.locator("#state")).to_have_text(state, timeout=BACK)

        with running(gateway):
            site.html = readme.block("xhtml").replace("127.0.0.1:5001", f"127.0.0.1:{gateway.port}")
            page.goto(site.origin)
            shows("21.5")
            sensors.publish(("sensors.kitchen", '{"celsius": 22}'))
            shows("22")
            page.goto("about:blank")
            sensors.publish(("sensors.kitchen", '{"celsius": 23}'))
            page.goto(site.origin)
            shows("23")
            nats.stop()
            expect(page.locator("#state")).to_have_text("nats_down")
            nats.start()
            sensors.publish(("sensors.kitchen", '{"celsius": 24}'))
            shows("24", "nats_up")
            gateway.stop()
            expect(page.locator("#state")).to_have_text("away")
            sensors.publish(("sensors.kitchen", '{"celsius": 25}'))
            gateway.start()
            shows("25")
            page.goto("about:blank")
    site.server.shutdown()
    site.server.server_close()
