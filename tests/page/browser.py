"""Finds a browser for the page's tests; run as a program, also installs one if there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed() -> str | None:
    """Return the browser that $CHROMIUM names, or one on the PATH; None for Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def works() -> bool:
    """Tell whether Playwright can start the browser."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=installed(), args=OPTIONS).close()
        except Error:
            return False
    return True


def install() -> None:
    """Install a browser: Playwright's own, or the system's package where that cannot be had."""
    print("No browser found for the page's tests: installing one ...", flush=True)
    if subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"]).returncode == 0:
        return
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(["apt-get", "-qq", "install", "-y", "chromium"], check=True)


if __name__ == "__main__":
    if not works():
        install()
        if not works():
            sys.exit("No browser for the page's tests: install Chromium, or set CHROMIUM.")
