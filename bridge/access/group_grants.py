"""What each group of people may follow, which a file lists."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.access.grant_lines import read_lines
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Grants, is_text
from bridge.files import Reread

MAX_POLICIES = 1000
"""Sets of groups whose policies are kept."""


class GroupGrants:
    """Groups with their grants: a JSON object a line, with `group`, and `allow` and `deny` if any.

    A group without `allow` has what `common` allows.
    """

    def __init__(self, path: str, common: SubjectPolicy) -> None:
        self._common = common
        self._groups = Reread("AUTH_GROUPS_FILE", path, _parse)
        self._made: dict[tuple[str, ...], SubjectPolicy] = {}
        """Policies by their groups: connections share them, and look again every 30 s."""
        self._made_of: object = None
        """What the file said then."""

    def policy(self, groups: Iterable[str]) -> SubjectPolicy:
        """Return what a member of `groups` may follow: what any allows and none of them denies.

        Nothing, for whoever is in no group of the file.
        """
        listed = self._groups()
        if listed is not self._made_of or len(self._made) >= MAX_POLICIES:
            self._made.clear()
            self._made_of = listed
        names = tuple(sorted({*groups} & {*listed}))
        policy = self._made.get(names)
        if policy is None:
            policy = self._made[names] = self._policy([listed[name] for name in names])
        return policy

    def _policy(self, found: list[Grants]) -> SubjectPolicy:
        allowed = (self._common.allow if each.allow is None else each.allow for each in found)
        # In an order of its own, so that the same grants are the same policy.
        allow = tuple(sorted({pattern for patterns in allowed for pattern in patterns}))
        deny = tuple(sorted({pattern for each in found for pattern in each.deny}))
        return Grants(allow, deny).under(self._common)


def _parse(text: str) -> dict[str, Grants]:
    found: dict[str, Grants] = {}
    for number, fields, grants in read_lines(text):
        name = fields.pop("group", None)
        if fields or not isinstance(name, str) or not name.strip() or not is_text(name):
            raise ValueError(f"line {number} needs a group, and takes allow and deny")
        if "," in name:
            raise ValueError(f"line {number} has a group with a comma, which stands between groups")
        if found.setdefault(name.strip(), grants) is not grants:
            raise ValueError(f"line {number} lists a group that an earlier line has")
    if not found:
        # As it looks in the middle of being written, too.
        raise ValueError("the file lists no group")
    return found
