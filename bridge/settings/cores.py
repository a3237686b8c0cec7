"""How many processor cores this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CONTROL_GROUP = Path("/proc/self/cgroup")
"""Names the control group of this process; in a container mostly `/`, which is the container's."""
CONTROL_GROUPS = Path("/sys/fs/cgroup")


def usable_cores(own: Path = CONTROL_GROUP, groups: Path = CONTROL_GROUPS) -> int:
    """Return how many cores there are for this process, at least 1.

    Counts are those it is bound to (`taskset`, cpusets), and no more than its control groups have
    time for, in whole cores (`docker run --cpus`, `CPUQuota` of systemd, limits of Kubernetes).
    """
    return max(1, min([_bound_to(), *_quotas(own, groups)]))


def _bound_to() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS binds nothing


def _quotas(own: Path, groups: Path) -> list[int]:
    """Return the whole cores that each control group above this process has time for."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    # With version 1 of control groups, this line is missing.
    path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if path is None:
        return []
    folder = groups / path.lstrip("/")
    found = []
    for each in (folder, *folder.parents):
        if each.is_relative_to(groups):
            with suppress(OSError, ValueError):  # ValueError: there is no limit, but `max`
                quota, period = map(int, (each / "cpu.max").read_text().split())
                found.append(quota // period)
    return found
