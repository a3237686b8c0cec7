"""The NATS client protocol, read with a fast path for ordinary messages.

nats-py reads a message with a regular expression, a coroutine and three objects. Here, a message on
a subject that was seen before costs a look at its line and a slice of its payload. nats-py also
takes a vertical tab in a subject for the end of it, and then waits for ever or takes the rest for
the subscription id; here, words are separated by spaces, as the server writes them.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING, Any

from nats.aio.client import DEFAULT_BUFFER_SIZE
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from bridge.nats_link.items import (
    Message,
    cut,
    item_end,
    payloads_of,
    read_message,
    take_answered,
)
from bridge.nats_link.remembered_lines import RememberedLines, Way
from bridge.nats_link.whole_tap import RunTap, WholeTap
from bridge.wire.metadata import annotated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.nats_link.tapped import Lane
    from bridge.nats_link.whole_tap import AnyTap
    from bridge.telemetry.counters import Counters

STINT_SECONDS = 0.002
"""How long reading may go on before others have a turn."""
_NO_LINE = b"\xff"
"""What no line begins with."""
BYTES_A_LOOK = 1024
"""Of messages on different subjects, between two looks at the clock."""


class TapParser(Parser):
    """Parses what the server sends. `taps`: subscription id to what takes its messages."""

    def __init__(self, nc: Any, counters: Counters, taps: Mapping[int, AnyTap]) -> None:
        self._counters = counters
        self._taps = taps
        self._lines = RememberedLines()
        self._resets = 0
        self._due = 0.0
        """When the event loop has to have a turn."""
        super().__init__(nc)

    def reset(self) -> None:
        """Start over, as on a new connection; the taps stay, as the subscriptions do."""
        super().reset()
        self._held = bytearray()
        """The beginning of an item whose rest has yet to come."""
        self._needed = 0
        """Bytes of that item in all, if they are known."""
        self._reads_on = False
        """Whether the buffer was full, so the next read returns at once."""
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        """Take what was read from the server. Raises ProtocolError on what makes no sense."""
        self._counters.received_bytes += len(data)
        if not self._reads_on:
            self._due = time.monotonic() + STINT_SECONDS
        self._reads_on = len(data) == DEFAULT_BUFFER_SIZE
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        position, resets = 0, self._resets
        # An error of the server can end the connection, and with it what else came by it.
        while position < len(data) and resets == self._resets:
            position = self._take_run(data, self._take_messages(data, position))
            if position == len(data):
                break
            end = item_end(data, position)
            if end is None or end > len(data):
                self._held += data[position:]
                self._needed = end - position if end is not None else 0
                break
            if end > position:
                await self._take_item(data[position:end])
            position = end
            if time.monotonic() > self._due:
                await self._rest(data, position)
        if self._reads_on and time.monotonic() > self._due:
            await self._rest(b"", 0)

    async def _rest(self, data: bytes, position: int) -> None:
        """Let the event loop run. If reading ends meanwhile, hand on what was read already."""
        resets = self._resets
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._finish(data, position)
            raise
        if resets != self._resets:
            self._finish(data, position)
        self._due = time.monotonic() + STINT_SECONDS

    def _finish(self, data: bytes, position: int) -> None:
        """Hand on every whole message for a tap; what else there is was for the lost connection."""
        self._due = math.inf
        while position < len(data):
            position = self._take_messages(data, position)
            end = item_end(data, position)
            if end is None or end > len(data):
                return
            line, _, rest = data[position:end].partition(b"\r\n")
            if line.startswith((b"MSG ", b"HMSG ")):
                self._take_tapped(read_message(line, rest))
            position = end

    def _take_messages(self, data: bytes, position: int) -> int:
        """Hand on the messages from `position` on; return where something else begins."""
        # Longer than a function may be: each message comes through here, and a call costs as much.
        lines, counters = self._lines.known, self._counters
        size_of_all, begins = len(data), data.startswith
        line, alike, look = _NO_LINE, 1, position + BYTES_A_LOOK
        lane: Lane = _nowhere
        known, size, head, tells = _NO_WAY, 0, 0, False
        run: list[bytes] = []
        while True:
            # The next message is often of the same subject and size as the one before.
            if begins(line, position):
                alike = min(2 * alike, (size_of_all - position) // (len(line) + size + 2))
                blocks = cut(data, position, line, size, alike)
                if blocks:
                    run += payloads_of(blocks, head, tells) if head else blocks
                    position += alike * (len(line) + size + 2)
                    continue
                alike, start = 1, position + len(line)
            else:
                start = data.find(b"\r\n", position) + 2
                line = data[position:start]
                way = lines.get(line) or self._learn(line)
                if way is None:
                    break
                if way.lane is not lane:
                    if run:  # written out: this is the usual case with many subjects
                        counters.received += len(run)
                        lane(run)
                        run = []
                    if position > look:
                        if time.monotonic() > self._due:
                            return position
                        look = position + BYTES_A_LOOK
                known = way
                lane, tap, size, head, reply = way
                tells = (head > 0 or reply != b"") and tap.wants_meta
            stop = start + size
            if stop + 2 > size_of_all:
                break
            payload = data[start + head : stop]
            if tells:
                payload = annotated(payload, known.reply, data[start : start + head])
            run.append(payload)
            position = stop + 2
            if known.reply:
                position = take_answered(data, position, line, known, run, tells=tells)
        self._hand_on(run, lane)
        return position

    def _hand_on(self, run: list[bytes], lane: Lane) -> None:
        if run:
            self._counters.received += len(run)
            lane(run)

    def _learn(self, line: bytes) -> Way | None:
        """Return what a control line says; None if what it is for has to go the long way."""
        words = line.rstrip(b"\r\n").split(b" ")
        has_headers = words[0] == b"HMSG"
        if len(words) - has_headers not in (4, 5) or not (has_headers or words[0] == b"MSG"):
            return None
        try:
            tap = self._taps.get(int(words[2]))
            head, size = int(words[-2]) if has_headers else 0, int(words[-1])
            if tap is None or isinstance(tap, WholeTap) or head > size:
                return None
            reply = words[3] if len(words) - has_headers == 5 else b""
            way = Way(tap.lane(words[1].decode()), tap, size, head, reply)
        except Exception:
            # Raised here, it would end the connection; the long way counts and skips it.
            return None
        if not reply:  # one is hardly ever seen twice
            self._lines.add(line, way)
        return way

    def _take_run(self, data: bytes, position: int) -> int:
        """Have a tap take the messages from `position` on that are its own; return their end."""
        words = data[position : data.find(b"\r\n", position)].split(b" ", 3)
        if len(words) == 4 and words[2].isdigit():
            tap = self._taps.get(int(words[2]))
            if isinstance(tap, RunTap):
                return tap.take_run(data, position)
        return position

    async def _take_item(self, item: bytes) -> None:
        """Hand on one whole item that is not a message for a tap."""
        line, _, rest = item.partition(b"\r\n")
        if line.startswith((b"MSG ", b"HMSG ")):
            message = read_message(line, rest)
            if not self._take_tapped(message):
                await self.nc._process_msg(*message)
        elif line.startswith(b"-ERR"):
            # nats-py would hand it on in lower case, also the subject in it.
            await self.nc._process_err(line[4:].decode(errors="replace").strip())
        else:
            await super().parse(item)

    def _take_tapped(self, message: Message) -> bool:
        """Hand a message that went the long way to its tap; return whether it has one."""
        tap = self._taps.get(message.sid)
        if tap is None:
            return False
        try:
            if isinstance(tap, WholeTap):
                tap.take(message)
                return True
            lane = tap.lane(message.subject.decode())
        except Exception as failure:
            self.nc.skip(failure)
        else:
            payload = message.payload
            if tap.wants_meta:
                payload = annotated(payload, message.reply, message.headers or b"")
            self._hand_on([payload], lane)
        return True


def _nowhere(payloads: list[bytes]) -> None:
    raise ProtocolError("nats: no line of the protocol begins like this")


_NO_WAY: Any = Way(_nowhere, None, 0, 0, b"")  # type: ignore[arg-type]
