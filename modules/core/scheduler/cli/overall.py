"""The commands `chamberlain status | pause | resume`: the scheduler as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_facts, print_json, say
from modules.core.scheduler.cli.opening import AsJson, Reason, Yes, be_sure, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

OfModule = Annotated[str | None, typer.Option("--module", help="Only the tasks of this module.")]


def show_status(as_json: AsJson = False) -> None:
    """Show what the scheduler is doing.

    First whether somebody has to do something, then nodes, what runs, what is held back, what comes next.
    """
    from modules.core.scheduler.showing.overall import status_facts, wanting_lines

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        status, seen = (await scheduler.status()).unwrap(), (await scheduler.overview()).unwrap()
        if as_json:
            print_json(status | {"overview": seen})
            return
        say(seen["verdict"]["text"])
        for line in wanting_lines(seen):
            say(line)
        print_facts(status_facts(status))

    with_scheduler(look)


def show_stats(
    task: Annotated[str | None, typer.Argument(metavar="[TASK]", help="A task; without it, all of them.")] = None,
    window: Annotated[str, typer.Option(help="1h, 24h or 7d.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Show how executions came out in the last hour, day or week, how long they took, and how late they began."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.overall import stats_facts

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = None if task is None else (await find_task(scheduler, task)).unwrap()
        stats = (await scheduler.stats(None if found is None else found["id"], window)).unwrap()
        if as_json:
            print_json(stats)
        else:
            print_facts(stats_facts(stats, "all tasks" if found is None else found["name"]))

    with_scheduler(look)


def pause_all(module: OfModule = None, reason: Reason = None, yes: Yes = False, as_json: AsJson = False) -> None:
    """Hold back all tasks, or those of one module, on every node, after asking; what runs finishes."""
    what = "all tasks" if module is None else f"all tasks of {module}"

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        if not yes:
            be_sure(f"pause {what}?")
        status = (await scheduler.pause_all(reason, module_id=module)).unwrap()
        if as_json:
            print_json(status)
        else:
            say(f"{what} are held back, {status['running_everywhere']} still running")

    with_scheduler(ask)


def resume_all(module: OfModule = None, as_json: AsJson = False) -> None:
    """Let go what `pause` holds back; what became due meanwhile follows its catch-up policy."""

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        status = (await scheduler.resume_all(module_id=module)).unwrap()
        if as_json:
            print_json(status)
        else:
            say("tasks go on" if module is None else f"tasks of {module} go on")

    with_scheduler(ask)
