"""Settings of history: the rest of the table."""

from __future__ import annotations

from pydantic import Field

from bridge.settings.publish_table import PublishTable
from bridge.settings.value_types import Patterns


class HistoryTable(PublishTable):
    """The whole table."""

    history_subjects: Patterns = Field(
        (">",),
        description="patterns whose past, as far as streams have it, may be read by whoever may "
        "follow them; none for no history at all",
    )
    max_replay: int = Field(
        10000,
        ge=1,
        description="stored messages that come for one request at most: the newest; a browser is "
        "told that there were more",
    )
    max_history_streams: int = Field(
        64,
        ge=1,
        description="streams that are followed at a time, by one consumer each",
    )
