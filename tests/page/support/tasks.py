"""How long the page is held up by its own work."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page


def longest_task(page: Page, script: str) -> float:
    """Return the milliseconds of processor time that the longest task took while `script` ran.

    The time on the clock would also hold what other programs on the machine did meanwhile: a task
    of 2 ms was seen to take 221 ms. `script` must not begin its work right after an `import()`:
    Chromium traces no task for that.
    """
    browser = page.context.browser
    assert browser is not None
    browser.start_tracing(page=page, categories=["toplevel", "__metadata"])
    try:
        page.evaluate(script)
    finally:
        trace = browser.stop_tracing()
    return _longest(json.loads(trace)["traceEvents"])


def _longest(events: list[dict[str, Any]]) -> float:
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    times = [
        event["tdur"] / 1_000
        for event in events
        if event["name"].endswith("RunTask")
        and "tdur" in event
        and (event["pid"], event["tid"]) in mains
    ]
    assert times, "the browser traced no task of the page"
    return max(times)
