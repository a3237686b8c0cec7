"""Contexts of the `nats` command: where NATS is and how to sign in, in a file under a name.

The format is that of ADR-21 of NATS, "NATS Configuration Contexts".
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge import files
from bridge.files import SettingError

if TYPE_CHECKING:
    from bridge.settings.derived import Settings

NAME = "NATS_CONTEXT"
DEFAULT_URL = "nats://127.0.0.1:4222"
"""What the `nats` command takes for a context without a URL."""

SETTINGS = {
    "url": "nats_url",
    "user": "nats_user",
    "password": "nats_password",
    "token": "nats_token",
    "creds": "nats_creds",
    "nkey": "nats_nkey_seed",
    "cert": "nats_tls_cert",
    "key": "nats_tls_key",
    "ca": "nats_tls_ca",
}
"""What a context may hold, and the setting that means the same."""
PATHS = ("creds", "nkey", "cert", "key", "ca")
"""Those that are paths; the `nats` command expands variables in them."""
NEEDED = ("nsc", "user_jwt", "user_seed", "socks_proxy", "windows_cert_store")
"""What would be needed to connect, and is not supported."""
INBOX = "inbox_prefix"
_REFERENCE = re.compile(r"[a-z][a-z0-9+.-]*://")
"""What newer `nats` commands resolve: nsc://, op:// and others."""


def settings(given: Settings) -> dict[str, Any]:
    """Return the settings that the context of `given` stands for. Raises SettingError."""
    for setting in SETTINGS.values():
        if getattr(given, setting):
            raise SettingError(
                NAME, f"{setting.upper()} says how to connect as well; one of them has to go"
            )
    held = _read(given.nats_context)
    for key in NEEDED:
        if held.get(key):
            raise SettingError(NAME, f"{key}, which it holds, is not supported: use NATS_CREDS")
    texts = {key: held[key] for key in SETTINGS if held.get(key)}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise SettingError(NAME, f"{key}, which it holds, has to be text")
        if key in PATHS:
            texts[key] = os.path.expandvars(text.removeprefix("file://"))
        if key != "url" and _REFERENCE.match(texts[key]):
            raise SettingError(NAME, f"{key}, which it holds, only refers to a secret elsewhere")
    texts.setdefault("url", DEFAULT_URL)
    if held.get("tls_first"):
        texts["url"] = _with_tls(texts["url"])
    return {SETTINGS[key]: text for key, text in texts.items()}


def warnings(name: str) -> list[str]:
    """Say what the gateway does not use of the context `name`, though it makes a difference."""
    if not name or not _read(name).get(INBOX):
        return []
    return [f"{NAME}: {INBOX} is not used, the gateway's inbox is _INBOX.nats_bridge.>"]


def _with_tls(urls: str) -> str:
    """Return `urls` with TLS: a server that waits for it is then found out by its silence."""
    return ",".join(f"tls://{url.strip().rpartition('://')[2]}" for url in urls.split(","))


def _read(name: str) -> dict[str, Any]:
    folder = _folder()
    path = folder / f"{name}.json"
    if Path(name).name != name or not path.is_file():
        there = ", ".join(sorted(each.stem for each in folder.glob("*.json"))) or "none"
        raise SettingError(NAME, f"there is no {path}; contexts in that folder: {there}")
    try:
        held = json.loads(files.read(NAME, str(path)))
    except ValueError:
        held = None
    if not isinstance(held, dict):
        raise SettingError(NAME, f"{path} is not a JSON object")
    return held


def _folder() -> Path:
    parent = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(parent, "nats", "context")
