"""Where the keys of JWTs come from: a file, or a URL from which somebody else fetches them."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from bridge.access.addresses import is_loopback
from bridge.access.tokens import NotYet
from bridge.files import Reread, SettingError

if TYPE_CHECKING:
    from bridge.access.jwt_keys import Key

ALGORITHMS = ("HS256", "RS256", "ES256", "EdDSA")
FETCH_PAUSE_SECONDS = 30.0
"""Between two fetches that tokens ask for: anybody can name a key that nobody knows."""


class Keys(Protocol):
    """Keys that JWTs are signed with."""

    def of(self, kid: str | None) -> Sequence[Key]:
        """Return those that a token which names `kid`, or none, may be signed with.

        Raises NotYet if they may be known in a moment.
        """


class KeyFile:
    """The keys in a file, which is read again when it has changed."""

    def __init__(self, path: str, algorithms: Iterable[str]) -> None:
        # The libraries for JWTs take a tenth of the start, and most gateways need none.
        from bridge.access.jwt_keys import read_keys

        algorithms = tuple(algorithms)
        self._keys = Reread("JWT_KEY", path, lambda text: read_keys(text, algorithms))

    def of(self, kid: str | None) -> Sequence[Key]:
        """Return those that a token which names `kid`, or none, may be signed with."""
        return _chosen(self._keys(), kid)


class FetchedKeys:
    """The keys at `url`, as far as they have been fetched, for `algorithms` with public keys.

    Whoever fetches them waits for `wanted`, and says `begin` and `end`. Raises SettingError.
    """

    def __init__(self, url: str, algorithms: Iterable[str]) -> None:
        self.url = _checked(url)
        self.algorithms = tuple(each for each in algorithms if each != "HS256")
        if not self.algorithms:
            raise SettingError("JWT_KEY", "a URL has public keys only, and HS256 needs a secret")
        self.wanted = asyncio.Event()
        """Set when a token names a key that is not known."""
        self._keys: tuple[Key, ...] = ()
        self._fetching = False
        self._tried_at = -math.inf

    @property
    def known(self) -> bool:
        """Whether there are any yet."""
        return bool(self._keys)

    def of(self, kid: str | None) -> Sequence[Key]:
        """Return those that a token which names `kid`, or none, may be signed with.

        Raises NotYet if they may be known in a moment, and has them fetched.
        """
        found = _chosen(self._keys, kid)
        if found:
            return found
        rested = time.monotonic() - self._tried_at >= FETCH_PAUSE_SECONDS
        if rested and not self._fetching:
            self.wanted.set()
        if rested or self._fetching or not self._keys:
            raise NotYet("the token's key has yet to be fetched, try again in a moment")
        return ()

    def begin(self) -> None:
        """Note that a fetch begins."""
        self._fetching = True
        self.wanted.clear()

    def end(self, keys: Iterable[Key] = ()) -> None:
        """Take what a fetch has brought; if that is nothing, what was there stands."""
        self._fetching = False
        self._tried_at = time.monotonic()
        self._keys = tuple(keys) or self._keys


def is_url(key: str) -> bool:
    """Tell whether JWT_KEY is a URL, and no path."""
    return key.lower().startswith(("https://", "http://"))


def _chosen(keys: Iterable[Key], kid: str | None) -> list[Key]:
    return [key for key in keys if kid is None or key.kid in (None, kid)]


def _checked(url: str) -> str:
    """Return `url`. Raises SettingError if a stranger could answer instead of its host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        good = bool(host) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise SettingError("JWT_KEY", "it is not a URL such as https://id.example.com/jwks")
    if parts.scheme != "https" and not is_loopback(host):
        raise SettingError(
            "JWT_KEY", "the URL has to begin with https://: whoever is on the way could sign tokens"
        )
    return url
