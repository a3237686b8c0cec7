"""The NATS client protocol, read with a short way for the messages a gateway lives on.

nats-py reads a message with a regular expression, a coroutine and three objects. Here, a message on
a subject that was seen before costs a look at its line and a slice of its payload. nats-py also
takes a vertical tab in a subject for the end of it, and then waits for ever or takes the rest for
the subscription id; here, words are separated by spaces, as the server writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from bridge.nats_link.remembered_lines import RememberedLines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.nats_link.tapped import Lane, Tapped
    from bridge.telemetry.counters import Counters


class TapParser(Parser):
    """Parses what the server sends. `taps`: subscription id to what takes its messages."""

    def __init__(self, nc: Any, counters: Counters, taps: Mapping[int, Tapped]) -> None:
        self._counters = counters
        self._taps = taps
        self._lines = RememberedLines()
        self._resets = 0
        super().__init__(nc)

    def reset(self) -> None:
        """Start over, as on a new connection; the taps stay, as the subscriptions do."""
        super().reset()
        self._held = bytearray()
        """The beginning of an item whose rest has yet to come."""
        self._needed = 0
        """Bytes of that item in all, if they are known."""
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        """Take what was read from the server. Raises ProtocolError on what makes no sense."""
        self._counters.received_bytes += len(data)
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        position, resets = 0, self._resets
        # An error of the server can end the connection, and with it what else came by it.
        while position < len(data) and resets == self._resets:
            position = self._take_messages(data, position)
            end = _item_end(data, position)
            if end is None or end > len(data):
                self._held += data[position:]
                self._needed = end - position if end is not None else 0
                return
            if end > position:
                await self._take_item(data[position:end])
            position = end

    def _take_messages(self, data: bytes, position: int) -> int:
        """Hand on the messages from `position` on; return where something else begins."""
        lines, size_of_all, begins = self._lines.known, len(data), data.startswith
        line, size, alike = b"\xff", 0, 1
        lane: Lane = _nowhere
        run: list[bytes] = []
        while True:
            # The next message is often of the same subject and size as the one before.
            if begins(line, position):
                alike = min(2 * alike, (size_of_all - position) // (len(line) + size + 2))
                payloads = _cut(data, position, line, size, alike)
                if payloads:
                    run += payloads
                    position += alike * (len(line) + size + 2)
                    continue
                alike, start = 1, position + len(line)
            else:
                start = data.find(b"\r\n", position) + 2
                line = data[position:start]
                known = lines.get(line) or self._learn(line)
                if known is None:
                    break
                if known[0] is not lane:
                    self._hand_on(run, lane)
                    run = []
                lane, size = known
            stop = start + size
            if stop + 2 > size_of_all:
                break
            run.append(data[start:stop])
            position = stop + 2
        self._hand_on(run, lane)
        return position

    def _hand_on(self, run: list[bytes], lane: Lane) -> None:
        if run:
            self._counters.received += len(run)
            lane(run)

    def _learn(self, line: bytes) -> tuple[Lane, int] | None:
        """Return lane and size for a control line; None if it is not a message for a tap."""
        words = line.rstrip(b"\r\n").split(b" ")
        if len(words) not in (4, 5) or words[0] != b"MSG":
            return None
        try:
            tap = self._taps.get(int(words[2]))
            if tap is None:
                return None
            known = tap.lane(words[1].decode()), int(words[-1])
        except Exception:
            # The long way counts and skips it; here, it would end the connection.
            return None
        if len(words) == 4:  # a reply subject is hardly ever seen twice
            self._lines.add(line, known)
        return known

    async def _take_item(self, item: bytes) -> None:
        """Hand on one whole item that is not a message for a tap."""
        line, _, rest = item.partition(b"\r\n")
        words = line.split(b" ")
        if words[0] in (b"MSG", b"HMSG"):
            await self._take_message(words, rest)
        elif words[0] == b"-ERR":
            # nats-py would hand it on in lower case, also the subject in it.
            await self.nc._process_err(line[4:].decode(errors="replace").strip())
        else:
            await super().parse(item)

    async def _take_message(self, words: list[bytes], rest: bytes) -> None:
        """Hand on a message: with headers, with a reply subject, or not for a tap."""
        with_headers = words[0] == b"HMSG"
        try:
            subject, sid = words[1], int(words[2])
            reply = words[3] if len(words) == 5 + with_headers else b""
            size_of_headers = int(words[-2]) if with_headers else 0
        except (ValueError, IndexError):
            raise ProtocolError("nats: malformed MSG") from None
        headers, payload = rest[:size_of_headers], rest[size_of_headers:-2]
        tap = self._taps.get(sid)
        if tap is None:
            await self.nc._process_msg(sid, subject, reply, payload, headers or None)
            return
        try:
            lane = tap.lane(subject.decode())
        except Exception as failure:
            self.nc.skip(failure)
        else:
            self._hand_on([payload], lane)


def _cut(data: bytes, position: int, line: bytes, size: int, count: int) -> list[bytes] | None:
    """Return the payloads of `count` messages with this line and size; None if they are not."""
    stride = len(line) + size + 2
    first, end = position + len(line), position + count * stride
    payloads = [data[start : start + size] for start in range(first, end, stride)]
    # What stands between the payloads shows whether they are where they seem to be.
    return payloads if (b"\r\n" + line).join(payloads) == data[first : end - 2] else None


def _nowhere(payloads: list[bytes]) -> None:
    raise ProtocolError("nats: no line of the protocol begins like this")


def _item_end(data: bytes, position: int) -> int | None:
    """Return where the item at `position` ends, payload included; None if that cannot be told."""
    line_end = data.find(b"\r\n", position)
    if line_end < 0:
        return None
    verb, _, words = data[position:line_end].partition(b" ")
    size = words.rpartition(b" ")[2]
    if verb in (b"MSG", b"HMSG") and size.isdigit():
        return line_end + 2 + int(size) + 2
    return line_end + 2
