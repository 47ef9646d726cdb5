"""The herd: real processes that live one life, and what may befall them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

from benchmarks.torture.forking import forking
from benchmarks.torture.worker import Life, live

STOP_SECONDS = 60.0


class Herd:
    """Processes with one life; those still alive when it ends are killed."""

    def __init__(self, life: Life, chance: random.Random) -> None:
        self._context = forking()
        self._life = life
        self._chance = chance
        self.living: list[BaseProcess] = []
        self.exit_codes: list[int | None] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list(self.living):
            self.kill(process)

    def start(self, count: int = 1, **changes: Any) -> BaseProcess:
        """Start so many more; return the last one."""
        process: BaseProcess
        for _ in range(count):
            process = self._context.Process(target=live, args=(replace(self._life, **changes),), daemon=True)
            process.start()
            self.living.append(process)
        return self.living[-1]

    def pick(self) -> BaseProcess:
        """Return any of them."""
        return self._chance.choice(self.living)

    def kill(self, process: BaseProcess) -> None:
        """Kill -9."""
        process.kill()
        self.buried(process)

    def freeze(self, process: BaseProcess) -> None:
        """Stop it where it stands (SIGSTOP)."""
        os.kill(_pid(process), signal.SIGSTOP)

    def thaw(self, process: BaseProcess) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(_pid(process), signal.SIGCONT)

    def terminate(self, process: BaseProcess) -> None:
        """Ask it to stop (SIGTERM)."""
        process.terminate()

    def buried(self, process: BaseProcess, seconds: float = STOP_SECONDS) -> int | None:
        """Wait until it has ended, at most so long; return its exit code, None where it did not end and was killed."""
        process.join(seconds)
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        self.living.remove(process)
        self.exit_codes.append(code)
        return code

    def stop(self) -> list[int | None]:
        """Ask all to stop; return their exit codes."""
        asked = list(self.living)
        for process in asked:
            self.terminate(process)
        return [self.buried(process) for process in asked]

    def replace_dead(self, **changes: Any) -> int:
        """Start a new process for each that has died by itself; return how many."""
        dead = [process for process in self.living if not process.is_alive()]
        for process in dead:
            self.buried(process)
            self.start(**changes)
        return len(dead)


def _pid(process: BaseProcess) -> int:
    if process.pid is None:
        raise ValueError("the process has not been started")
    return process.pid


def until(holds: Callable[[], bool], seconds: float, *, what: str, step: float = 0.02) -> None:
    """Wait until it holds; raises TimeoutError with `what` was waited for."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            raise TimeoutError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(step)
