"""What is for operators has a port of its own, if METRICS_PORT is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bridge.web.tcp import CountedHandler

OPERATORS = frozenset({"/metrics", "/connections"})
"""Paths that only the port for operators serves, if there is one."""
HEALTH = frozenset({"/livez", "/readyz"})
"""Paths that both serve: Docker and balancers ask where browsers come to, and get one word."""


@web.middleware
async def keep_apart(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer at each of the two ports what belongs there, and 404 to the rest."""
    protocol = request.protocol
    inside = isinstance(protocol, CountedHandler) and protocol.inside
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    if path not in HEALTH and (path in OPERATORS) != inside:
        raise web.HTTPNotFound
    return await handler(request)
