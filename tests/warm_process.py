"""A process that has imported what commands need, and forks one for each: a new one would import for a second.

Run as a program it is that process; `Forked` is one of its commands as a test has it, with a signal mask, a folder, an
environment and streams of its own.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED = (
    "aiosqlite",
    "alembic.command",
    "asyncpg",
    "framework.application",
    "framework.cli",
    "framework.cli.running",
    "framework.migrations",
    "framework.web.serving",
    "modules.core.access.module",
    "modules.core.scheduler.api",
    "modules.core.scheduler.dashboard",
    "modules.core.scheduler.module",
    "modules.core.scheduler.showing.tasks",
    "rich.console",
    "rich.table",
)


class Forked:
    """A command, or `-c` and a program, that runs; `streams` are what it has as stdin, stdout and stderr."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: tuple[int, int, int]
    ) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(_warm())
        with tempfile.TemporaryFile("w+") as wanted:
            json.dump([list(arguments), str(folder), dict(environment)], wanted)
            wanted.flush()
            wanted.seek(0)
            socket.send_fds(self._line, [b"!"], [wanted.fileno(), *streams])
            self.pid = int(self._line.recv(32))
        self.status: int | None = None

    def wait(self, timeout: float) -> int:
        """Return the exit status, negative for a signal; raises `TimeoutError`."""
        if self.status is None:
            self._line.settimeout(timeout)
            self.status = int(self._line.recv(32))
            self._line.close()
        return self.status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


@functools.cache
def _warm() -> str:
    """The address of this test process's warm one, which ends with it."""
    address = str(Path(tempfile.mkdtemp()) / "line")
    command = [sys.executable, "-W", "error", __file__, address]
    pipe = subprocess.PIPE  # a stream that was a file once would be taken for one
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    _kept.append(process)
    return address


_kept: list[subprocess.Popen[bytes]] = []  # its stdin is open as long as this process lives


def _serve(address: str) -> list[str]:
    """Fork for whoever calls; returns in what was forked, with its arguments, and exits when stdin ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    ended, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    choice = selectors.DefaultSelector()
    for each in (sys.stdin.fileno(), ended, listener.fileno()):
        choice.register(each, selectors.EVENT_READ)
    lines: dict[int, socket.socket] = {}
    print("ready", flush=True)
    while True:
        ready = {key.fd for key, _ in choice.select()}
        if sys.stdin.fileno() in ready:
            shutil.rmtree(Path(address).parent)
            sys.exit()
        if ended in ready:
            os.read(ended, 4096)
            _tell_the_ended(lines)
        if listener.fileno() in ready:
            line, _ = listener.accept()
            _, given, *_ = socket.recv_fds(line, 1, 4)
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGCHLD, signal.SIGHUP):  # the latter is ignored where tests run under nohup
                    signal.signal(number, signal.SIG_DFL)
                for inherited in (listener, line, choice, *lines.values()):
                    inherited.close()
                return _become(given)
            lines[pid] = line
            line.send(str(pid).encode())
            for descriptor in given:
                os.close(descriptor)


def _tell_the_ended(lines: dict[int, socket.socket]) -> None:
    for pid in list(lines):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            line = lines.pop(pid)
            with contextlib.suppress(BrokenPipeError):
                line.send(str(os.waitstatus_to_exitcode(status)).encode())
            line.close()


def _become(given: list[int]) -> list[str]:
    """Take over folder, environment and streams; return the arguments."""
    wanted, *streams = given
    arguments, folder, environment = json.loads(os.read(wanted, 1_000_000))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for descriptor in given:
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return [str(each) for each in arguments]


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    for name in IMPORTED:
        pkgutil.resolve_name(name)
    main = pkgutil.resolve_name("framework.cli:main")
    gc.collect()
    gc.freeze()  # or each forked process would copy all of it when it collects its own garbage
    sys.argv[:] = _serve(sys.argv[1])
    if sys.argv[0] == "-c":
        sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
        exec(sys.argv.pop(1), {"__name__": "__main__"})
    else:
        main(sys.argv)
