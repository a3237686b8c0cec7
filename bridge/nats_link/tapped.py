"""What takes messages straight from the parser: a feed of the fan-out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.wire.codes import Code

Lane = Callable[[list[bytes]], None]
"""Takes payloads of one subject on their way, in order; never waits and never raises.

Good for ever: a message that is still under way after an UNSUB is handed to it as well.
"""


class Tapped(Protocol):
    """One pattern, and where the messages on it go."""

    pattern: str

    @property
    def wants_meta(self) -> bool:
        """Whether payloads with headers or a reply subject have to be `Annotated`."""

    def lane(self, subject: str) -> Lane:
        """Return where the messages on one subject go; asked again when that was forgotten."""

    def refuse(self, code: Code) -> None:
        """Take note that the server does not accept it, or takes the permission away later.

        `code` is `denied` or `limit`; or `nats_down`, where it is not asked for just now and may
        be asked for again later.
        """
