"""Why a page is taken for a foreign one, for those who run the gateway: most are not foreign."""

from __future__ import annotations

from bridge.access.origins import parse_origin

ADD_IT = "add it to ALLOWED_ORIGINS if that page may connect"
TLS_ENDS = f"name the proxy that ends TLS in TRUSTED_PROXIES, or {ADD_IT}"
SCHEME_UNSAID = "the proxy has to send X-Forwarded-Proto: https, and not Forwarded beside it"
PORT_DROPPED = (
    "the proxy drops the port: let it pass Host on as it came (nginx: proxy_set_header Host "
    f"$http_host), or send X-Forwarded-Port; or {ADD_IT}"
)
NOT_TRUSTED = f"what the proxy says does not count: name the proxy in TRUSTED_PROXIES, or {ADD_IT}"
ONLY_A_NAME = (
    "a page under a name that anybody can point here has to be in ALLOWED_ORIGINS, even if "
    "the gateway serves it"
)
NO_HOME = (
    "a page that is opened as a file or in a sandboxed frame cannot be allowed: serve it by http"
)


def likely_cause(origin: str, own: str, *, trusted: bool, forwarded: bool) -> str:
    """Return what to do for a page of `origin` that may not connect to the gateway at `own`.

    `trusted`: the request came from a trusted proxy. `forwarded`: it has headers of a proxy.
    """
    if origin.strip() == "null" or origin.startswith("file:"):
        return NO_HOME
    page, gateway = parse_origin(origin), parse_origin(own)
    if page is None or gateway is None:
        return ADD_IT
    if page == gateway:
        return ONLY_A_NAME
    if page.host == gateway.host and page.scheme != gateway.scheme == "http":
        return SCHEME_UNSAID if trusted else TLS_ENDS
    if forwarded and not trusted:
        return NOT_TRUSTED
    if page.host == gateway.host and gateway.port in (80, 443):
        return PORT_DROPPED
    return ADD_IT
