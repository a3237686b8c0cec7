"""URLs as people are shown them."""

from __future__ import annotations

from urllib.parse import urlsplit


def page_url(host: str, port: int, scheme: str = "http") -> str:
    """Return what to open in a browser on this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104  that is what somebody set
        return f"{scheme}://127.0.0.1:{port}/ (and on every other address of this machine)"
    return f"{scheme}://[{host}]:{port}/" if ":" in host else f"{scheme}://{host}:{port}/"


def without_password(url: str) -> str:
    """Return `url` without user, password or token."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
