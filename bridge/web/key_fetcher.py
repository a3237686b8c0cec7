"""Fetches the keys of JWTs from their URL, in the background."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import aiohttp

from bridge.access.jwt_keys import read_key_set
from bridge.files import openssl_reason
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.web.resolver import Resolver

if TYPE_CHECKING:
    from bridge.access.key_sources import FetchedKeys
    from bridge.telemetry.throttled_log import ThrottledLog

REFRESH_SECONDS = 300.0
"""Between two fetches while all is well: a key that was withdrawn counts no longer than that."""
FIRST_RETRY_SECONDS = 1.0
LAST_RETRY_SECONDS = 60.0
"""After a fetch that failed; each wait is twice the one before."""
FETCH_TIMEOUT_SECONDS = 5.0
MAX_KEY_SET_BYTES = 262144

_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


class FetchError(Exception):
    """A response without keys; the text says why, and holds nothing of the URL or the response."""


class KeyFetcher:
    """Keeps `keys` fresh. A fetch that fails is logged once a minute, and changes nothing."""

    def __init__(self, keys: FetchedKeys, throttled: ThrottledLog) -> None:
        self._keys = keys
        self._throttled = throttled
        self._text = b""

    async def run(self) -> None:
        """Fetch them now, after a while, and when a token asks for one that is not there."""
        retry = FIRST_RETRY_SECONDS
        while True:
            if await self.fetch():
                wait, retry = REFRESH_SECONDS, FIRST_RETRY_SECONDS
            else:
                wait, retry = retry, min(LAST_RETRY_SECONDS, 2 * retry)
            try:
                async with asyncio.timeout(wait):
                    await self._keys.wanted.wait()
            except TimeoutError:
                pass

    async def fetch(self) -> bool:
        """Fetch them once; tell whether that brought any."""
        self._keys.begin()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                text = await self._download()
                # Hundreds of keys take a while.
                keys = await asyncio.to_thread(read_key_set, text, self._keys.algorithms)
        except Exception as error:  # whatever a library makes of what came: it is tried again
            self._keys.end()
            if self._keys.known:
                self._throttled.tell(events.KEYS_STALE, reason=_reason(error))
            else:
                self._throttled.tell(events.KEYS_MISSING, reason=_reason(error))
            return False
        self._keys.end(keys)
        if text != self._text:
            self._text = text
            tell(events.KEYS_FETCHED)
        return True

    async def _download(self) -> bytes:
        """Return the body of the response. Raises FetchError if it is none, or too long."""
        # It reads the certificates of all authorities.
        context = await asyncio.to_thread(ssl.create_default_context)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context, resolver=Resolver(), force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            # One to another host, or to http, would let that one sign tokens.
            session.get(self._keys.url, headers=_HEADERS, allow_redirects=False) as response,
        ):
            if response.status != 200:
                also = ", and redirects are not followed" if 300 <= response.status < 400 else ""
                raise FetchError(f"the answer is {response.status}{also}")
            body = b""
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > MAX_KEY_SET_BYTES:
                    raise FetchError(f"the answer has more than {MAX_KEY_SET_BYTES} bytes")
            return body


def _reason(error: Exception) -> str:
    """Say why a fetch failed, without the URL, which may hold a password."""
    if isinstance(error, TimeoutError):
        return f"there is no whole answer within {FETCH_TIMEOUT_SECONDS:g} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        cause = getattr(error, "certificate_error", None) or error.os_error
        return f"its certificate does not count here: {openssl_reason(cause)}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host is not known"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"it cannot be reached: {(error.os_error.strerror or 'no connection').lower()}"
    if isinstance(error, FetchError) or type(error) is ValueError:
        return str(error)
    return f"the answer cannot be read ({type(error).__name__})"
