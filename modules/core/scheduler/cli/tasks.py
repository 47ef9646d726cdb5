"""The commands `chamberlain tasks …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, print_facts, print_json, print_table, say
from modules.core.scheduler.cli.explanations import tell_explanation
from modules.core.scheduler.cli.opening import REFUSED, AsJson, Limit, one_of, with_scheduler

if TYPE_CHECKING:
    from datetime import timedelta

    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService

STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled")
TaskName = Annotated[str, typer.Argument(metavar="TASK", help="The task's id, or its name where no other has it.")]

task_commands = typer.Typer(help="What is scheduled.", no_args_is_help=True)


@task_commands.command("list")
def list_tasks(
    status: Annotated[str | None, typer.Option(help="One of " + ", ".join(STATUSES), callback=one_of(STATUSES))] = None,
    module: Annotated[str | None, typer.Option(help="Only tasks of this module.")] = None,
    function: Annotated[str | None, typer.Option(help="Only tasks that run this function.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tasks with this tag.")] = None,
    search: Annotated[str | None, typer.Option(help="Only where the name or description contains this.")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List tasks, those that come next first."""
    from modules.core.scheduler.showing.tasks import TASK_COLUMNS, TASK_FIT, next_first, task_rows, verdict

    filters: dict[str, Any] = {"status": status, "module_id": module, "function_name": function}
    filters |= {"tag": tag, "search": search}

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        page = (await scheduler.list_tasks(**filters, limit=limit, cursor=cursor)).unwrap()
        if as_json:
            print_json(page)
            return
        if page["tasks"]:
            tasks = next_first(page["tasks"])
            print_table(TASK_COLUMNS, task_rows(tasks, clock.now()), ids=[each["id"] for each in tasks], **TASK_FIT)
        say(verdict(page["tasks"]))
        if page["next_cursor"]:
            say(f"there are more: add --cursor {page['next_cursor']}")

    with_scheduler(look)


@task_commands.command("show")
def show_task(task: TaskName, as_json: AsJson = False) -> None:
    """Show one task, and what became of its last occurrences."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.tasks import EXECUTION_COLUMNS, EXECUTION_FIT, execution_rows, task_facts

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        if as_json:
            print_json(found)
            return
        print_facts(task_facts(found, clock.now()))
        latest = (await scheduler.get_executions(found["id"], limit=5)).unwrap()["executions"]
        if latest:
            say("")
            print_table(EXECUTION_COLUMNS, execution_rows(latest), **EXECUTION_FIT)

    with_scheduler(look)


@task_commands.command("explain")
def explain_task(
    task: TaskName,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="A moment, such as 2026-11-21T03:00, in the task's zone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a task runs, waits, or does not run; or why it did, or did not, at a moment."""
    from modules.core.scheduler.asking import find_task

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        tell_explanation((await scheduler.explain(found["id"], at=at)).unwrap(), as_json=as_json)

    with_scheduler(look)


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

    with_scheduler(ask)


def _tell_ending(name: str, ended: dict[str, Any], *, as_json: bool) -> None:
    from modules.core.scheduler.showing.tasks import took

    if as_json:
        print_json(ended)
    else:
        say(f"{name}: {ended['state']} in {took(ended['duration'] or 0)}")
        if ended["result"] is not None:
            print_json(ended["result"])
    if ended["state"] != "succeeded":
        complain(f"{name} {ended['state']}: {ended['error'] or ended['reason']}")
        raise typer.Exit(REFUSED)
