"""What takes each message from the parser as it is, with headers and reply subject."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from bridge.nats_link.tapped import Tapped

if TYPE_CHECKING:
    from bridge.nats_link.items import Message
    from bridge.wire.codes import Code


class WholeTap(ABC):
    """One pattern, whose messages are taken one by one."""

    pattern: str

    @abstractmethod
    def take(self, message: Message) -> None:
        """Take a message, in order; never waits. What it raises counts as unreadable."""

    @abstractmethod
    def refuse(self, code: Code) -> None:
        """Take note of the same as `Tapped.refuse`."""


AnyTap = Tapped | WholeTap
