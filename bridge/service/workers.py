"""Several processes on one machine, which listen on the same port under one parent.

The parent serves nobody. It starts the workers, starts one that has died again, and stops them all
on a signal; if the parent dies, they stop by themselves. Each worker is a replica as any other.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass

from bridge.nats_link.embedded import EmbeddedNats, find_or_embed
from bridge.service.background import BackgroundTasks
from bridge.service.signals import ignore_further_signals, on_other_signals, on_stop_signal
from bridge.service.worker_watch import CHECK_SECONDS, MAX_SILENT_CHECKS, WorkerWatch
from bridge.settings.derived import Settings
from bridge.telemetry import events, logs, worker_figures
from bridge.telemetry.logs import say, tell
from bridge.web.port import bind

PLACE = "NATS_BRIDGE_WORKER"
"""The environment variable that tells a worker its place."""
MIN_RESTART_WAIT_SECONDS, MAX_RESTART_WAIT_SECONDS = 1.0, 30.0
"""Until a worker that ended is started again: the double each time, if it ends early."""
EARLY_END_SECONDS = 10.0
LAST_WORDS_SECONDS = 0.5
"""For a worker that hangs to write where it stands."""
STOP_TIMEOUT_SECONDS = 12.0
"""Until what still runs is killed; a stop takes eight at most."""
WRONG_SETTING = 2
"""The exit status of one that would not start the next time either."""
ORDERLY = (0, 130, -signal.SIGTERM, -signal.SIGINT)
"""Those of one that was told to stop, maybe before it had quite begun."""


@dataclass(frozen=True)
class Worker:
    """The place of this process: `number` from 1 to `count`.

    `lifeline` ends with the parent; `figures` are the files for those of all workers, in their
    order. All of them are file descriptors.
    """

    number: int = 1
    count: int = 1
    embedded: bool = False
    """Whether the parent has embedded the NATS server."""
    lifeline: int | None = None
    figures: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """What the lines it writes say of it; nothing if it is alone."""
        return str(self.number) if self.count > 1 else ""

    def stop_with_parent(self) -> None:
        """Stop in an orderly way once the parent is gone."""
        if self.lifeline is not None:
            threading.Thread(target=self._watch, args=[self.lifeline], daemon=True).start()

    @staticmethod
    def _watch(lifeline: int) -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)


def begin(config: Settings) -> Worker:
    """Return the place of this process; the parent of several never returns, but exits."""
    place = os.environ.pop(PLACE, None)
    if place is not None:
        worker = Worker(**json.loads(place))
        worker.stop_with_parent()
        return worker
    if config.workers == 1:
        return Worker()
    logs.set_up(config.log_level, config.log_format)
    raise SystemExit(asyncio.run(_Parent(config).run()))


class _Parent:
    def __init__(self, config: Settings) -> None:
        self._config = config
        self._embedded: EmbeddedNats | None = None
        self._environment = dict(os.environ)
        self._processes: dict[int, asyncio.subprocess.Process] = {}
        self._stop = asyncio.Event()
        self._status = 0
        # The end that is written to stays here; nothing ever is, but it closes with this process.
        self._lifeline, self._end = os.pipe()
        self._figures = tuple(worker_figures.new_file() for _ in range(config.workers))

    async def run(self) -> int:
        """Keep all workers running until SIGINT or SIGTERM; return the exit status."""
        loop = asyncio.get_running_loop()
        on_stop_signal(self._stop.set)
        tell_all = self._tell_all
        on_other_signals(
            stop=self._stop.set,
            reread=lambda: tell_all(signal.SIGHUP),
            show=lambda: tell_all(signal.SIGUSR1),
        )
        loop.add_signal_handler(signal.SIGUSR2, tell_all, signal.SIGUSR2)
        await self._try_the_port()
        if not self._config.nats_url:
            url, self._embedded = await find_or_embed(
                may_embed=not self._config.signs_in, keep=self._config.test_messages
            )
            self._environment["NATS_URL"] = url
            # Without it, a URL means that there are none.
            self._environment["PUBLISH_TEST_MESSAGES"] = str(self._config.test_messages)
        try:
            count = self._config.workers
            say(f"port  shared by {count} workers", events.WORKERS_START, count=count)
            keepers = [loop.create_task(self._keep(number + 1)) for number in range(count)]
            watch = BackgroundTasks()
            watch.run(self._end_those_that_hang())
            await self._stop.wait()
            watch.cancel()
            await self._stop_all(keepers)
        finally:
            if self._embedded is not None:
                self._embedded.stop()
            ignore_further_signals()
        return self._status

    async def _try_the_port(self) -> None:
        """Exit with 2 if somebody listens there: workers of another gateway would share it."""
        config = self._config
        ports = {"HTTP_PORT": config.http_port, "METRICS_PORT": config.metrics_port}
        for setting, port in ports.items():
            if port:
                server = await bind(asyncio.Protocol, config.http_host, port, setting=setting)
                server.close()
                await server.wait_closed()

    async def _keep(self, number: int) -> None:
        """Run one worker, again and again."""
        loop = asyncio.get_running_loop()
        wait, first = MIN_RESTART_WAIT_SECONDS, True
        while not self._stop.is_set():
            began = loop.time()
            status, reason = await self._run(number)
            if self._stop.is_set():
                self._status = self._status or int(status not in ORDERLY)
            elif first and status == WRONG_SETTING:
                self._status = status
                self._stop.set()
            else:
                wait = MIN_RESTART_WAIT_SECONDS if loop.time() - began > EARLY_END_SECONDS else wait
                tell(events.WORKER_DIED, number=number, reason=reason, seconds=wait)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), wait)
                wait, first = min(2 * wait, MAX_RESTART_WAIT_SECONDS), False

    async def _run(self, number: int) -> tuple[int, str]:
        """Run one worker to its end; return its status, as `wait` has it, and that in words."""
        try:
            process = self._processes[number] = await self._start(number)
        except OSError as error:
            return 1, f"cannot be started: {error.strerror}"
        if self._stop.is_set():
            _send(process, signal.SIGTERM)
        status = await process.wait()
        os.ftruncate(self._figures[number - 1], 0)  # what it published is no longer true
        return status, f"ended with {f'signal {-status}' if status < 0 else f'status {status}'}"

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        embedded = self._embedded is not None
        worker = Worker(number, self._config.workers, embedded, self._lifeline, self._figures)
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *sys.orig_argv[1:],
            stdin=subprocess.DEVNULL,
            env=self._environment | {PLACE: json.dumps(asdict(worker))},
            pass_fds=[self._lifeline, *self._figures],
            # Ctrl-C and the end of a terminal are for the parent, which then stops them.
            start_new_session=True,
        )

    async def _end_those_that_hang(self) -> None:
        """Kill workers that do nothing, after they have written where they stand."""
        watch = WorkerWatch(self._figures)
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for number in watch.hanging():
                process = self._processes[number]
                _send(process, signal.SIGUSR2)
                await asyncio.sleep(LAST_WORDS_SECONDS)
                seconds = CHECK_SECONDS * MAX_SILENT_CHECKS
                tell(events.WORKER_HANGS, number=number, seconds=seconds)
                _send(process, signal.SIGKILL)

    async def _stop_all(self, keepers: list[asyncio.Task[None]]) -> None:
        self._tell_all(signal.SIGTERM)
        _, late = await asyncio.wait(keepers, timeout=STOP_TIMEOUT_SECONDS)
        if late:
            tell(events.WORKERS_KILLED, count=len(late))
            self._tell_all(signal.SIGKILL)
            await asyncio.wait(late)

    def _tell_all(self, number: int) -> None:
        for process in self._processes.values():
            _send(process, number)


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    """Send a signal to a process that still runs.

    Not by `process.send_signal`: that takes the exit status of one which has just ended, so that
    asyncio waits for it in vain and makes up 255 (Python 3.11 to 3.14, `Popen.send_signal`).
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
