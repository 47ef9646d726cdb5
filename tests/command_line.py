"""The command `chamberlain` in processes of its own, in a project folder made for a test."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from warm_process import Forked

SECONDS = 30  # until a line that must come counts as missing


class Answer(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    err: str


class Project:
    """A folder with a modules/ of its own; every command runs in it, with nothing set but what a test sets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        foreign = ("FRAMEWORK_", "CORE_SCHEDULER_", "CHAMBERLAIN_")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environment["FRAMEWORK_HTTP_PORT"] = "0"  # tests run beside each other

    def put_module(self, module_id: str, source: str, file: str = "__init__.py") -> Path:
        """Write a file of a module; return the module's folder."""
        folder = self.folder.joinpath("modules", *module_id.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(source)
        return folder

    def call(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        with (
            Path(os.devnull).open() as nothing,
            tempfile.TemporaryFile("w+") as out,
            tempfile.TemporaryFile("w+") as err,
        ):
            streams = nothing.fileno(), out.fileno(), err.fileno()
            command = Forked(arguments, self.folder, {**self.environment, **variables}, streams)
            status = command.wait(2 * SECONDS)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(arguments, status, out.read(), err.read())

    def call_anew(self, *arguments: str, answering: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end in a process that imports everything itself, with something on its stdin."""
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "framework", *arguments],
            cwd=self.folder,
            env=self.environment,
            input=answering,
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )

    def calls(self, *commands: Sequence[str]) -> list[Answer]:
        """Run commands one after the other."""
        called = [self.call(*command) for command in commands]
        return [Answer(each.returncode, each.stdout, each.stderr) for each in called]

    def json(self, *arguments: str) -> Any:
        """Run a command with --json; return what it printed. It must end with 0."""
        answer = self.call(*arguments, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def start(self, *arguments: str, **variables: str) -> Started:
        """Start a command and leave it running."""
        return Started(arguments, self.folder, {**self.environment, **variables})


class Started:
    """A command that runs; what it prints on stdout and stderr is read as one."""

    def __init__(self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        printed, end = os.pipe()
        with Path(os.devnull).open() as nothing:
            self._process = Forked(arguments, folder, environment, (nothing.fileno(), end, end))
        os.close(end)
        self._printed = os.fdopen(printed)
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.seen: list[str] = []

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _read(self) -> None:
        for line in self._printed:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
        self._printed.close()

    def until(self, text: str) -> str:
        """Return the next line that holds the text."""
        while True:
            try:
                line = self._lines.get(timeout=SECONDS)
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"{text!r} did not come; there was:\n" + "\n".join(self.seen))
            self.seen.append(line)
            if text in line:
                return line

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        """As a service manager does."""
        self._process.send_signal(signal.SIGTERM)

    def hang_up(self) -> None:
        """As whoever wants it to read its settings again does."""
        self._process.send_signal(signal.SIGHUP)

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.send_signal(signal.SIGKILL)
        self.status()

    def status(self) -> int:
        """Return the exit status once it has ended; all that it printed is in `seen`."""
        status = self._process.wait(timeout=SECONDS)
        self._reader.join()
        while not self._lines.empty():
            line = self._lines.get()
            if line is not None:
                self.seen.append(line)
        return status
