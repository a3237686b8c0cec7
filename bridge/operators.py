"""Operators: those who may see who is connected."""

from __future__ import annotations

import hmac

from aiohttp import web

from bridge.admission import bearer_of
from bridge.metrics import Counters


class Operators:
    """Those who hold `token`; nobody if it is empty."""

    def __init__(self, token: str, counters: Counters) -> None:
        self._token = token.encode()
        self._counters = counters

    def check(self, request: web.Request) -> None:
        """Raise HTTPForbidden if there are no operators, HTTPUnauthorized if this is none."""
        if not self._token:
            raise web.HTTPForbidden(text="Set OPERATOR_TOKEN to see this.\n")
        shown = (bearer_of(request) or "").encode(errors="surrogateescape")
        if not hmac.compare_digest(shown, self._token):
            self._counters.refused_unauthorized += 1
            raise web.HTTPUnauthorized(
                text="The token of an operator is needed.\n",
                headers={"WWW-Authenticate": "Bearer"},
            )
