"""One process for functions, seen from the application: started, given a call, listened to, asked to stop, killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from framework import strict_json
from modules.core.scheduler.execution import ExecutionContext, Outcome, State
from modules.core.scheduler.executors.call import MAX_BYTES, Call, outcome_from_dict, tell
from modules.core.scheduler.executors.usage import Usage, usage_of

START = "import sys; sys.path[:] = sys.argv[1:]; from modules.core.scheduler.executors.child import main; main()"
PROCESS_DIED = "ProcessDied"


class Worker:
    """A process that carries out one call at a time; nobody but `start` makes one."""

    def __init__(
        self, process: asyncio.subprocess.Process, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout
        self._listening = asyncio.Lock()
        self._number = 0
        self._began: Usage | None = None
        self._killed: Usage | None = None
        self.is_reusable = False

    @classmethod
    async def start(cls) -> Worker:
        """Start a fresh process, which inherits no file, socket or connection; raises `OSError`.

        It leads a process group of its own: what its functions start is killed with it, and Ctrl-C does not reach it.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            START,
            *_path(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_BYTES,
            start_new_session=True,
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("its pipes are missing")
        return cls(process, process.stdin, process.stdout)

    @property
    def is_fresh(self) -> bool:
        """Whether it has never been given a call."""
        return self._number == 0

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, as far as anybody knows."""
        return self._process.returncode is None and not self._stdout.at_eof()

    @property
    def has_begun(self) -> bool:
        """Whether it has begun the call that it was given last."""
        return self._began is not None

    async def carry_out(self, call: Call, context: ExecutionContext, memory_limit: int | None) -> Outcome:
        """Have the call carried out; its progress and log arrive meanwhile. A process that dies is a failure."""
        self._number += 1
        self._began, self.is_reusable = None, False
        await self._tell(
            number=self._number,
            call=call.to_dict(),
            path=_path(),
            folder=_folder(),
            log_level=logging.root.getEffectiveLevel(),
            memory_limit=memory_limit,
        )
        try:
            while (message := await self._hear()) is not None:
                if (outcome := self._take(message, context)) is not None:
                    return outcome
        except (ValueError, KeyError, TypeError) as error:  # what it sends is written by code that functions can harm
            self.kill()
            return Outcome(State.FAILED, error=f"the process sent what cannot be read: {error}", error_type="Garbled")
        return await self._death()

    async def ask_to_stop(self) -> None:
        """Tell the function that it should stop."""
        await self._tell(stop=self._number)

    def kill(self) -> None:
        """Kill the process and whatever it has started, at once."""
        if self._process.returncode is not None:  # long gone: its id may be another's by now
            return
        if self._killed is None:
            self._killed = usage_of(self._process.pid) or Usage(0.0, None)
        self._kill_group()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # it is gone, or going (macOS)
            os.killpg(self._process.pid, signal.SIGKILL)

    async def end(self) -> None:
        """Kill it, and wait until nothing of it is left."""
        self.kill()
        self._stdin.close()
        async with self._listening:
            while await self._stdout.read(MAX_BYTES):
                pass  # until the end of the pipe, or its transport would be left open
        await self._process.wait()

    async def _tell(self, **message: Any) -> None:
        with contextlib.suppress(ConnectionError):  # it has died: the end of its output tells so
            self._stdin.write(strict_json.dumps(message, max_bytes=MAX_BYTES).encode() + b"\n")
            await self._stdin.drain()

    async def _hear(self) -> Mapping[str, Any] | None:
        async with self._listening:
            line = await self._stdout.readline()
        message: Mapping[str, Any] | None = strict_json.loads(line, max_bytes=MAX_BYTES) if line[-1:] == b"\n" else None
        return message

    def _take(self, message: Mapping[str, Any], context: ExecutionContext) -> Outcome | None:
        """Pass on what it tells; the outcome ends the call."""
        if "started" in message:
            self._began = Usage(message["started"], None)
        if "log" in message:
            _log(**message["log"])
        if (told := message.get("progress")) is not None:
            tell(context, told)
        if "outcome" not in message:
            return None
        self.is_reusable = message["again"]
        return outcome_from_dict(message["outcome"])

    async def _death(self) -> Outcome:
        code = await self._process.wait()
        self._kill_group()  # what it has started may live on
        text = f"the process {_how(code)}" + ("" if code != -signal.SIGKILL else "; perhaps memory ran out")
        died = Outcome(State.FAILED, error=f"{text} before the function returned", error_type=PROCESS_DIED)
        return self.measured(died)

    def measured(self, outcome: Outcome) -> Outcome:
        """Return the outcome with what the call had used when its process was killed, where that is known."""
        if self._killed is None or self._began is None or self._killed.memory_bytes is None:
            return outcome
        cpu = max(self._killed.cpu_seconds - self._began.cpu_seconds, 0.0)
        return replace(outcome, cpu_seconds=cpu, memory_bytes=self._killed.memory_bytes)


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name} (signal {-code})"
    except ValueError:
        return f"was killed by signal {-code}"


def _log(name: str, level: int, text: str, extra: Mapping[str, Any]) -> None:
    logger = logging.getLogger(name)
    if logger.isEnabledFor(level):
        record = logger.makeRecord(name, level, "process", 0, text, (), None)
        vars(record).update({key: value for key, value in extra.items() if key not in vars(record)})
        logger.handle(record)


def _path() -> list[str]:
    """Where modules are found, as the process must find them too; '' is the folder of the moment."""
    return [entry or "." for entry in sys.path]


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return ""
