"""Operators: those who may see who is connected."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from aiohttp import web

from bridge.access.authentication import bearer_of


class Operators:
    """Those who hold `token`; nobody if it is empty. `refuse` is told who does not, and why."""

    def __init__(self, token: str, refuse: Callable[[web.Request, str], None]) -> None:
        self._token = token.encode()
        self._refuse = refuse

    def check(self, request: web.Request) -> None:
        """Raise HTTPForbidden if there are no operators, HTTPUnauthorized if this is none."""
        if not self._token:
            raise web.HTTPForbidden(text="Set OPERATOR_TOKEN to see this.\n")
        shown = (bearer_of(request) or "").encode(errors="surrogateescape")
        if not hmac.compare_digest(shown, self._token):
            self._refuse(request, "the token of an operator is needed")
            raise web.HTTPUnauthorized(
                text="The token of an operator is needed.\n",
                headers={"WWW-Authenticate": "Bearer"},
            )
