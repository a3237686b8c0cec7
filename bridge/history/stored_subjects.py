"""Which subjects streams have messages on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.history.errors import ApiError, NotPermittedError, UnansweredError

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.own_rights import OwnRights
    from bridge.history.streams import Streams

SECONDS = 3.0
"""In which streams are asked; what is known by then is told."""
MAX_STREAMS = 100
MAX_SUBJECTS = 100_000
"""After which no further stream is asked. One answers with as many at most."""


@dataclass(slots=True)
class StoredSubjects:
    """How many messages each subject has, by stream."""

    rights: OwnRights
    """What NATS lets the gateway read."""
    _streams: dict[str, dict[str, int]] = field(default_factory=dict)
    is_all: bool = True
    """Whether that is all there is; else there is more, and nobody knows how much."""

    def add(self, stream: str, subjects: dict[str, int]) -> None:
        """Take note of what a stream has."""
        self._streams.setdefault(stream, {}).update(subjects)

    @property
    def is_full(self) -> bool:
        """Whether no further stream is to be asked."""
        return sum(map(len, self._streams.values())) >= MAX_SUBJECTS

    def readable(self) -> Iterator[tuple[str, str, int]]:
        """Yield each subject that may be read, with its stream and how many messages it has."""
        for stream, subjects in self._streams.items():
            for subject, messages in subjects.items():
                if self.rights.may_receive(subject):
                    yield subject, stream, messages


async def find_subjects(
    js: JetStream, streams: Streams, patterns: Sequence[str], rights: OwnRights
) -> StoredSubjects:
    """Ask streams for their subjects under `patterns`. `rights`: what NATS lets the gateway read.

    Raises HistoryError if nothing can be known.
    """
    found = StoredSubjects(rights)
    time = asyncio.get_running_loop().time
    until = time() + SECONDS
    for pattern in patterns:
        names, has_more = await streams.names(pattern, MAX_STREAMS)
        found.is_all = found.is_all and not has_more
        for name in names:
            left = until - time()
            if found.is_full or left <= 0:
                found.is_all = False
                return found
            try:
                subjects, total = await _ask(js, name, pattern, left)
            except (NotPermittedError, UnansweredError, ApiError):
                found.is_all = False
                continue
            found.is_all = found.is_all and total <= len(subjects)
            found.add(name, subjects)
    return found


async def _ask(
    js: JetStream, stream: str, pattern: str, seconds: float
) -> tuple[dict[str, int], int]:
    """Return how many messages each subject has, and how many subjects there are."""
    query = {"subjects_filter": pattern}
    answer = await js.ask(f"STREAM.INFO.{stream}", query, seconds)
    try:
        subjects: dict[str, int] = answer["state"].get("subjects") or {}
        return subjects, max(int(answer.get("total") or 0), len(subjects))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnansweredError(f"cannot read what is said of {stream!r}: {error!r}") from None
