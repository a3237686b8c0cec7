"""Where bytes that go to many are written straight to the system, past asyncio's transport.

The transport looks at a dozen things before it writes. With thousands of connections, none of this
is in the processor's cache, so for a small message the looking costs more than all that is done.
"""

from __future__ import annotations

import asyncio


class Outlet:
    """The socket of one connection: its `descriptor` while nothing is before what comes next.

    Shut by anyone whose bytes must go first, and by the transport when it holds any; opened only by
    the outbox, after it has written everything. Ended before the socket is closed, as its number is
    then reused.
    """

    __slots__ = ("_own", "delivered", "descriptor")

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor: int | None = None
        """None while it is shut."""
        self.delivered = 0
        """Messages written to the connection, also in other ways."""
        self._own = descriptor

    def open(self) -> None:
        """Let whoever comes next write to it, if anybody may at all."""
        self.descriptor = self._own

    def shut(self) -> None:
        """Let nobody write to it for now. Idempotent."""
        self.descriptor = None

    def end(self) -> None:
        """Let nobody write to it any more. Idempotent."""
        self.descriptor = self._own = None


def outlet_of(transport: asyncio.Transport) -> Outlet:
    """Return the outlet of a transport of TCP.

    Makes the transport call its protocol's `pause_writing` as soon as it holds anything.
    """
    transport.set_write_buffer_limits(high=0)
    return Outlet(transport.get_extra_info("socket").fileno())


NOWHERE = Outlet()
"""Of a connection that has none."""
