"""Whether this process runs in a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.container import in_container


@pytest.mark.parametrize(
    ("lines", "contained"),
    [
        ("12:pids:/docker/3f9a0c\n0::/docker/3f9a0c\n", True),
        ("11:memory:/kubepods/besteffort/pod12ab/3f9a0c\n", True),
        ("1:name=systemd:/machine.slice/libpod-3f9a0c.scope\n", True),
        ("0::/system.slice/containerd.service/kubepods-burstable\n", True),
        ("8:cpu:/lxc/web\n", True),
        ("0::/\n", False),
        ("0::/init.scope\n", False),
        ("12:pids:/\n11:memory:/user.slice\n", False),
        ("", False),
    ],
)
def test_control_groups_name_the_engine(lines: str, contained: bool, tmp_path: Path) -> None:
    groups = tmp_path / "cgroup"
    groups.write_text(lines)
    assert in_container([], groups) is contained


@pytest.mark.parametrize("name", [".dockerenv", ".containerenv"])
def test_an_engine_leaves_its_mark(name: str, tmp_path: Path) -> None:
    assert not in_container([tmp_path / name], tmp_path / "none")
    (tmp_path / name).touch()
    assert in_container([tmp_path / name], tmp_path / "none")


def test_another_system_has_no_control_groups(tmp_path: Path) -> None:
    assert not in_container([], tmp_path / "none")
    assert not in_container([], tmp_path)
