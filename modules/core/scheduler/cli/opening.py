"""What the scheduler's commands share: their common options, and the services on the application's database."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import complain

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService

MODULE_ID = "core.scheduler"
REFUSED, INTERRUPTED = 1, 130

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
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
    if not typer.confirm(question, err=True):
        raise typer.Exit(INTERRUPTED)


def with_scheduler(work: Callable[[SchedulerService, Clock], Awaitable[None]]) -> None:
    """Do the work on the database of the application, beside it should it run; none of its modules starts here."""
    import asyncio

    from framework.application import Application
    from modules.core.scheduler import SchedulerService

    async def opened() -> None:
        async with Application(modules=[MODULE_ID]).open() as app_context:
            scheduler = app_context.get_service(SchedulerService)
            await scheduler.calendars.recall()
            await work(scheduler, app_context.clock)

    asyncio.run(opened())


def with_modules(work: Callable[[SchedulerService, Clock], Awaitable[None]]) -> None:
    """Do the work beside a running application, with what all of its modules declare; none of them starts here."""
    import asyncio

    from framework.application import Application
    from modules.core.scheduler import SchedulerService
    from modules.core.scheduler.declarations import hand_over_calendars, hand_over_functions, hand_over_tables

    async def opened() -> None:
        async with Application().open() as app_context:
            scheduler = app_context.get_service(SchedulerService)
            hand_over_functions(app_context, scheduler)
            hand_over_tables(app_context, scheduler)
            hand_over_calendars(app_context, scheduler)
            await scheduler.calendars.recall()
            await work(scheduler, app_context.clock)

    asyncio.run(opened())
