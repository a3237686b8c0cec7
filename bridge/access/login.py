"""The login of one connection: who it is for, and for how long its token counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from bridge.access import proxy_sign_in
from bridge.access.addresses import counted_as_one
from bridge.access.tokens import Principal, TokenError, Tokens
from bridge.wire.codes import CloseCode

TOKEN_CHECK_SECONDS = 30.0
"""Between two looks at the clock on the wall, which may be set, and at revoked tokens."""


def who_is(principal: Principal, address: str) -> tuple[str, ...]:
    """Return what tells callers apart: whose token it is, or else where anyone comes from."""
    return principal.identity or (counted_as_one(address),)


class Login:
    """The principal of one connection, and the end of the token that was shown for it.

    `changed` tells whether a principal has other grants by now. `stopped` is called when it stops.
    """

    __slots__ = ("_changed", "_end", "_stopped", "_timer", "_tokens", "address", "principal")

    def __init__(
        self,
        principal: Principal,
        tokens: Tokens | None = None,
        changed: Callable[[Principal], bool] | None = None,
        *,
        address: str = "",
        stopped: Callable[[], None] = lambda: None,
    ) -> None:
        self.principal = principal
        self.address = address
        """Where it comes from, if that is known."""
        self._tokens = tokens
        self._changed = changed
        self._stopped = stopped
        self._end: Callable[..., None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, end: Callable[..., None]) -> None:
        """Call `end` with a reason once the token is no longer valid.

        A code goes with it where there is no token that could be asked for: the browser only has to
        come back, and has other grants then.
        """
        self._end = end
        self._check()

    def stop(self) -> None:
        """Stop watching, since the connection has ended. Idempotent."""
        self._end = None
        if self._timer is not None:
            self._timer.cancel()
        self._stopped()

    def renew(self, token: str) -> None:
        """Take a fresh token. Raises TokenError; one of somebody else does not count either.

        A proxy's sign-in is no token: who shows one is its holder from then on.
        """
        if self._tokens is None:
            raise TokenError("no token is asked for here")
        principal = self._tokens.principal(token, time.time())
        former = self.principal.identity
        if former[:1] not in ((), (proxy_sign_in.KIND,)) and former != principal.identity:
            raise TokenError("the token is for somebody else than the one before")
        self.principal = principal
        if self._timer is not None:
            self._timer.cancel()
        self._check()

    def _check(self) -> None:
        self._timer = None
        if self._end is None or not self.principal.identity:
            return
        left = self.principal.expires - time.time()
        if left <= 0:
            self._end("the token has expired")
        elif self._tokens is not None and self._tokens.revoked(self.principal):
            self._end("the token has been revoked")
        elif self._changed is not None and self._changed(self.principal):
            self._end("the grants have changed", CloseCode.RESTART)
        else:
            wait = min(left, TOKEN_CHECK_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(wait, self._check)
