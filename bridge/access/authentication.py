"""Who makes a request: the token in one of its headers, or in its cookie.

A token never comes in the URL, which is written to logs on its way.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from multidict import MultiMapping

from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal, TokenError, Tokens

COOKIE = "nats_bridge_token"
BEARER = "bearer"
"""The subprotocol behind which a page offers its token: `new WebSocket(url, ["bearer", token])`.

It sets no other header. The response has to name a protocol that was offered: this one, since a
token must not go back (RFC 6455, section 4.2.2).
"""


class Request(Protocol):
    """What is looked at of an HTTP request."""

    @property
    def headers(self) -> MultiMapping[str]: ...
    @property
    def cookies(self) -> Mapping[str, str]: ...


class Authentication:
    """Tells who makes a request: the holder of a token, or anyone.

    Anyone may come while there are no `tokens`, or if `anonymous`; `policy` is then what they may
    follow.
    """

    def __init__(
        self, policy: SubjectPolicy, tokens: Tokens | None = None, *, anonymous: bool = False
    ) -> None:
        self._anyone = Principal(policy)
        self._tokens = tokens
        self._anonymous = anonymous or tokens is None

    def of_websocket(self, request: Request) -> Principal | str | TokenError:
        """Return who asks for a WebSocket.

        A page cannot see a 401, only a lost connection, and would retry for ever. So what is wrong
        with a token that a page can send is returned, and told by the WebSocket: a TokenError for
        one in a subprotocol; a string for one in the cookie, which its page cannot remove, so
        another one has to be asked for. An empty string if there is none at all.
        Raises TokenError if the one in the header does not count: no page sets that.
        """
        header, offered = bearer_of(request), offered_by(request)
        try:
            principal = self._shown(request, offered if header is None else header)
        except TokenError as error:
            if header is not None:
                raise
            if offered is not None:
                return error
            return self._anyone if self._anonymous else str(error)
        return principal or (self._anyone if self._anonymous else "")

    def of_post(self, request: Request) -> Principal:
        """Return who makes a POST. Raises TokenError if a token is missing or does not count."""
        principal = self._shown(request, bearer_of(request))
        if principal is None and not self._anonymous:
            raise TokenError("a token is needed")
        return principal or self._anyone

    def of_token(self, token: str) -> Principal:
        """Return who holds `token`. Raises TokenError."""
        if self._tokens is None:
            raise TokenError("no token is asked for here")
        return self._tokens.principal(token, time.time())

    def login(self, principal: Principal, address: str, stopped: Callable[[], None]) -> Login:
        """Return the login of a connection that begins; `stopped` is called when it has ended."""
        return Login(principal, self._tokens, address=address, stopped=stopped)

    def _shown(self, request: Request, token: str | None) -> Principal | None:
        """Return the holder of `token`, or else of the one in the cookie; None without either.

        Raises TokenError.
        """
        if token is None and "Origin" in request.headers:
            # A browser sends a cookie along whoever wrote the page, but then it says which page
            # that is, and the origin has been checked.
            token = request.cookies.get(COOKIE)
        if token is None or self._tokens is None:
            return None
        return self.of_token(token)


class Operators:
    """Those who hold `token` and may see who is connected; nobody if it is empty."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._token)

    def include(self, request: Request) -> bool:
        """Tell whether one of them makes a request."""
        shown = (bearer_of(request) or "").encode(errors="surrogateescape")
        return bool(self._token) and hmac.compare_digest(shown, self._token)


def bearer_of(request: Request) -> str | None:
    """Return the token in the Authorization header."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def offered_by(request: Request) -> str | None:
    """Return the token that stands behind `BEARER` among the subprotocols of a WebSocket."""
    lines = ",".join(request.headers.getall("Sec-WebSocket-Protocol", ()))
    names = [name.strip() for name in lines.split(",")]
    place = names.index(BEARER) + 1 if BEARER in names else len(names)
    return (names[place] or None) if place < len(names) else None
