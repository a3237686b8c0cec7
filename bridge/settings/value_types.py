"""What the values of settings have to look like."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

from bridge.access.key_sources import ALGORITHMS
from bridge.access.origins import origin_fault
from bridge.access.proxies import TrustedProxies
from bridge.access.proxy_sign_in import is_header_of_names
from bridge.access.static_tokens import MIN_TOKEN_CHARACTERS
from bridge.settings.cores import usable_cores
from bridge.wire import subjects

MAX_WORKERS = 64
LOST_DOLLAR = (
    "; if it began with a $, a shell or Compose has replaced that part: put it between ' and ', or "
    "in a compose file write $$"
)
"""Of `$KV.config.>` they leave `.config.>`."""


def is_boolean(field: FieldInfo) -> bool:
    """Return whether a setting is true or false; or None, without it."""
    return field.annotation in (bool, bool | None)


def expected_value(field: FieldInfo) -> str:
    """Describe the value that a number or boolean setting expects."""
    if is_boolean(field):
        return "it has to be true or false"
    kind = "a whole number" if field.annotation is int else "a number"
    least, most, above = (
        next((getattr(each, bound) for each in field.metadata if hasattr(each, bound)), None)
        for bound in ("ge", "le", "gt")
    )
    if most is not None:
        return f"it has to be {kind} from {least} to {most}"
    if above is not None:
        return f"it has to be {kind} above {above}"
    return f"it has to be {kind}, {least} or more"


def _words(value: Any) -> Any:
    """Split a list separated by commas or white space."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _bare_host(host: str) -> str:
    """Return an address without brackets, or a name in small letters; `*` is every address."""
    host = host.strip()
    if host == "*":
        return "::"
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return host
    if not host or {*host} & {*"/:[]@ ,"}:
        raise ValueError(
            "it is an address or a name alone, such as 127.0.0.1, ::1 or localhost; the port is "
            "HTTP_PORT"
        )
    return host.lower()


def _with_scheme(url: str) -> str:
    """Return `url` with a scheme, in small letters: nats-py knows it in no others (RFC 3986)."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.lower()}://{rest}" if separator else f"nats://{url}"


def _valid_urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    urls = tuple(map(_with_scheme, urls))
    for url in urls:
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("nats", "tls") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good or parts.path.strip("/") or parts.query or parts.fragment:
            # Without the URL itself, which may hold a password.
            raise ValueError(
                "a server is given as nats://host:4222 or tls://user:password@host:4222, with "
                "@ : / # % and white space in a password written as %40 %3A %2F %23 %25 %20"
            )
    return urls


def _valid_patterns(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns; `none` alone is how the list of settings shows that there are none."""
    if patterns == ("none",):
        return ()
    for pattern in patterns:
        fault = subjects.fault(pattern)
        if fault:
            hint = LOST_DOLLAR if pattern.startswith(".") else ""
            raise ValueError(f"{pattern!r} is not a valid subject: {fault}{hint}")
    return patterns


def _valid_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        fault = origin_fault(origin)
        if fault:
            raise ValueError(fault)
    return origins


def _valid_ancestors(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what may stand in `frame-ancestors`, without the quotes of its keywords."""
    words = tuple(word.strip("'") for word in words)
    if words == ("none",):
        return ()
    return tuple(word for word in words if word == "self" or _valid_origins((word,)))


def _valid_proxies(proxies: tuple[str, ...]) -> tuple[str, ...]:
    for proxy in proxies:
        try:
            TrustedProxies((proxy,))
        except ValueError:
            raise ValueError(f"{proxy!r} is no address, nor a network such as 10.0.0.0/8") from None
    return proxies


def _valid_algorithms(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise ValueError(f"it takes {', '.join(ALGORITHMS)}")
    return algorithms


def _valid_level(level: str) -> str:
    if level.lower() not in ("debug", "info", "warning", "error"):
        raise ValueError("it has to be debug, info, warning or error")
    return level.lower()


def _long_enough(token: SecretStr) -> SecretStr:
    if 0 < len(token.get_secret_value()) < MIN_TOKEN_CHARACTERS:
        least = MIN_TOKEN_CHARACTERS
        raise ValueError(f"it needs at least {least} characters: shorter ones can be guessed")
    return token


def _valid_header(header: str) -> str:
    if header and not is_header_of_names(header):
        raise ValueError("it has to be a header of the proxy's own, such as X-Forwarded-User")
    return header


def _valid_format(form: str) -> str:
    if form.lower() not in ("", "text", "json"):
        raise ValueError("it has to be text or json")
    return form.lower()


def _valid_compression(value: str) -> str:
    """Return on, off or a number. `true` is what YAML makes of a bare `on`."""
    word = {"true": "on", "false": "off"}.get(value.strip().lower(), value.strip().lower())
    if word not in ("on", "off") and not re.fullmatch("[1-9][0-9]{0,6}", word):
        raise ValueError("it has to be on, off, or the least bytes of what is compressed")
    return word


def _valid_workers(value: Any) -> int:
    """Return a number of workers; `auto` is one for each core that this process may use."""
    word = str(value).strip().lower()
    if word == "auto":
        return min(usable_cores(), MAX_WORKERS)
    if not re.fullmatch("[1-9][0-9]?", word) or int(word) > MAX_WORKERS:
        raise ValueError(f"it has to be a whole number from 1 to {MAX_WORKERS}, or auto")
    return int(word)


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
HostName = Annotated[str, AfterValidator(_bare_host)]
NatsUrls = Annotated[Words, AfterValidator(_valid_urls)]
Patterns = Annotated[Words, AfterValidator(_valid_patterns)]
Origins = Annotated[Words, AfterValidator(_valid_origins)]
Ancestors = Annotated[Words, AfterValidator(_valid_ancestors)]
Proxies = Annotated[Words, AfterValidator(_valid_proxies)]
Algorithms = Annotated[Words, AfterValidator(_valid_algorithms)]
HeaderName = Annotated[str, AfterValidator(_valid_header)]
CompressionChoice = Annotated[str, AfterValidator(_valid_compression)]
LogFormat = Annotated[str, AfterValidator(_valid_format)]
LogLevel = Annotated[str, AfterValidator(_valid_level)]
Workers = Annotated[int, BeforeValidator(_valid_workers)]
OperatorToken = Annotated[SecretStr, AfterValidator(_long_enough)]
