"""Finds browsers for the page's tests; run as a program, also installs those that are missing."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
LEFT_OUT = (
    # What Playwright leaves out; ours would replace its own list.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"),
    *("NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    # The list under the address bar is a page of its own in each window, and a renderer is kept in
    # reserve: half of what it takes to open a window for a test.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    "SpareRendererForSitePerProcess",
)
OPTIONS = [
    f"--disable-features={','.join(LEFT_OUT)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

PATIENCE = 60  # s, for each that the tests can do without
WEBKIT = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


def installed() -> str | None:
    """Return the browser that $CHROMIUM names, or one on the PATH; None for Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def installed_firefox() -> str | None:
    """Return the Firefox that $FIREFOX names, or Debian's; a snap cannot read a test's profile."""
    return os.environ.get("FIREFOX") or shutil.which("firefox-esr")


def installed_webkit() -> tuple[str, str] | None:
    """Return WebKit's driver and its browser, if there is an X server for it, too."""
    driver, browsers = shutil.which("WebKitWebDriver"), sorted(glob.glob(WEBKIT))
    return (driver, browsers[-1]) if driver and browsers and shutil.which("Xvfb") else None


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


def install_others() -> None:
    """Install Firefox and WebKit on Debian; without them their tests are skipped.

    The time to download is bounded. What is there is then installed to the end: an installation
    that is cut off would have to be repaired by hand.
    """
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return
    wanted = {"firefox-esr": installed_firefox(), "webkit2gtk-driver xvfb": installed_webkit()}
    get = ["apt-get", "-qq", "--no-install-recommends", "-y"]
    missing = [["install", *names.split()] for names, found in wanted.items() if not found]
    try:
        if missing:
            subprocess.run([*get, "update"], check=True, timeout=PATIENCE)
        for install in missing:
            print(f"Installing {' and '.join(install[1:])} for the page's tests ...", flush=True)
            subprocess.run([*get, "--download-only", *install], check=True, timeout=PATIENCE)
            subprocess.run([*get, "--no-download", *install], check=True, stdout=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"Not installed, so their tests are skipped: {error}", flush=True)


if __name__ == "__main__":
    if not works():
        install()
        if not works():
            sys.exit("No browser for the page's tests: install Chromium, or set CHROMIUM.")
    install_others()
