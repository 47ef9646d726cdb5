"""What an operator asks of cleanups from another process: one by its name, and how far a run has come."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from framework.clock import Clock
from framework.result import Result
from framework.terminal import console
from modules.core.scheduler.asking import Scheduler
from modules.core.scheduler.cleanup.report import Tally, watching
from modules.core.scheduler.showing.cleanups import progress_text

if TYPE_CHECKING:  # rich takes a while to import
    from rich.progress import Progress

EVERY = 0.2  # seconds between two looks at how far a run has come


async def find_cleanup(scheduler: Scheduler, wanted: str) -> Result[dict[str, Any]]:
    """Return the cleanup of this id, type or `module/type`: `CLEANUP_NOT_FOUND`, or `AMBIGUOUS_NAME` with the ids."""
    cleanups = (await scheduler.list_cleanups()).unwrap()
    named = [each for each in cleanups if wanted in (each["id"], f"{each['module_id']}/{each['cleanup_type']}")]
    found = named or [each for each in cleanups if each["cleanup_type"] == wanted]
    if not found:
        told = f"there is no cleanup {wanted!r}; `chamberlain cleanups list` shows them all"
        return Result.error("CLEANUP_NOT_FOUND", told)
    if len(found) > 1:
        modules = ", ".join(f"{each['module_id']}/{each['cleanup_type']}" for each in found)
        told = f"{len(found)} cleanups are called {wanted!r}; say which: {modules}"
        return Result.error("AMBIGUOUS_NAME", told, {"ids": [each["id"] for each in found]})
    return Result.success(found[0])


@asynccontextmanager
async def progress_shown(clock: Clock, name: str) -> AsyncIterator[None]:
    """Show on stderr, where that is a terminal, how far the run within has come."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    tallies: list[Tally] = []
    token = watching.set(tallies.append)
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        looking = asyncio.create_task(_look(clock, progress, name, tallies))
        try:
            yield
        finally:
            watching.reset(token)
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking


async def _look(clock: Clock, progress: Progress, name: str, tallies: list[Tally]) -> None:
    shown = progress.add_task(name, total=None)
    while True:
        await clock.sleep(EVERY)
        sums = {number: sum(getattr(each, number) for each in tallies) for number in ("examined", "deleted", "bytes")}
        progress.update(shown, description=progress_text(name, sums))
