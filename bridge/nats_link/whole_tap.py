"""What takes messages from the parser as they are, with headers and reply subject."""

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


class RunTap(WholeTap):
    """One that can read messages that come one behind the other, and then takes them at once."""

    @abstractmethod
    def take_run(self, data: bytes, position: int) -> int:
        """Take the messages that begin at `position`, up to one that it cannot read like this.

        Returns where they end. Never waits and never raises.
        """


AnyTap = Tapped | WholeTap
