"""The command `chamberlain` in processes of its own, in a project folder made for a test."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SECONDS = 30  # until a line that must come counts as missing
COMMAND = [sys.executable, "-W", "error", "-m", "framework"]

SEVERAL = """
import contextlib, io, json, sys
from framework.cli import main
answers = []
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main(command)
        except SystemExit as end:
            status = end.code
    answers.append((status, out.getvalue(), err.getvalue()))
print(json.dumps(answers))
"""


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
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=2 * SECONDS,
            check=False,
        )

    def calls(self, *commands: Sequence[str]) -> list[Answer]:
        """Run commands one after the other in one process, which is quicker."""
        program = [sys.executable, "-W", "error", "-c", SEVERAL, json.dumps(commands)]
        answers = subprocess.run(
            program, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=SECONDS, check=True
        )
        return [Answer(*answer) for answer in json.loads(answers.stdout)]

    def json(self, *arguments: str) -> Any:
        """Run a command with --json; return what it printed. It must end with 0."""
        answer = self.call(*arguments, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def start(self, *arguments: str, **variables: str) -> Started:
        """Start a command and leave it running."""
        return Started([*COMMAND, *arguments], self.folder, {**self.environment, **variables})


class Started:
    """A command that runs; what it prints on stdout and stderr is read as one."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.seen: list[str] = []

    def __enter__(self) -> Started:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)
        self._process.stdout.close()

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
        self._process.kill()
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
