"""Who may read messages by a plain GET, which a browser also sends for pages of others.

A page names its origin only where it asks another one by CORS: that is judged as for a WebSocket.
For the rest there are the browser's word on where the page is from (`Sec-Fetch-Site`), which old
browsers, and all of them without TLS, keep to themselves; and the name in `Host`, which a page
cannot choose, though whoever owns that name can point it at us (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.access.origins import OriginPolicy

FOREIGN = (
    "the browser says that a page of another origin asks, and not which: have that page ask by "
    "CORS, as EventSource and fetch do, and add its origin to ALLOWED_ORIGINS"
)
ANY_NAME = (
    "anybody can point that name here, and read with the rights of whoever opens their page: ask "
    "by an IP address, send a token in Authorization, or add the origin of that name to "
    "ALLOWED_ORIGINS"
)
TWO_NAMES = (
    "Host names another one, which anybody can point here, and where a proxy passes on what its "
    "caller says, that page can write X-Forwarded-Host: have the proxy overwrite it, and pass Host "
    "on as it came"
)


def reader_fault(
    headers: Mapping[str, str],
    origins: OriginPolicy,
    scheme: str,
    host: str,
    *,
    proxied: bool,
    has_token: bool,
) -> str:
    """Say why a GET without an `Origin` may not be answered, or one that has an allowed one may.

    Empty if it may. `host`: the name it was made to, as a trusted proxy says, if there is one.
    `has_token`: it shows one that no page of others could have.
    """
    if "Origin" in headers:
        return ""
    if headers.get("Sec-Fetch-Site", "").lower() in ("cross-site", "same-site"):
        return FOREIGN
    # Every browser says what its user reads, and no page can leave that out.
    program = "Accept-Language" not in headers
    if has_token or "Host" not in headers:
        return ""
    if not origins.is_asked_for(scheme, host, proxied=proxied, program=program):
        return ANY_NAME
    # A proxy may have put the name of what stands behind it here, such as that of a container.
    came_as = headers["Host"]
    if origins.is_asked_for(scheme, came_as, proxied=proxied, program=program or came_as != host):
        return ""
    return TWO_NAMES
