"""One process that is tortured: an application with the scheduler, until it is asked to stop or dies."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from benchmarks.torture import seam
from benchmarks.torture.functions import Torture
from benchmarks.torture.ledger import Ledger
from benchmarks.torture.skewed import SkewedClock
from benchmarks.torture.without import remove
from framework import AppContext, Application
from framework.clock import SystemClock
from framework.foreground import carry_through, until_asked_to_stop
from modules.core.scheduler import SchedulerService

LEASE = 1.5  # seconds, so that nobody waits for a minute
LONG_LEASE = 10.0  # where it is not leases that are tested, and more processes want the CPU than it has cores
PACE = 0.02  # seconds between two tasks that a process schedules itself
IMMEDIATELY = "2026-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Life:
    """What one process is and does: `mode` is `run` (until SIGTERM) or `tick` (what is due, once).

    `produce`: so many tasks it schedules itself, one by one, telling the ledger of each that was acknowledged.
    `strike`: the number and kind of the blow at SQLite's seam. `gate`: it waits to be let in once it has started.
    `without`: the protections that are taken out.
    """

    url: str
    folder: Path
    mode: str = "run"
    settings: dict[str, Any] = field(default_factory=dict)
    produce: int = 0
    skew: float = 0.0
    clock_file: Path | None = None
    strike: tuple[int, str] | None = None
    full_disk: Path | None = None
    gate: bool = False
    without: tuple[str, ...] = ()

    @property
    def ledger(self) -> Path:
        """Where all processes of the torment tell what they did."""
        return self.folder / "ledger"


def application(life: Life) -> Application:
    """Return the application of this life, not started."""
    tables = {
        "framework": {"database_url": life.url, "data_dir": str(life.folder / "data"), "log_level": "warning"},
        "core.scheduler": {"lease": LEASE, "poll_interval": 0.5, "timezone": "UTC", **life.settings},
    }
    wrong = life.skew or life.clock_file
    clock = SkewedClock(life.clock_file, life.skew) if wrong else SystemClock()
    return Application(modules=["core.scheduler", Torture(Ledger(life.ledger))], settings=tables, clock=clock)


def live(life: Life) -> None:
    """Live this life; exits as `chamberlain run` and `chamberlain tick` do."""
    _tell_log(life.folder)
    for protection in life.without:
        remove(protection)
    armed = life.folder / f"armed-{os.getpid()}"
    if life.strike is not None:
        seam.strike_at(*life.strike, armed)
    if life.full_disk is not None:
        seam.fill_disk_while(life.full_disk)
    work = {"run": _run, "tick": _tick}[life.mode]

    async def armed_work(app_context: AppContext) -> None:
        _arm(armed, waits=life.gate)
        await work(app_context, life)

    carry_through(application(life), armed_work)
    sys.stdout.flush()
    os._exit(0)  # as after a stop that abandoned a thread: nothing is waited for


def _tell_log(folder: Path) -> None:
    """Let what is logged go to a file, for whoever asks why."""
    target = os.open(folder / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    logging.basicConfig(level=logging.WARNING)


def _arm(armed: Path, *, waits: bool) -> None:
    """Say that this process has started, and wait to be let in; nothing else runs in it yet that this could hold up."""
    armed.touch()
    while waits and not armed.with_suffix(".open").exists():
        time.sleep(0.005)


async def _run(app_context: AppContext, life: Life) -> None:
    ledger = Ledger(life.ledger)
    scheduler = app_context.get_service(SchedulerService)
    for number in range(life.produce):
        await asyncio.sleep(PACE)
        try:
            answer = await scheduler.schedule_task(one_time(f"produced by {os.getpid()}, {number}"))
        except DBAPIError:  # refused, not acknowledged: nothing was promised
            continue
        ledger.tell("scheduled", task=answer.unwrap()["task_id"])
    await until_asked_to_stop()


async def _tick(app_context: AppContext, _life: Life) -> None:
    await app_context.get_service(SchedulerService).tick()


def one_time(name: str, function_name: str = "work", **config: Any) -> dict[str, Any]:
    """Return the config of a task that is due at once."""
    named = {"name": name, "module_id": Torture.id, "function_name": function_name, "schedule_time": IMMEDIATELY}
    return {name: value for name, value in {**named, **config}.items() if value is not None}


def every(name: str, seconds: float, times: int | None, **config: Any) -> dict[str, Any]:
    """Return the config of a task at an interval, fired so many times at most, or for ever."""
    timing = {"recurring": True, "interval_type": "seconds", "interval_value": seconds}
    if times is not None:
        timing["max_executions"] = times
    named = {"name": name, "module_id": Torture.id, "function_name": "work"}
    return {**named, **timing, **config}


Ask = Callable[[SchedulerService], Awaitable[Any]]


def make(life: Life, *statements: str) -> None:
    """Execute statements on the database of this life, once the product's own tables are there."""

    async def made() -> None:
        async with application(life) as app_context:
            await app_context.database.write(lambda c: [c.exec_driver_sql(statement) for statement in statements])

    asyncio.run(made())


def ask(life: Life, question: Ask) -> Any:
    """Start the application without carrying anything out, ask its scheduler, and stop it; returns the answer."""

    async def asked() -> Any:
        async with application(life) as app_context:
            return await question(app_context.get_service(SchedulerService))

    return asyncio.run(asked())
