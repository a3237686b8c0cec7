"""Take the pictures of the page: docs/page.png, docs/page-dark.png and docs/page-phone.png.

Needs a running gateway and the NATS server behind it; publishes the messages it shows itself.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nats
from nats.aio.client import Client
from playwright.async_api import Browser, Page, async_playwright, expect

PATTERNS = ("orders.*", "sensors.>", "deploy.log")
MESSAGES = 80
LOOKED_AT = 60  # after so many messages one is opened
PAUSE = 0.04  # seconds between two messages: times and figures look like those of a real system
DRAWN = 600  # ms until the figures, refreshed four times a second, agree with the list
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and the screen it is taken on."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    scale: int = 1
    touch: bool = False
    detail: bool = True


PICTURES = (
    Picture("page.png", 1280, 800, "light"),
    Picture("page-dark.png", 1280, 800, "dark"),
    Picture("page-phone.png", 360, 640, "light", scale=2, touch=True, detail=False),
)


def messages() -> list[tuple[str, bytes]]:
    """The same small shop with its machines each time."""
    chance = random.Random(7)
    makers = (_order, _sensor, _sensor, _order, _sensor, _deploy)
    turns = zip(range(MESSAGES), itertools.cycle(makers), strict=False)
    return [maker(chance, number) for number, maker in turns]


def _order(chance: random.Random, number: int) -> tuple[str, bytes]:
    step = chance.choice(("created", "paid", "shipped"))
    order = {
        "id": 9007199254740993 + number,
        "customer": chance.choice(("Ada", "Grace", "Linus", "Margaret")),
        "items": [{"sku": f"A-{chance.randint(100, 999)}", "qty": chance.randint(1, 4)}],
        "total": chance.randint(900, 25000) / 100,
        "express": chance.random() < 0.3,
    }
    return f"orders.{step}", json.dumps(order, separators=(",", ":")).encode()


def _sensor(chance: random.Random, number: int) -> tuple[str, bytes]:
    room = chance.choice(("kitchen", "office", "cellar"))
    if number % 3:
        celsius, battery = chance.randint(180, 240) / 10, chance.randint(71, 98) / 100
        reading = f'{{"celsius":{celsius:.2f},"battery":{battery:.2f}}}'
        return f"sensors.{room}.air", reading.encode()
    return f"sensors.{room}.door", chance.choice((b'{"open":true}', b'{"open":false}'))


def _deploy(chance: random.Random, number: int) -> tuple[str, bytes]:
    line = chance.choice(("rolled out", "healthy", "image pulled"))
    return "deploy.log", f"web-{chance.randint(1, 4)} v2.{number}.0 {line}".encode()


def browser_path() -> str | None:
    """The browser to use: CHROMIUM, else one on PATH, else (None) the one Playwright installed."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


async def take(browser: Browser, picture: Picture, url: str, client: Client, out: Path) -> None:
    """Follow the patterns, publish, and take one picture."""
    context = await browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        device_scale_factor=picture.scale,
        has_touch=picture.touch,
    )
    page = await context.new_page()
    await page.goto(f"{url.rstrip('/')}/#s={','.join(PATTERNS)}")
    active = page.locator('[data-testid="chip"][data-state="active"]')
    await expect(active).to_have_count(len(PATTERNS))
    await publish(client, messages()[:LOOKED_AT])
    if picture.detail:
        await expect(page.get_by_test_id("received")).to_have_text(str(LOOKED_AT))
        await open_last_order(page)
    await publish(client, messages()[LOOKED_AT:])
    await expect(page.get_by_test_id("received")).to_have_text(str(MESSAGES))
    await page.wait_for_timeout(DRAWN)
    await page.screenshot(path=out / picture.name)
    await context.close()


async def publish(client: Client, some: list[tuple[str, bytes]]) -> None:
    """Publish one message after the other, a moment apart."""
    for subject, payload in some:
        await client.publish(subject, payload)
        await client.flush()
        await asyncio.sleep(PAUSE)


async def open_last_order(page: Page) -> None:
    """Open the detail of the newest order and go on following."""
    row = page.get_by_test_id("row").filter(has_text="orders.", visible=True).last
    await row.click()
    await expect(page.get_by_test_id("detail")).to_be_visible()
    await page.get_by_role("button", name="Back to live").click()
    await page.mouse.move(0, 0)


async def main() -> None:
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:5001", help="where the gateway is")
    parser.add_argument("--nats", default="nats://127.0.0.1:4222", help="the NATS server behind it")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder for the pictures")
    arguments = parser.parse_args()
    client = await nats.connect(arguments.nats)
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=browser_path(), args=list(ARGUMENTS)
            )
            for picture in PICTURES:
                await take(browser, picture, arguments.url, client, arguments.out)
            await browser.close()
    finally:
        await client.close()


if __name__ == "__main__":
    asyncio.run(main())
