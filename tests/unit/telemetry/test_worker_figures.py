"""The figures of several workers: read by each other, told as one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from bridge.telemetry import worker_figures
from bridge.telemetry.merging import merged
from bridge.telemetry.worker_figures import WorkerFigures, new_file

ONE = b"""# HELP seen_total how many
# TYPE seen_total counter
seen_total{reason="a"} 3.0
# HELP took how long
# TYPE took histogram
took_bucket{le="1.0"} 2.0
took_bucket{le="+Inf"} 3.0
took_count 3.0
took_sum 1.5
"""


async def hang_out(
    files: list[int], number: int, text: Callable[[], bytes] = lambda: ONE, times: int = 1
) -> None:
    """Publish the figures of a worker so many times."""
    made = 0

    def counted() -> bytes:
        nonlocal made
        made += 1
        return text()

    task = asyncio.create_task(WorkerFigures(files, number, counted).keep_up())
    async with asyncio.timeout(10):
        while made < times:
            await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_each_family_comes_once_with_the_samples_of_all() -> None:
    lines = merged({1: ONE, 2: ONE.replace(b"3.0", b"4.0")}).decode().splitlines()
    assert lines.count("# TYPE seen_total counter") == lines.count("# TYPE took histogram") == 1
    assert 'seen_total{reason="a",worker="1"} 3.0' in lines
    assert 'seen_total{reason="a",worker="2"} 4.0' in lines
    assert 'took_bucket{le="+Inf",worker="2"} 4.0' in lines
    assert 'took_sum{worker="1"} 1.5' in lines


async def test_what_is_half_written_or_cleared_is_left_out() -> None:
    files = [new_file(), new_file()]
    try:

        def seen() -> bytes:
            return WorkerFigures(files, 1, lambda: ONE).text()

        await hang_out(files, 2)
        assert b'worker="2"' in seen()
        os.pwrite(files[1], b"garbage", 20)
        assert b'worker="2"' not in seen()
        await hang_out(files, 2)
        assert b'worker="2"' in seen()
        os.ftruncate(files[1], 0)
        assert b'worker="2"' not in seen()
        assert b'worker="1"' in seen()
    finally:
        for file in files:
            os.close(file)


def test_those_who_ask_again_and_again_cost_a_look_a_second() -> None:
    looks = []

    def text() -> bytes:
        looks.append(1)
        return ONE

    files = [new_file(), new_file()]
    try:
        board = WorkerFigures(files, 1, text)
        assert len({board.text() for _ in range(100)}) == len(looks) == 1
    finally:
        for file in files:
            os.close(file)


async def test_alone_there_is_no_label_and_nothing_to_hang_out() -> None:
    alone = WorkerFigures((), 1, lambda: ONE)
    await alone.keep_up()
    assert alone.text() == ONE


def test_alone_too_those_who_ask_again_and_again_cost_a_part_of_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = made = 0.0

    def text() -> bytes:
        nonlocal now, made
        now, made = now + 0.01, made + 1
        return b"%d" % made

    monkeypatch.setattr(
        worker_figures, "time", SimpleNamespace(monotonic=lambda: now, thread_time=lambda: now)
    )
    alone = WorkerFigures((), 1, text)
    assert [alone.text() for _ in range(100)][-1] == b"6"  # as many as take a twentieth of a second
    for _ in range(10_000):
        now += 0.001
        alone.text()
    assert now > 10
    assert made == pytest.approx(6 + 0.05 * now / 0.01, abs=2)
    now += 60
    made = 0
    assert [alone.text() for _ in range(3)] == [b"1", b"2", b"3"]


async def test_figures_that_cannot_be_made_are_no_sign_of_hanging(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker_figures, "PUBLISH_SECONDS", 0.0)
    texts = iter([ONE])
    file = new_file()
    await hang_out([file], 1, lambda: next(texts), times=3)
    assert os.fstat(file).st_size > len(ONE)
    os.utime(file, (0, 0))
    await hang_out([file], 1, lambda: next(texts), times=3)
    assert os.fstat(file).st_mtime_ns > 0
    assert caplog.text.count("a background task failed") == 2  # once for each of them
    os.close(file)
