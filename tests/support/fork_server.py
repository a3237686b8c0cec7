"""A process that starts Python programs by forking, with the modules imported that they will need.

`python main.py` spends a second on imports, and the tests start it hundreds of times. What imports
Panini is left out: that makes an event loop.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import runpy
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

MODULES = (
    *("aiohttp.web", "cryptography.x509", "jwt", "msgspec", "nats.aio.client", "packaging.version"),
    *("prometheus_client.core", "prometheus_client.parser", "pydantic", "pydantic_settings"),
    *("logging.config", "multiprocessing.reduction", "ujson"),
)
OURS = (
    *("bridge.nats_link.client", "bridge.nats_link.watch", "bridge.publishing.over_http"),
    *("bridge.replicas.directory", "bridge.replicas.forwarding", "bridge.replicas.presence"),
    *("bridge.service.figures", "bridge.service.next_steps", "bridge.settings.command_line"),
    *("bridge.web.application", "bridge.web.gate", "bridge.web.key_fetcher", "bridge.web.listener"),
    "handler",
)
"""What `main` imports, and what those import."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)


def serve(control: socket.socket) -> Path | None:
    """Start a program for each connection that comes through `control`, until its end.

    Return the path of a program in the process that is to run it, and None in the server.
    """
    while True:
        told, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not told:
            return None
        if os.fork() == 0:
            control.close()
            return attend(socket.socket(fileno=descriptors[0]), descriptors[1])
        for each in descriptors:
            os.close(each)


def attend(link: socket.socket, output: int) -> Path:
    """Fork once more, tell who asked the process id and at last the exit status, and end.

    Return the path of the program in the process that is to run it.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with link.makefile("rw") as lines:
        request = json.loads(lines.readline())
        pid = os.fork()
        if pid:
            with suppress(PermissionError, ProcessLookupError):
                os.setpgid(pid, pid)  # before anybody is told of it
            print(pid, file=lines, flush=True)
            _, status = os.waitpid(pid, 0)
            with suppress(BrokenPipeError):
                print(os.waitstatus_to_exitcode(status), file=lines, flush=True)
            end()
    link.close()
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    return become(**request)


def become(
    program: str, arguments: list[str], environment: dict[str, str], folder: str, files: list[int]
) -> Path:
    """Make this process what `python program arguments` is when its first line runs."""
    with suppress(PermissionError):
        os.setpgid(0, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[0], files[1]))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    path = Path(program)
    sys.path[0] = str(path.parent)
    sys.argv = [program, *arguments]
    sys.orig_argv = [sys.executable, *sys.argv]
    return path


def end() -> None:
    """End without what modules, and a measurement of coverage, do at the end of a process."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(descriptor: int) -> Path | None:
    """Import the modules and serve; return the program to run in a process that is to run one."""
    for name in (*MODULES, *OURS):
        importlib.import_module(name)
    assert "panini" not in sys.modules
    gc.collect()
    gc.freeze()  # so that collections in the forks copy no memory
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as control:
        return serve(control)


if __name__ == "__main__":
    if program := main(int(sys.argv[1])):
        runpy.run_path(str(program), run_name="__main__")
