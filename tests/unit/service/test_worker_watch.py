"""Which workers hang: those that publish nothing new, look after look."""

from __future__ import annotations

import os

from bridge.service.worker_watch import MAX_SILENT_CHECKS, WorkerWatch
from bridge.telemetry.worker_figures import new_file


def publish(file: int, number: int) -> None:
    os.pwrite(file, b"figures", 0)
    os.utime(file, ns=(number, number))


def test_one_that_publishes_nothing_new_is_found_after_a_while_and_again_later() -> None:
    files = [new_file() for _ in range(3)]  # the last one never begins
    watch = WorkerWatch(files)
    publish(files[1], 1)
    found = []
    for number in range(2 * MAX_SILENT_CHECKS + 2):
        publish(files[0], number + 1)
        found.append(watch.hanging())
    for file in files:
        os.close(file)
    assert found == [*[[]] * MAX_SILENT_CHECKS, [2], *[[]] * (MAX_SILENT_CHECKS - 1), [2], []]


def test_one_that_is_slow_or_started_again_is_left_alone() -> None:
    file = new_file()
    watch = WorkerWatch([file])
    for number in range(5 * MAX_SILENT_CHECKS):
        if number % MAX_SILENT_CHECKS == 0:
            publish(file, number + 1)
        assert watch.hanging() == []
    os.ftruncate(file, 0)
    for _ in range(2 * MAX_SILENT_CHECKS):
        assert watch.hanging() == []
    os.close(file)
