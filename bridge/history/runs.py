"""Messages of a consumer that come one behind the other: read at once, and kept together.

What costs anything is done once for all of them. Each would else be looked at by nats-py's parser,
and by everybody on its way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bridge.history.stored import ENTRY_BYTES, Stored

_LINE = (
    rb"H?MSG ([!-~]+) %d "  # the subject, if it is plain, under a subscription
    rb"\$JS\.ACK\.(?:%b|[^. ]+\.[^. ]+\.%b)\.[0-9]+\."  # servers may name a domain and an account
    rb"([0-9]+)\.([0-9]+)\.([0-9]+)\.[^ ]+ "  # sequence, number, when it was stored
    rb"((?:[0-9]+ )?)([0-9]+)\r\n"  # bytes of the headers, if there are any, and of all
)

Numbers = tuple[int, int]
"""Of the first and the last message of a run, among all that a consumer sends."""


class Run:
    """Messages in the order of their sequences, at least one, as columns of what came.

    Hardly any is needed as an object: these are made when somebody asks for `messages`.
    """

    __slots__ = (
        "_messages",
        "first",
        "headers",
        "last",
        "payloads",
        "sequences",
        "subjects",
        "times",
    )

    def __init__(
        self,
        subjects: Sequence[bytes],
        sequences: Sequence[bytes],
        payloads: list[bytes],
        headers: list[bytes],
        times: Sequence[bytes],
    ) -> None:
        self.subjects, self.sequences = subjects, sequences
        self.payloads, self.headers, self.times = payloads, headers, times
        self.first, self.last = int(sequences[0]), int(sequences[-1])
        self._messages: list[Stored] | None = None

    @classmethod
    def of(cls, messages: Sequence[Stored]) -> Run:
        """Return a run of messages."""
        return cls(
            [each.subject.encode() for each in messages],
            [b"%d" % each.sequence for each in messages],
            [each.payload for each in messages],
            [each.headers for each in messages],
            [each.stored for each in messages],
        )

    def __len__(self) -> int:
        return len(self.payloads)

    @property
    def messages(self) -> list[Stored]:
        """What is in it."""
        if self._messages is None:
            subjects, sequences = map(bytes.decode, self.subjects), map(int, self.sequences)
            columns = sequences, subjects, self.payloads, self.headers, self.times
            self._messages = list(map(Stored, *columns))
        return self._messages

    @property
    def size(self) -> int:
        """The bytes it takes in memory, about."""
        content = sum(map(len, self.payloads)) + len(b"".join(self.headers))
        return content + len(b"".join(self.subjects)) + ENTRY_BYTES * len(self)

    def part(self, begin: int, end: int) -> Run:
        """Return some of it, from one index to another."""
        if begin == 0 and end >= len(self):
            return self
        some = slice(begin, end)
        subjects, sequences = self.subjects[some], self.sequences[some]
        return Run(subjects, sequences, self.payloads[some], self.headers[some], self.times[some])

    def after(self, sequence: int) -> Run:
        """Return what comes after a sequence, of which there has to be something."""
        return self.part(sum(int(each) <= sequence for each in self.sequences), len(self))


class RunReader:
    """Reads what a consumer sends to the subscription `sid`."""

    def __init__(self, sid: int, stream: str, consumer: str) -> None:
        whose = re.escape(f"{stream}.{consumer}".encode())
        self._line = re.compile(_LINE % (sid, whose, whose)).match

    def read(self, data: bytes, position: int) -> tuple[Run | None, Numbers, int]:
        """Return the messages from `position` on, and where they end; None if there is none.

        Also the numbers of the first and the last. Whatever is not a whole one of them ends a run.
        """
        told, payloads, headers = [], list[bytes](), list[bytes]()
        line, last = self._line, len(data) - 2
        while (found := line(data, position)) is not None:
            its = found.groups()
            start = found.end()
            end = start + int(its[5])
            if end > last:
                break
            begin = start + int(its[4]) if its[4] else start
            told.append(its)
            headers.append(data[start:begin])
            payloads.append(data[begin:end])
            position = end + 2
        if not told:
            return None, (0, 0), position
        subjects, sequences, numbers, times, *_ = zip(*told, strict=True)
        run = Run(subjects, sequences, payloads, headers, times)
        return run, (int(numbers[0]), int(numbers[-1])), position
