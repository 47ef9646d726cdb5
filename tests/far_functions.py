"""Functions that tests run in other processes, which import them from here."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from modules.core.scheduler import DoNotRetry, ExecutionContext, RetryAfter

log = logging.getLogger("far")
MEGABYTE = 1_000_000


def add(*, one: int, two: int = 2) -> int:
    return one + two


async def add_async(*, one: int, two: int = 2) -> int:
    await asyncio.sleep(0)  # noqa: TID251  # one turn of the loop, no time
    return one + two


def pid() -> int:
    return os.getpid()


def place() -> dict[str, Any]:
    """Where and how it runs, and what it holds open beside its standard streams."""
    files = [entry for entry in list(Path("/proc/self/fd").iterdir()) if int(entry.name) > 2 and entry.exists()]
    return {
        "pid": os.getpid(),
        "folder": str(Path.cwd()),
        "is_main_thread": threading.current_thread() is threading.main_thread(),
        "open": sorted(str(entry.readlink()) for entry in files),
    }


def about(context: ExecutionContext) -> dict[str, Any]:
    """What the context says."""
    return {
        "execution_id": context.execution_id,
        "attempt": context.attempt,
        "scheduled_for": context.scheduled_for.isoformat(),
        "key": context.idempotency_key,
        "payload": context.payload,
        "cancelled": context.cancelled,
    }


def uses_app_context(context: ExecutionContext) -> None:
    context.app_context.get_service("core.scheduler.service")


def tells(context: ExecutionContext) -> None:
    """Progress and log."""
    context.progress(1, 4, "a quarter")
    context.logger.warning("half way", extra={"rows": 7})
    log.info("too quiet to be heard")
    print("on standard output")
    context.progress(4, 4, "all")


def tells_and_waits(*, release: str, context: ExecutionContext) -> None:
    """Progress, and no end before it is released."""
    context.progress(1, 4, "a quarter")
    while not Path(release).exists():
        pass


def raises(*, what: str) -> None:
    raise {"final": DoNotRetry("never"), "later": RetryAfter(60, "busy"), "plain": LookupError("gone")}[what]


def returns_a_set() -> set[int]:
    return {1}


def secret(*, password: str) -> None:
    raise ValueError(f"cannot log in with {password}")


def checked(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters


def exits() -> None:
    os._exit(3)


def crashes() -> None:
    ctypes.string_at(0)


def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def allocates(*, megabytes: int) -> int:
    return len(bytearray(megabytes * MEGABYTE))


def burns(*, seconds: float) -> None:
    """Use so much of the processor."""
    begin = sum(os.times()[:2])
    while sum(os.times()[:2]) < begin + seconds:
        pass


def stuck(*, started: str) -> None:
    """Hear nothing, together with a process that it has started."""
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    _tell(started, f"{os.getpid()} {child.pid}")
    while True:
        signal.pause()


def forks_and_exits(*, started: str) -> None:
    """Die, and leave a fork behind that holds what it has inherited."""
    process = multiprocessing.get_context("fork").Process(target=signal.pause)
    process.start()
    _tell(started, str(process.pid))
    os._exit(5)


def patient(*, started: str, context: ExecutionContext) -> str:
    """Look now and then whether to stop, and clean up."""
    _tell(started, str(os.getpid()))
    while not context.cancelled:
        pass
    _tell(f"{started}.cleaned", "yes")
    context.raise_if_cancelled()
    return "not reached"


async def patient_async(*, started: str) -> None:
    """Clean up when cancelled."""
    _tell(started, str(os.getpid()))
    try:
        await asyncio.Event().wait()
    finally:
        _tell(f"{started}.cleaned", "yes")


def finishes_when_asked(*, started: str, context: ExecutionContext) -> str:
    _tell(started, str(os.getpid()))
    while not context.cancelled:
        pass
    return "done all the same"


def counts_starts(*, folder: str, started: str, release: str) -> str:
    """Leave a file for every start, then wait to be released."""
    (Path(folder) / f"start-{os.getpid()}").touch()
    _tell(started, str(os.getpid()))
    while not Path(release).exists():
        pass
    return "released"


def leaves_a_thread() -> int:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    return os.getpid()


class Reports:
    """A class with functions."""

    def method(self) -> int:
        return 1

    @classmethod
    def of_class(cls) -> str:
        return cls.__name__


def _tell(path: str, text: str) -> None:
    """All at once: who waits for the file finds all of the text."""
    unfinished = Path(f"{path}.{os.getpid()}.part")
    unfinished.write_text(text)
    unfinished.rename(path)
