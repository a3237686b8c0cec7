"""Who makes a request: the holder of the token in it, or who is signed in at a reverse proxy.

A token never comes in the URL, which is written to logs on its way.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from bridge.access import proxy_sign_in
from bridge.access.history_policy import NO_PATTERNS, HistoryPolicy
from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.proxy_sign_in import ProxySignIn
from bridge.access.publish_policy import ANYTHING, NOTHING
from bridge.access.tokens import NotYet, Principal, TokenError, Tokens
from bridge.wire.patterns import PatternSet

COOKIE = "nats_bridge_token"
BEARER = "bearer"
"""The subprotocol behind which a page offers its token: `new WebSocket(url, ["bearer", token])`.

It sets no other header. The response has to name a protocol that was offered: this one, since a
token must not go back (RFC 6455, section 4.2.2).
"""


class Request(proxy_sign_in.Request, Protocol):
    """What is looked at of an HTTP request."""

    @property
    def cookies(self) -> Mapping[str, str]: ...


class Authentication:
    """Tells who makes a request: the holder of a token, who is signed in at a proxy, or anyone.

    Anyone may come while there are neither `tokens` nor a `sign_in`, or if `anonymous`; `policy` is
    then what they may follow, `readable` of what they may read the past. Without both they may also
    publish. A token that is shown counts before all else, the cookie last.
    """

    def __init__(
        self,
        policy: SubjectPolicy,
        tokens: Tokens | None = None,
        sign_in: ProxySignIn | None = None,
        *,
        anonymous: bool = False,
        readable: PatternSet = NO_PATTERNS,
    ) -> None:
        is_open = tokens is None and sign_in is None
        publish = ANYTHING if is_open else NOTHING
        history = HistoryPolicy.of(policy, readable)
        self._anyone = Principal(policy, publish=publish, history=history)
        self._tokens = tokens
        self._sign_in = sign_in
        self._anonymous = anonymous or is_open

    def of_websocket(self, request: Request) -> Principal | str | TokenError:
        """Return who asks for a WebSocket.

        A page cannot see a 401, only a lost connection, and would retry for ever. So what is wrong
        with a token that a page can send is returned, and told by the WebSocket: a TokenError for
        one in a subprotocol; a string for one in the cookie, which its page cannot remove, so
        another one has to be asked for. An empty string if there is none at all.
        Raises TokenError for what no page sets: the header, or who is signed in at a proxy; NotYet
        for what may count in a moment.
        """
        header, offered = bearer_of(request), offered_by(request)
        try:
            principal = self._holder(offered if header is None else header)
        except TokenError as error:
            if header is not None:
                raise
            return error
        fault = ""
        principal = principal or self._signed_in(request)
        if principal is None:
            try:
                principal = self._holder(cookie_of(request))
            except NotYet:
                raise
            except TokenError as error:
                fault = str(error)
        if principal is None and not self._anonymous:
            if self._tokens is None:
                raise self._nobody()
            return fault
        return principal or self._anyone

    def of_http(self, request: Request) -> Principal:
        """Return who makes a request by plain HTTP. Raises TokenError if that is not known."""
        principal = self._holder(bearer_of(request)) or self._signed_in(request)
        principal = principal or self._holder(cookie_of(request))
        if principal is None and not self._anonymous:
            raise self._nobody()
        return principal or self._anyone

    def has_bearer(self, request: Request) -> bool:
        """Tell whether a token stands in the header Authorization, and such are asked for."""
        return self._tokens is not None and bearer_of(request) is not None

    def of_token(self, token: str) -> Principal:
        """Return who holds `token`. Raises TokenError."""
        if self._tokens is None:
            raise TokenError("no token is asked for here")
        return self._tokens.principal(token, time.time())

    def login(self, principal: Principal, address: str, stopped: Callable[[], None]) -> Login:
        """Return the login of a connection that begins; `stopped` is called when it has ended."""
        changed = self._sign_in.changed if self._sign_in is not None else None
        return Login(principal, self._tokens, changed, address=address, stopped=stopped)

    def _holder(self, token: str | None) -> Principal | None:
        """Return who holds `token`; None if there is none, or none counts. Raises TokenError."""
        return None if token is None or self._tokens is None else self.of_token(token)

    def _signed_in(self, request: Request) -> Principal | None:
        return None if self._sign_in is None else self._sign_in.principal(request)

    def _nobody(self) -> TokenError:
        if self._tokens is not None or self._sign_in is None:
            return TokenError("a token is needed")
        return TokenError(f"one of TRUSTED_PROXIES has to say who it is, in {self._sign_in.header}")


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


def cookie_of(request: Request) -> str | None:
    """Return the token in the cookie, if the page is known.

    A browser sends a cookie along whoever wrote the page. But then it says which page that is, and
    the origin has been checked; or, in a GET, that it is one of the same origin.
    """
    of_same = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return request.cookies.get(COOKIE) if of_same or "Origin" in request.headers else None


def offered_by(request: Request) -> str | None:
    """Return the token that stands behind `BEARER` among the subprotocols of a WebSocket."""
    lines = ",".join(request.headers.getall("Sec-WebSocket-Protocol", ()))
    names = [name.strip() for name in lines.split(",")]
    place = names.index(BEARER) + 1 if BEARER in names else len(names)
    return (names[place] or None) if place < len(names) else None
