"""A shell command as a function, as cron would run it; registered only where the settings allow commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import signal
from collections.abc import Coroutine
from typing import Any

from framework.clock import SystemClock
from framework.result import Result
from framework.time_limit import finishes_within

RUN_COMMAND = ("core.scheduler", "run_command")
SHELL = "/bin/sh"
PATH = "/usr/bin:/bin"
MAX_OUTPUT = 8_000  # bytes that are kept, the last ones
GRACE = 5.0  # seconds that a command has between being asked to end and being killed
DRAIN = 0.5  # seconds for what it has written; a daemon that it left behind may hold the pipe for ever


async def run_command(
    command: str, stdin: str | None = None, shell: str = SHELL, path: str = PATH
) -> Result[dict[str, Any]]:
    """Run a command with `shell -c`: `{"exit_status", "output"}`, output and errors together, the last 8,000 bytes.

    `COMMAND_FAILED` where it ends with another status than 0. As under cron it runs in the home folder with HOME,
    LOGNAME, SHELL and PATH (`path`) alone, so that nothing secret of this process gets there. Cancelled or out of
    time, it is asked to end, and then killed, with all that it started in its group.
    """
    home, environment = _surroundings(shell, path)
    process = await _started(
        asyncio.create_subprocess_exec(
            *(shell, "-c", command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=home,
            env=environment,
            start_new_session=True,
        )
    )
    output = bytearray()
    reading = asyncio.create_task(_read(process, output))
    writing = asyncio.create_task(_write(process, stdin))
    try:
        status = await process.wait()
        await finishes_within(reading, SystemClock(), DRAIN)
    finally:
        reading.cancel()
        writing.cancel()
        await _end(process)
    return _outcome(status, output.decode(errors="replace"))


async def _started(starting: Coroutine[Any, Any, asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """Return the process; cut off meanwhile, it is ended with all that it has begun: asyncio would end it alone."""
    begun = asyncio.create_task(starting)
    try:
        return await asyncio.shield(begun)
    except asyncio.CancelledError:
        await _end(await begun)
        raise


def _surroundings(shell: str, path: str) -> tuple[str, dict[str, str]]:
    user = pwd.getpwuid(os.getuid())
    home = user.pw_dir if os.access(user.pw_dir, os.X_OK) else "/"
    return home, {"HOME": user.pw_dir, "LOGNAME": user.pw_name, "SHELL": shell, "PATH": path}


async def _read(process: asyncio.subprocess.Process, output: bytearray) -> None:
    assert process.stdout is not None  # noqa: S101  # asked for above
    while chunk := await process.stdout.read(65_536):
        output += chunk
        del output[:-MAX_OUTPUT]


async def _write(process: asyncio.subprocess.Process, text: str | None) -> None:
    assert process.stdin is not None  # noqa: S101  # asked for above
    with contextlib.suppress(ConnectionError):  # a command need not read what it is given
        if text is not None:
            process.stdin.write(text.encode())
            await process.stdin.drain()
    process.stdin.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """See to it that nothing of the command is left where it was cut off."""
    if process.returncode is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):  # the second also for what the shell started and did not end
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        await finishes_within(asyncio.ensure_future(process.wait()), SystemClock(), GRACE)


def _outcome(status: int, output: str) -> Result[dict[str, Any]]:
    told = {"exit_status": status, "output": output}
    if status == 0:
        return Result.success(told)
    last = next((line for line in reversed(output.splitlines()) if line.strip()), "it wrote nothing")
    ended = f"exit status {status}" if status > 0 else f"ended by signal {-status}"
    return Result.error("COMMAND_FAILED", f"{ended}: {last}", told)
