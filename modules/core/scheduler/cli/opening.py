"""What the scheduler's commands share: their common options, and the services on the application's database."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from framework.invocation import invocation
from framework.terminal import complain, printable

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService
    from modules.core.scheduler.asking import Scheduler

    Work = Callable[[Scheduler, Clock], Awaitable[None]]

MODULE_ID = "core.scheduler"
REFUSED, INTERRUPTED = 1, 130

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or its name where no other has it.")]
Reason = Annotated[str | None, typer.Option(help="Why, for those who look at it later.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="At most so many.")]


def one_of(allowed: tuple[str, ...]) -> Callable[[str | None], str | None]:
    """Return the check of an option that takes one of these words."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}")
        return value

    return check


def be_sure(question: str) -> None:
    """Ask, and end the command unless the answer is yes: with 1 where nobody is there to be asked."""
    if not sys.stdin.isatty():
        complain("nobody is there to be asked; add --yes")
        raise typer.Exit(REFUSED)
    if not typer.confirm(printable(question), err=True):
        raise typer.Exit(INTERRUPTED)


def with_scheduler(work: Work) -> None:
    """Do the work on the database of the application, beside it should it run, or with `--url` ask a server.

    No module starts here.
    """
    if not _asked_afar(work):
        _with_database(work, [MODULE_ID])


def with_modules(work: Work) -> None:
    """Do the work as `with_scheduler` does, with what all modules of the application declare in phase one."""
    if not _asked_afar(work):
        _with_database(work, None)


def on_database(work: Callable[[SchedulerService, Clock], Awaitable[None]], *, declared: bool = False) -> None:
    """Do the work where only the database will do, and a server will not; with what modules declare, if so wanted."""
    if invocation().url is not None:
        raise typer.BadParameter("this works on the database itself; leave out --url and CHAMBERLAIN_URL")
    _with_database(work, None if declared else [MODULE_ID])


def _asked_afar(work: Work) -> bool:
    """Let a server do the work where there is a URL of one."""
    url = invocation().url
    if url is None:
        return False
    import asyncio

    from framework.clock import SystemClock
    from modules.core.scheduler.cli.token import token_for
    from modules.core.scheduler.client import SchedulerClient

    async def asked() -> None:
        await work(SchedulerClient(url, token_for(url)), SystemClock())

    asyncio.run(asked())
    return True


def _with_database(work: Callable[[SchedulerService, Clock], Awaitable[None]], modules: Sequence[str] | None) -> None:
    import asyncio

    from framework.application import Application
    from modules.core.scheduler import SchedulerService
    from modules.core.scheduler.declarations import hand_over_calendars, hand_over_functions, hand_over_tables

    async def opened() -> None:
        async with Application(modules=modules).open() as app_context:
            scheduler = app_context.get_service(SchedulerService)
            if modules is None:
                hand_over_functions(app_context, scheduler)
                hand_over_tables(app_context, scheduler)
                hand_over_calendars(app_context, scheduler)
            await scheduler.calendars.recall()
            await work(scheduler, app_context.clock)

    asyncio.run(opened())
