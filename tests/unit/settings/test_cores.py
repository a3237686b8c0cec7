"""How many cores there are for a process, by what it is bound to and by its control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.settings import command_line, cores
from bridge.settings.cores import usable_cores


@pytest.fixture(autouse=True)
def bound_to_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("own", "limits", "count"),
    [
        ("0::/\n", {"": "250000 100000"}, 2),
        ("0::/\n", {"": "50000 100000"}, 1),
        ("0::/\n", {"": "max 100000"}, 8),
        ("0::/\n", {"": "3200000 100000"}, 8),
        ("0::/\n", {}, 8),
        ("0::/a/b\n", {"a": "300000 100000", "a/b": "max 100000"}, 3),
        ("0::/a/b\n", {"a": "max 100000", "a/b": "200000 50000"}, 4),
        # Docker without a namespace for it: the path is the host's, the folder its own.
        ("0::/docker/abc\n", {"": "200000 100000"}, 2),
        ("0::/../other\n", {"": "200000 100000"}, 2),
        ("4:cpu,cpuacct:/\n", {"": "200000 100000"}, 8),
        ("", {}, 8),
    ],
)
def test_time_of_control_groups_counts_in_whole_cores(
    own: str, limits: dict[str, str], count: int, tmp_path: Path
) -> None:
    (tmp_path / "own").write_text(own)
    for folder, limit in limits.items():
        (tmp_path / "groups" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / folder / "cpu.max").write_text(limit + "\n")
    assert usable_cores(tmp_path / "own", tmp_path / "groups") == count


def test_a_system_without_control_groups_counts_what_the_process_is_bound_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert usable_cores(tmp_path / "none", tmp_path) == 8
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores(tmp_path / "none", tmp_path) == os.cpu_count()


@pytest.mark.parametrize(("value", "count"), [("auto", 5), (" AUTO ", 5), ("3", 3), ("64", 64)])
def test_workers_are_a_number_or_one_for_each_core(
    value: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores, "_bound_to", lambda: 5)
    monkeypatch.setattr(cores, "_quotas", lambda *_: [])
    assert command_line.load(["--workers", value]).workers == count


def test_there_are_no_more_workers_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "_bound_to", lambda: 256)
    monkeypatch.setattr(cores, "_quotas", lambda *_: [])
    assert command_line.load(["--workers", "auto"]).workers == 64
