"""Whether this process runs in a container: its `localhost` and its ports are then its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""What Docker and Podman put there."""
CONTROL_GROUPS = Path("/proc/1/cgroup")
"""Names who started the first process, with version 1 of control groups."""

_ENGINE = re.compile(r"docker|containerd|kubepods|libpod|crio|/lxc")


def in_container(marks: Iterable[Path] = MARKS, control_groups: Path = CONTROL_GROUPS) -> bool:
    """Tell whether an engine that is known has started this process."""
    if any(mark.exists() for mark in marks):
        return True
    with suppress(OSError):
        return bool(_ENGINE.search(control_groups.read_text(errors="replace")))
    return False
