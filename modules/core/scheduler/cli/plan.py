"""The commands `chamberlain plan` and `chamberlain apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, say
from modules.core.scheduler.cli.opening import REFUSED, AsJson, be_sure, with_modules

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler


def show_plan(
    check: Annotated[bool, typer.Option("--check", help="1 where there is a difference, for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how the declared tasks and cleanups differ from the database; nothing is written, no module starts."""
    from modules.core.scheduler.showing.plan import has_difference, plan_lines

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        plan = (await scheduler.plan_declared()).unwrap()
        _tell(plan, plan_lines(plan), as_json=as_json)
        if check and has_difference(plan):
            raise typer.Exit(REFUSED)

    with_modules(look)


def apply_plan(
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask after showing the plan, and apply whatever it is by then.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the declared tasks and cleanups into the database at once; no module starts."""
    from modules.core.scheduler.showing.plan import applied_lines, has_difference, plan_lines

    async def work(scheduler: Scheduler, _clock: Clock) -> None:
        plan = (await scheduler.plan_declared()).unwrap()
        for line in plan_lines(plan):
            say(line, stderr=as_json)
        if not yes and has_difference(plan):
            be_sure("apply this?")
        applied = (await scheduler.apply_declared(None if yes else plan["seen"])).unwrap()
        _tell(applied, applied_lines(applied, plan["seen"]), as_json=as_json)
        if applied["counts"]["refused"]:
            raise typer.Exit(REFUSED)

    with_modules(work)


def _tell(plan: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    for line in lines:
        say(line)
