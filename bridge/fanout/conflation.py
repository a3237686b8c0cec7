"""At most so many messages a second of each subject: the newest waits until its time is up.

The first message of a subject goes on at once, and its time begins to run. Of what comes meanwhile
the newest goes on when the time is up, and the time runs again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.wire.metadata import size_of

if TYPE_CHECKING:
    from bridge.wire.envelope import Message

SLOT_SECONDS = 0.05
"""What is due within this time goes on together, since a write costs ten times what a message does;
less where the time of a subject is short."""
LEAST_SLOTS = 5
"""In the time of one subject."""
MAX_HELD_BYTES = 33554432
"""Of all that waits for any group, and of the subjects whose time runs."""
SUBJECT_OVERHEAD_BYTES = 600
"""What a subject takes beside its name and a payload."""
MADE_ROOM = 16
"""The part of what may be held that is free once room has been made: a sixteenth."""


class Holder(Protocol):
    """A group that holds messages until their time is up."""

    @property
    def size(self) -> int: ...
    def send_all(self) -> None: ...
    def let_go_of_half(self) -> None: ...


class Held:
    """What all groups hold, within bounds: beyond them messages go on early, and are not lost."""

    def __init__(self) -> None:
        self.bytes = 0
        self.by: dict[Holder, None] = {}
        """The groups that hold anything."""

    def send_all(self) -> None:
        """Have all that waits go on before its time."""
        for holder in tuple(self.by):
            holder.send_all()

    @property
    def is_full(self) -> bool:
        """Whether room has to be made."""
        return self.bytes > MAX_HELD_BYTES

    def make_room(self) -> None:
        """Have those that hold most let go of what they have had longest."""
        most = MAX_HELD_BYTES - MAX_HELD_BYTES // MADE_ROOM
        while self.bytes > most:
            sizes = {holder: holder.size for holder in self.by}
            for holder in sorted(sizes, key=sizes.__getitem__, reverse=True):
                holder.let_go_of_half()
                if self.bytes <= most:
                    break


class Subject:
    """A subject whose time runs."""

    __slots__ = ("due", "joins", "message", "name")

    def __init__(self, name: str, due: int) -> None:
        self.name = name
        self.due = due
        """The slot in which its time is up."""
        self.message: Message | None = None
        """What waits: the newest of those that came meanwhile."""
        self.joins = 0
        """See `Waiting.joins`."""

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        payload = size_of(self.message.payload) if self.message is not None else 0
        return SUBJECT_OVERHEAD_BYTES + len(self.name) + payload


class Waiting(NamedTuple):
    """A message that waits."""

    joins: int
    """How often members had joined when it came: it is not for those who joined later."""
    message: Message


class Conflation:
    """The subjects of one group whose time runs; each with the newest message that waits, if any.

    Time is counted in slots, and all subjects of a group have the same time, a whole number of
    slots. So they become due in the order in which they stand in the queue.
    """

    __slots__ = ("_held", "_slots", "queue", "slot_seconds", "subjects")

    def __init__(self, max_rate: float, held: Held) -> None:
        seconds = 1 / max_rate
        self._slots = max(LEAST_SLOTS, ceil(seconds / SLOT_SECONDS))
        self.slot_seconds = seconds / self._slots
        self._held = held
        self.subjects: dict[str, Subject] = {}
        self.queue: deque[Subject] = deque()
        """The same ones, the next to become due first."""

    @property
    def size(self) -> int:
        """Bytes that are held, roughly."""
        return sum(subject.size for subject in self.queue)

    def begin(self, name: str, now: int) -> Subject:
        """Have the time of a subject run. What is due has to have been taken before."""
        subject = self.subjects[name] = Subject(name, now + 1 + self._slots)
        self.queue.append(subject)
        self._held.bytes += subject.size
        return subject

    def hold(self, subject: Subject, message: Message, joins: int) -> None:
        """Have a message wait, in the place of one that is passed over."""
        if subject.message is not None:
            self._held.bytes -= size_of(subject.message.payload)
        self._held.bytes += size_of(message.payload)
        subject.message, subject.joins = message, joins

    def waiting(self) -> list[Waiting]:
        """Return all that waits."""
        return [Waiting(each.joins, each.message) for each in self.queue if each.message]

    def take_due(self, now: int) -> list[Waiting]:
        """Take what is due, and begin anew; subjects with which nothing waits are forgotten."""
        queue, due = self.queue, list[Subject]()
        while queue and queue[0].due <= now:
            subject = queue.popleft()
            if subject.message is None:
                self._forget(subject)
            else:
                subject.due = now + self._slots
                due.append(subject)
        queue += due
        return self._take(due)

    def take_all(self) -> list[Waiting]:
        """Take all that waits; the time of the subjects runs on."""
        return self._take(self.queue)

    def take_oldest(self, count: int) -> list[Waiting]:
        """Take what waits with the first subjects, and forget these."""
        subjects = list(islice(self.queue, count))
        taken = self._take(subjects)
        for subject in subjects:
            self.queue.popleft()
            self._forget(subject)
        return taken

    def _take(self, subjects: Iterable[Subject]) -> list[Waiting]:
        taken = []
        for subject in subjects:
            message = subject.message
            if message is not None:
                taken.append(Waiting(subject.joins, message))
                self._held.bytes -= size_of(message.payload)
                subject.message = None
        return taken

    def _forget(self, subject: Subject) -> None:
        self._held.bytes -= subject.size
        del self.subjects[subject.name]
