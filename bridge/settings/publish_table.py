"""Settings of publishing and requests: the second part of the table."""

from __future__ import annotations

from pydantic import Field

from bridge.access.publish_policy import NEVER
from bridge.publishing.sender import PublishLimits
from bridge.settings.table import Table
from bridge.settings.value_types import Patterns

_LIMITS = PublishLimits()


class PublishTable(Table):
    """The table, but for what stands in parts after this."""

    allow_publish: Patterns | None = Field(
        None,
        description="patterns that may be published to, and asked with requests; a token needs a "
        "grant of its own, too. Without this setting nothing; with the embedded server, everything "
        "from this machine alone",
    )
    deny_publish: Patterns = Field(
        (), description=f"patterns that may not be published to; and never {', '.join(NEVER)}"
    )
    publishes_per_second: float = Field(
        _LIMITS.publishes_per_second,
        gt=0,
        description="messages, and requests of others, that a connection may publish; over HTTP, "
        "a token or else an address",
    )
    publish_burst: int = Field(
        _LIMITS.publish_burst, ge=1, description="those it may publish at once"
    )
    max_request_timeout: float = Field(
        _LIMITS.max_request_timeout,
        gt=0,
        description="seconds that a request may wait for its answer; 2 if it names none",
    )
