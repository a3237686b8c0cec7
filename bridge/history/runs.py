"""Messages of a consumer that come one behind the other, read at once.

What costs anything is done once for all of them. Each would else be looked at by nats-py's parser,
and by everybody on its way.
"""

from __future__ import annotations

import re
from functools import partial

from bridge.history.stored import Stored

_LINE = (
    rb"H?MSG ([^ ]+) %d "  # the subject, under a subscription
    rb"\$JS\.ACK\.(?:%b|[^. ]+\.[^. ]+\.%b)\.[0-9]+\."  # servers may name a domain and an account
    rb"([0-9]+)\.([0-9]+)\.([0-9]+)\.[^ ]+ "  # sequence, number, when it was stored
    rb"((?:[0-9]+ )?)([0-9]+)\r\n"  # bytes of the headers, if there are any, and of all
)
_stored = partial(tuple.__new__, Stored)


class Run:
    """`messages`, and the `numbers` that the consumer has given to the first and the last."""

    __slots__ = ("messages", "numbers")

    def __init__(self, messages: list[Stored], numbers: tuple[int, int]) -> None:
        self.messages = messages
        self.numbers = numbers


class RunReader:
    """Reads what a consumer sends to the subscription `sid`."""

    def __init__(self, sid: int, stream: str, consumer: str) -> None:
        whose = re.escape(f"{stream}.{consumer}".encode())
        self._line = re.compile(_LINE % (sid, whose, whose)).match

    def read(self, data: bytes, position: int) -> tuple[Run | None, int]:
        """Return the whole messages from `position` on, and where they end; None if there is none.

        Anything else ends a run, so does a subject that cannot be read.
        """
        rows: list[tuple[int, str, bytes, bytes, bytes]] = []
        line, last, first_number, number = self._line, len(data) - 2, b"", b""
        while (found := line(data, position)) is not None:
            subject, sequence, its_number, stored, head, size = found.groups()
            start = found.end()
            end = start + int(size)
            if end > last:
                break
            begin = start + int(head) if head else start
            try:
                rows.append(
                    (int(sequence), subject.decode(), data[begin:end], data[start:begin], stored)
                )
            except UnicodeDecodeError:
                break
            number = its_number
            first_number = first_number or number
            position = end + 2
        if not rows:
            return None, position
        return Run(list(map(_stored, rows)), (int(first_number), int(number))), position
