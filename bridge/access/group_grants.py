"""What each group of people may follow, publish and read, which a file lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bridge.access import history_policy
from bridge.access.grant_lines import read_lines
from bridge.access.history_policy import NO_PATTERNS, HistoryPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.publish_policy import NOTHING, PublishPolicy
from bridge.access.tokens import Grants, is_text
from bridge.files import Reread
from bridge.wire.patterns import PatternSet

MAX_POLICIES = 1000
"""Sets of groups whose policies are kept."""


class Rights(NamedTuple):
    """What a member of some groups may follow, may publish, and whose past it may read."""

    policy: SubjectPolicy
    publish: PublishPolicy = NOTHING
    history: HistoryPolicy = history_policy.NOTHING


class _Group(NamedTuple):
    follow: Grants
    publish: Grants
    history: tuple[str, ...] | None


class GroupGrants:
    """Groups: a JSON object a line, with `group`, and `allow`, `deny`, `publish`, `history`.

    A group without `allow` has what `common` allows. One without `publish` may publish nothing. One
    without `history` may read the past of what it allows, as far as it is `readable`.
    """

    def __init__(
        self, path: str, common: SubjectPolicy, readable: PatternSet = NO_PATTERNS
    ) -> None:
        self._common = common
        self._readable = readable
        self._groups = Reread("AUTH_GROUPS_FILE", path, _parse)
        self._made: dict[tuple[str, ...], Rights] = {}
        """Rights by their groups: connections share them, and look again every 30 s."""
        self._made_of: object = None
        """What the file said then."""

    def rights(self, groups: Iterable[str]) -> Rights:
        """Return what a member of `groups` may do: what any allows and none of them denies.

        Nothing, for whoever is in no group of the file.
        """
        listed = self._groups()
        if listed is not self._made_of or len(self._made) >= MAX_POLICIES:
            self._made.clear()
            self._made_of = listed
        names = tuple(sorted({*groups} & {*listed}))
        rights = self._made.get(names)
        if rights is None:
            rights = self._made[names] = self._rights([listed[name] for name in names])
        return rights

    def _rights(self, found: list[_Group]) -> Rights:
        follow = [each.follow for each in found]
        publish = _together([each.publish for each in found], ())
        policy = _together(follow, self._common.allow).under(self._common)
        # What one group allows is not opened by another one, which says nothing of the past.
        past = [each.follow.allow if each.history is None else each.history for each in found]
        own = _together([Grants(each, ()) for each in past], self._common.allow).allow
        history = HistoryPolicy.of(policy, self._readable, own)
        return Rights(policy, publish.to_publish(), history)


def _together(grants: list[Grants], default: tuple[str, ...]) -> Grants:
    """Return what any allows, or else `default` does, and what any denies."""
    allowed = (default if each.allow is None else each.allow for each in grants)
    # In an order of its own, so that the same grants are the same policy.
    allow = tuple(sorted({pattern for patterns in allowed for pattern in patterns}))
    deny = tuple(sorted({pattern for each in grants for pattern in each.deny}))
    return Grants(allow, deny)


def _parse(text: str) -> dict[str, _Group]:
    found: dict[str, _Group] = {}
    for number, fields, grants, publish, history in read_lines(text):
        name = fields.pop("group", None)
        if fields or not isinstance(name, str) or not name.strip() or not is_text(name):
            raise ValueError(
                f"line {number} needs a group, and takes allow, deny, publish, history"
            )
        if "," in name:
            raise ValueError(f"line {number} has a group with a comma, which stands between groups")
        if name.strip() in found:
            raise ValueError(f"line {number} lists a group that an earlier line has")
        found[name.strip()] = _Group(grants, publish, history)
    if not found:
        # As it looks in the middle of being written, too.
        raise ValueError("the file lists no group")
    return found
