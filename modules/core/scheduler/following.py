"""What executions do while somebody looks: how far they have come, what they log, which of them begin and end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from framework.clock import Clock
from framework.invocation import invocation
from framework.result import ResultError
from framework.terminal import console, printable, say
from modules.core.scheduler.asking import Scheduler, pause_of
from modules.core.scheduler.pages import MAX_LIMIT
from modules.core.scheduler.showing.executions import log_line

if TYPE_CHECKING:  # rich takes a while to import
    from rich.progress import Progress, TaskID

Shown = Mapping[str, Any]
Look = Callable[[Shown], Awaitable[None]]

EARLIER, AT_ONCE = 10, 100  # executions that a stream begins with, and those that one look finds


@contextmanager
def followed(scheduler: Scheduler, name: str) -> Iterator[Look]:
    """Show on stderr what the execution does that the returned function is given, as often as it is given.

    Its log lines, and where that is a terminal, how far it has come.
    """
    if invocation().quiet:
        yield _nowhere
        return
    with _progress(name) as show:
        after = 0

        async def look(execution: Shown) -> None:
            nonlocal after
            show(execution)
            if execution["start_time"] is None:
                return
            with suppress(ResultError):  # a server may know no lines; the execution is what is waited for
                async for line in log_lines(scheduler, execution["id"], after):
                    after = line["number"]
                    say(log_line(line), stderr=True)

        yield look


async def _nowhere(_execution: Shown) -> None:
    """Show nothing."""


async def log_lines(scheduler: Scheduler, execution_id: str, after: int = 0) -> AsyncIterator[Shown]:
    """Yield what an execution has logged, behind the line of this number, up to now."""
    while True:
        page = (await scheduler.execution_logs(execution_id, after=after, limit=MAX_LIMIT)).unwrap()
        for line in page["lines"]:
            yield line
        if page["next_after"] is None:
            return
        after = page["next_after"]


async def log_lines_to_the_end(scheduler: Scheduler, clock: Clock, execution_id: str) -> AsyncIterator[Shown]:
    """Yield what an execution logs, until it has ended."""
    after, ended = 0, False
    while not ended:
        ended = (await scheduler.get_execution(execution_id)).unwrap()["end_time"] is not None
        async for line in log_lines(scheduler, execution_id, after):
            after = line["number"]
            yield line
        if not ended:
            await clock.sleep(pause_of(scheduler))


async def stream(scheduler: Scheduler, clock: Clock, task_id: str | None) -> AsyncIterator[Shown]:
    """Yield the last executions, and from then on each that begins, ends, or does not run, for ever."""
    shown: dict[str, Shown] = {}
    oldest = ""  # what is older has been left out
    while True:
        limit = AT_ONCE if oldest else EARLIER
        page = (await scheduler.get_executions(task_id, limit=limit)).unwrap()["executions"]
        oldest = oldest or min((each["id"] for each in page), default=" ")
        there = [each for each in reversed(page) if each["id"] >= oldest]
        ids = {each["id"] for each in there}
        open_still = [each for each in shown.values() if each["id"] not in ids and each["end_time"] is None]
        there += [each | (await scheduler.get_execution(each["id"])).unwrap() for each in map(dict, open_still)]
        for each in there:
            if each["id"] not in shown or shown[each["id"]]["state"] != each["state"]:
                yield each
        shown = {each["id"]: each for each in there}
        await clock.sleep(pause_of(scheduler))


@contextmanager
def _progress(name: str) -> Iterator[Callable[[Shown], None]]:
    if not sys.stderr.isatty():
        yield lambda _execution: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as progress:
        shown = progress.add_task(printable(name), total=None)
        yield lambda execution: _show(progress, shown, name, execution)


def _show(progress: Progress, shown: TaskID, name: str, execution: Shown) -> None:
    told = execution["progress"] or {}
    fraction, message = told.get("fraction"), told.get("message")
    text = printable(" ".join(filter(None, (name, execution["state"], message))))
    progress.update(shown, description=text, total=None if fraction is None else 1.0, completed=fraction or 0.0)
