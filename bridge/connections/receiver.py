"""What goes to one browser, and what is held for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.connections.callback import Callback
    from bridge.connections.outbox import Outbox
    from bridge.wire.envelope import Message
    from bridge.wire.framing import Framing


class Receiver:
    """A connection as far as it is written to. `framing`: how; `outbox`: by what."""

    __slots__ = ("callback", "deliver", "framing", "outbox", "outlet")

    def __init__(self, framing: Framing, outbox: Outbox) -> None:
        self.framing = framing
        self.outbox = outbox
        self.callback: Callback | None = None
        """The program's own code for each message, if it has any."""
        self.deliver, self.outlet = outbox.deliver, outbox.outlet  # for every write of a group

    def deliver_message(self, message: Message) -> None:
        """Take one message to it: to its callback if it has one, else to the browser."""
        (self.callback or self.send)(message)

    def send(self, message: Message) -> None:
        """Send `message`, or drop and count it while there is no room."""
        self.outbox.append_message(self.framing.piece(message))

    def offer(self, pieces: list[bytes], joined: bytes) -> bool:
        """Write messages as `deliver` does, if there is room for all of them; tell whether."""
        return self.outbox.offer(pieces, joined)

    async def send_str(self, text: str) -> None:
        """Send `text` as a message: what a `manager.callback` calls. It does not wait either."""
        self.outbox.append_message(self.framing.wrap(text.encode()))

    def respond(self, *lines: bytes, cursor: bytes = b"") -> None:
        """Send responses or notices; these are never dropped. `cursor`: for their id."""
        for line in lines:
            self.outbox.append_line(line, cursor)

    def miss(self, count: int) -> None:
        """Count messages for which there was no room, to be told before the next one that comes."""
        self.outbox.slow.miss(count)

    def lose(self, count: int) -> None:
        """Count messages for which it was no longer open."""
        self.outbox.slow.lose(count)

    def fail(self) -> None:
        """Count a message that its callback failed with."""
        self.outbox.slow.fail()

    # What is held for it

    @property
    def delivered(self) -> int:
        """Messages written to it."""
        return self.outlet.delivered

    @property
    def dropped(self) -> int:
        """Messages it did not get, for whatever reason."""
        return self.outbox.slow.dropped

    @property
    def pending_messages(self) -> int:
        """Messages held for it, or for its callback."""
        waiting = self.callback.waiting if self.callback is not None else 0
        return self.outbox.pending_messages + waiting

    @property
    def pending_bytes(self) -> int:
        """Bytes held for it, its own and those that the transport has not sent."""
        return self.outbox.pending_bytes

    @property
    def is_half_free(self) -> bool:
        """Whether no more than half of what may be pending for it is."""
        return self.outbox.is_half_free
