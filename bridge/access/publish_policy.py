"""Which subjects may be published to, and asked with requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.access.policy import RESERVED, SubjectPolicy
from bridge.wire import subjects
from bridge.wire.subjects import CONTROL

NEVER = ("$SYS.>", "$JS.>", "$MQTT.>", "_INBOX.>", f"{CONTROL}.>")
"""Closed whatever is granted.

There the NATS server and JetStream take orders, which the gateway has rights for that a browser has
not, and answers are waited for.
"""

_NEVER = SubjectPolicy((), NEVER)


@dataclass(frozen=True, slots=True)
class PublishPolicy:
    """Grants and denials; deny wins. As for following, reserved subjects are granted by name."""

    _subjects: SubjectPolicy

    @classmethod
    def of(cls, allow: Iterable[str] = (), deny: Iterable[str] = ()) -> PublishPolicy:
        """Return the policy of these grants and denials."""
        return cls(SubjectPolicy(allow, deny, common=_NEVER))

    def may_publish(self, subject: str) -> bool:
        """Tell whether a message may be published on `subject`, which has no wildcards."""
        return self._subjects.may_receive(subject)

    def shares_with(self, other: PublishPolicy) -> bool:
        """Tell whether there is a grant here that `other` does not rule out altogether."""
        return any(
            self._subjects.may_follow(mine)
            and any(
                _is_reserved(mine) == _is_reserved(theirs)
                and other._subjects.may_follow(theirs)
                and subjects.overlap(mine, theirs)
                for theirs in other._subjects.allow
            )
            for mine in self._subjects.allow
        )


NOTHING = PublishPolicy.of()
"""For whoever was not granted anything."""
ANYTHING = PublishPolicy.of((">", *RESERVED))
"""For whoever may do all that the gateway lets anybody do."""


def _is_reserved(pattern: str) -> bool:
    return any(subjects.contains(each, pattern) for each in RESERVED)
