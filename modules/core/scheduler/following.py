"""What executions do while somebody looks: how far they have come, what they log, which of them begin and end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
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

EARLIER, AT_ONCE = 10, 100  # executions that a stream begins with, and new ones that one look finds before they begin
OVERLAP = timedelta(seconds=3)  # a commit may come so much later than the moment that stands in its rows
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC) + OVERLAP


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
    """Yield the last executions, and from then on each that begins, ends, or does not run, for ever.

    Whatever runs, and whatever has ended since the last look, is read by as many pages as it takes, so that no ending
    is missed, however many there are: only what begins and ends between two looks is told once, as ended.
    """
    newest = (await scheduler.get_executions(task_id, limit=EARLIER)).unwrap()["executions"]
    oldest = min((each["id"] for each in newest), default="")
    ended = (await scheduler.get_executions(since=LONG_AGO, limit=1)).unwrap()["executions"]
    until = ended[0]["end_time"] if ended else LONG_AGO
    told = {each["id"]: each["state"] for each in await _found(scheduler, until - OVERLAP, oldest)}
    told |= {each["id"]: each["state"] for each in newest}
    for each in reversed(newest):
        yield each
    while True:
        await clock.sleep(pause_of(scheduler))
        found = await _found(scheduler, until - OVERLAP, oldest)
        for each in found:
            if told.get(each["id"]) != each["state"] and task_id in (None, each["task_id"]):
                yield each
        told = {each["id"]: each["state"] for each in found}
        until = max((each["end_time"] for each in found if each["end_time"] is not None), default=until)


async def _found(scheduler: Scheduler, since: datetime, oldest: str) -> list[Shown]:
    """Return the newest from one id on, what runs, and what has ended since a moment: each once, the latest last."""
    newest = (await scheduler.get_executions(limit=AT_ONCE)).unwrap()["executions"]
    rows = {each["id"]: each for each in reversed(newest) if each["id"] >= oldest}
    for which in ({"state": "running"}, {"since": since}):  # in this order: what has ended meanwhile has ended
        rows |= {each["id"]: each for each in reversed(await _all_executions(scheduler, **which))}
    return sorted(rows.values(), key=lambda each: (_moment(each), each["id"]))


def _moment(execution: Shown) -> datetime:
    moment: datetime = execution["end_time"] or execution["start_time"] or execution["created_at"]
    return moment


async def _all_executions(scheduler: Scheduler, **which: Any) -> list[Shown]:
    found: list[Shown] = []
    cursor = None
    while True:
        page = (await scheduler.get_executions(**which, limit=MAX_LIMIT, cursor=cursor)).unwrap()
        found += page["executions"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


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
