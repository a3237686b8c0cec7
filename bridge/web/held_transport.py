"""What a response that goes on writes to: it is kept until the head has been sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bridge.wire.gzip_blocks import HEADER, Sum


class HeldTransport(asyncio.Transport):
    """That of any response."""

    def __init__(self, below: asyncio.Transport) -> None:
        super().__init__()
        self._below = below
        self._held: list[bytes] | None = []

    def release(self) -> None:
        """Write what was kept, and keep nothing any more. Idempotent."""
        held, self._held = self._held, None
        if held:
            self._below.write(b"".join(held))

    def forget(self) -> None:
        """Forget what was kept: another response is to be sent instead."""
        self._held = []

    def write(self, data: Any) -> None:
        """Write `data`, or keep it."""
        if self._held is None:
            self._below.write(data)
        else:
            self._held.append(data)

    def end(self) -> None:
        """Write what the whole ends with; nothing follows. The head has been sent."""

    def is_closing(self) -> bool:
        """Tell whether nothing can be written any more."""
        return self._below.is_closing()

    def abort(self) -> None:
        """Cut the connection."""
        self._below.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the transport below knows of itself."""
        return self._below.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        """Return how many bytes are kept or have not been sent."""
        return self._below.get_write_buffer_size() + sum(map(len, self._held or ()))


class ZippedTransport(HeldTransport):
    """That of a response in gzip: sums up what is written. `frame`: what bytes are written as."""

    def __init__(self, below: asyncio.Transport, frame: Callable[[Sequence[bytes]], bytes]) -> None:
        super().__init__(below)
        self._frame = frame
        self._sum = Sum()
        super().write(frame((HEADER,)))

    def write(self, data: Any) -> None:
        """Write `data`, which is a `Zipped`, or keep it."""
        self._sum.add(data.text)
        super().write(data.data)

    def end(self) -> None:
        """Write the checksum."""
        super().write(self._frame((self._sum.end(),)))
