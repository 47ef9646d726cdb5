"""The commands `chamberlain tasks …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_facts, print_json, print_table, say
from modules.core.scheduler.cli.executions import Cursor, Failed, State, show_history
from modules.core.scheduler.cli.explanations import tell_explanation
from modules.core.scheduler.cli.opening import AsJson, Limit, TaskName, one_of, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

STATUSES = ("pending", "running", "paused", "completed", "failed", "cancelled")

task_commands = typer.Typer(help="What is scheduled.", no_args_is_help=True)


@task_commands.command("list")
def list_tasks(
    status: Annotated[str | None, typer.Option(help="One of " + ", ".join(STATUSES), callback=one_of(STATUSES))] = None,
    module: Annotated[str | None, typer.Option(help="Only tasks of this module.")] = None,
    function: Annotated[str | None, typer.Option(help="Only tasks that run this function.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only tasks with this tag.")] = None,
    trigger: Annotated[str | None, typer.Option(help="Only with a trigger of this type, such as cron.")] = None,
    search: Annotated[str | None, typer.Option(help="Only where the name or description contains this.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List tasks, those that come next first."""
    from modules.core.scheduler.showing.tasks import TASK_COLUMNS, TASK_FIT, next_first, task_rows, verdict

    filters: dict[str, Any] = {"status": status, "module_id": module, "function_name": function}
    filters |= {"tag": tag, "trigger": trigger, "search": search}

    async def look(scheduler: Scheduler, clock: Clock) -> None:
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

    async def look(scheduler: Scheduler, clock: Clock) -> None:
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

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        tell_explanation((await scheduler.explain(found["id"], at=at)).unwrap(), as_json=as_json)

    with_scheduler(look)


@task_commands.command("history")
def show_task_history(
    task: TaskName,
    state: State = None,
    failed: Failed = False,
    limit: Limit = 20,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List a task's executions, newest first, those that were skipped or missed too."""
    show_history(task, state, failed=failed, limit=limit, cursor=cursor, as_json=as_json)
