"""The scheduler's own commands, its part of the banner of `run`, and how its executions read there.

Imported without its package, so that listing commands stays fast: what is heavy is imported inside the commands.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, print_facts, print_json, print_table, say

if TYPE_CHECKING:
    from datetime import timedelta

    from framework.clock import Clock
    from framework.context import AppContext
    from modules.core.scheduler import SchedulerService

MODULE_ID = "core.scheduler"
REFUSED, INTERRUPTED = 1, 130
FAILURES = ("failed", "timed_out", "lost")
STATES = ("pending", "running", "succeeded", *FAILURES, "cancelled", "skipped", "missed")
STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled")
MARKS = {"succeeded": ("✓", "green"), "cancelled": ("-", "yellow")}

commands = typer.Typer()
task_commands = typer.Typer(help="What is scheduled.", no_args_is_help=True)
execution_commands = typer.Typer(help="What ran, runs, or did not run, and why.", no_args_is_help=True)
commands.add_typer(task_commands, name="tasks")
commands.add_typer(execution_commands, name="executions")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="At most so many.")]
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or its name where no other has it.")]


def _one_of(allowed: tuple[str, ...]) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        if value is not None and value not in allowed:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(allowed)}")
        return value

    return check


@commands.command()
def tick(as_json: AsJson = False) -> None:
    """Do what is due, then exit: for cron, a serverless timer or a Kubernetes CronJob."""
    from framework.application import Application
    from framework.foreground import carry_through
    from modules.core.scheduler import SchedulerService

    ended = 0

    async def work(app_context: AppContext) -> None:
        nonlocal ended
        ended = await app_context.get_service(SchedulerService).tick()

    if not carry_through(Application(settings={MODULE_ID: {"enabled": False}}), work):
        raise typer.Exit(INTERRUPTED)
    if as_json:
        print_json({"executions": ended})
    else:
        say(f"{ended} execution{'' if ended == 1 else 's'} ran" if ended else "nothing was due")


@task_commands.command("list")
def list_tasks(
    status: Annotated[
        str | None, typer.Option(help="One of " + ", ".join(STATUSES), callback=_one_of(STATUSES))
    ] = None,
    module: Annotated[str | None, typer.Option(help="Only tasks of this module.")] = None,
    function: Annotated[str | None, typer.Option(help="Only tasks that run this function.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tasks with this tag.")] = None,
    search: Annotated[str | None, typer.Option(help="Only where the name or description contains this.")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List tasks, those that come next first."""
    from modules.core.scheduler.showing import TASK_COLUMNS, task_rows, verdict

    filters: dict[str, Any] = {"status": status, "module_id": module, "function_name": function}
    filters |= {"tag": tag, "search": search}

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        page = (await scheduler.list_tasks(**filters, limit=limit, cursor=cursor)).unwrap()
        if as_json:
            print_json(page)
            return
        if page["tasks"]:
            print_table(TASK_COLUMNS, task_rows(page["tasks"], clock.now()))
        say(verdict(page["tasks"]))
        if page["next_cursor"]:
            say(f"there are more: add --cursor {page['next_cursor']}")

    _with_scheduler(look)


@task_commands.command("show")
def show_task(task: TaskName, as_json: AsJson = False) -> None:
    """Show one task, and what became of its last occurrences."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing import EXECUTION_COLUMNS, execution_rows, task_facts

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        if as_json:
            print_json(found)
            return
        print_facts(task_facts(found, clock.now()))
        latest = (await scheduler.get_executions(found["id"], limit=5)).unwrap()["executions"]
        if latest:
            say("")
            print_table(EXECUTION_COLUMNS, execution_rows(latest))

    _with_scheduler(look)


def _duration(text: str | None) -> timedelta | None:
    from framework.duration import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@task_commands.command("run")
def run_task(
    task: TaskName,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has ended; 1 where it does not succeed.")] = False,
    timeout: Annotated[
        str | None, typer.Option(help="Wait no longer than this, such as 90s or 5m; without it, while a node lives.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a task now, beside its schedule; a running application does it."""
    from modules.core.scheduler.asking import NO_NODE, find_task, no_node_lives, wait_for

    patience = _duration(timeout)
    if patience is not None and not wait:
        raise typer.BadParameter("--timeout is how long to wait; add --wait")

    async def ask(scheduler: SchedulerService, clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        started = (await scheduler.execute_task(found["id"])).unwrap()
        if wait:
            ended = (await wait_for(scheduler, clock, started["execution_id"], patience, complain)).unwrap()
            _tell_ending(found["name"], ended, as_json=as_json)
            return
        if as_json:
            print_json(started)
        else:
            say(f"{found['name']}: execution {started['execution_id']} is on its way")
        if await no_node_lives(scheduler):
            complain(NO_NODE)

    _with_scheduler(ask)


def _tell_ending(name: str, ended: dict[str, Any], *, as_json: bool) -> None:
    from modules.core.scheduler.showing import took

    if as_json:
        print_json(ended)
    else:
        say(f"{name}: {ended['state']} in {took(ended['duration'] or 0)}")
        if ended["result"] is not None:
            print_json(ended["result"])
    if ended["state"] != "succeeded":
        complain(f"{name} {ended['state']}: {ended['error'] or ended['reason']}")
        raise typer.Exit(REFUSED)


@execution_commands.command("list")
def list_executions(
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only of this task: its id, or its name.")] = None,
    state: Annotated[str | None, typer.Option(help="One of " + ", ".join(STATES), callback=_one_of(STATES))] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed, timed out or was lost.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List executions, newest first, those that were skipped or missed too."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing import EXECUTION_COLUMNS, execution_rows

    if failed and state is not None:
        raise typer.BadParameter("--failed and --state are two ways to choose; take one")

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        task_id = None if task is None else (await find_task(scheduler, task)).unwrap()["id"]
        shown: list[dict[str, Any]] = []
        for each in FAILURES if failed else (state,):
            page = await scheduler.get_executions(task_id, state=each, limit=limit)
            shown += page.unwrap()["executions"]
        shown = sorted(shown, key=lambda each: str(each["id"]), reverse=True)[:limit]
        if as_json:
            print_json({"executions": shown})
        elif shown:
            print_table(EXECUTION_COLUMNS, execution_rows(shown))
        else:
            say("no executions")

    _with_scheduler(look)


def _with_scheduler(work: Callable[[SchedulerService, Clock], Awaitable[None]]) -> None:
    """Do the work on the database of the application, beside it should it run; none of its modules starts here."""
    from framework.application import Application
    from modules.core.scheduler import SchedulerService

    async def opened() -> None:
        async with Application(modules=[MODULE_ID]).open() as app_context:
            await work(app_context.get_service(SchedulerService), app_context.clock)

    asyncio.run(opened())


async def announce(app_context: AppContext) -> list[tuple[str, str]]:
    """Return what the banner of `run` tells: the zone, what is held back or blocked, and what comes next."""
    from modules.core.scheduler.announcing import facts

    return await facts(app_context)


def _execution_line(record: logging.LogRecord) -> tuple[str, str, str]:
    """Word the record of an ending: its mark, the mark's colour, and the text."""
    from modules.core.scheduler.showing import took

    told = vars(record)
    if "state" not in told:
        return "!", "yellow", record.getMessage()
    mark, colour = MARKS.get(told["state"], ("✗", "red"))
    error = f": {told['error']}" if told["error"] else ""
    return mark, colour, f"{told['task_name']}  {told['state'].replace('_', ' ')} in {took(told['seconds'])}{error}"


log_lines = {"modules.core.scheduler.executions": _execution_line}
