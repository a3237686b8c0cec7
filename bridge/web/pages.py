"""Which web pages may ask here, and what the others are told, counted and logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bridge.access.foreign_pages import likely_cause
from bridge.access.proxies import is_forwarded
from bridge.access.readers import reader_fault
from bridge.telemetry import events
from bridge.telemetry.log_lines import bare_origin
from bridge.web.cross_origin import let_read
from bridge.wire.responses import shorten

if TYPE_CHECKING:
    from bridge.access.origins import OriginPolicy
    from bridge.access.proxies import Caller, TrustedProxies
    from bridge.telemetry.counters import Counters
    from bridge.telemetry.throttled_log import ThrottledLog


class Pages:
    """Judges the pages that ask: a browser sends along the cookies of its reader for any of them.

    Those that may not are counted, and logged through `throttled`.
    """

    def __init__(
        self,
        origins: OriginPolicy,
        proxies: TrustedProxies,
        counters: Counters,
        throttled: ThrottledLog,
    ) -> None:
        self._origins, self._proxies = origins, proxies
        self._counters, self._throttled = counters, throttled

    def refuse_foreign(self, request: web.Request, caller: Caller) -> None:
        """Raise HTTPForbidden (403) for a page of another origin, which may not read that either.

        What says no origin passes.
        """
        origin = request.headers.get("Origin")
        trusted = self._proxies.trusts(request.remote or "")
        if self._origins.allows(origin, caller.scheme, caller.host, proxied=trusted):
            let_read(request, origin)
            return
        let_read(request, None)
        own = _own(caller)
        forwarded = is_forwarded(request.headers)
        cause = likely_cause(origin or "", own, trusted=trusted, forwarded=forwarded)
        page, own = self._tell(caller, origin or "", own, cause)
        # `page/js/client.js` takes the cause out of this sentence.
        said = f"The origin {page!r} is not allowed at {own!r}: {cause}.\n"
        raise web.HTTPForbidden(text=said)

    def refuse_unnamed(self, request: web.Request, caller: Caller, *, has_token: bool) -> None:
        """Raise HTTPForbidden (403) for a GET that any page may have made, since it says no origin.

        `has_token`: it shows one that no page of others could have.
        """
        trusted = self._proxies.trusts(request.remote or "")
        scheme, host = caller.scheme, caller.host
        cause = reader_fault(
            request.headers, self._origins, scheme, host, proxied=trusted, has_token=has_token
        )
        if cause:
            _, own = self._tell(caller, "unknown", _own(caller), cause)
            said = f"A page that says no origin may not read from {own!r}: {cause}.\n"
            raise web.HTTPForbidden(text=said)

    def _tell(self, caller: Caller, origin: str, own: str, cause: str) -> tuple[str, str]:
        """Count a page that may not ask, and log it; return both origins as they may be shown."""
        # A header may hold anything, also a secret in the wrong place.
        page, own = shorten(bare_origin(origin)), shorten(bare_origin(own))
        self._counters.refused["origin"] += 1
        self._throttled.tell(
            events.REFUSED_ORIGIN, address=caller.address, origin=page, own=own, reason=cause
        )
        return page, own


def _own(caller: Caller) -> str:
    """Return the origin that the request was made to."""
    return f"{caller.scheme if caller.scheme in ('http', 'https') else '?'}://{caller.host}"
