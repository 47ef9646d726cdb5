"""The commands `chamberlain executions …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.explanations import tell_explanation
from modules.core.scheduler.cli.opening import AsJson, Limit, one_of, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler import SchedulerService

FAILURES = ("failed", "timed_out", "lost")
STATES = ("pending", "running", "succeeded", *FAILURES, "cancelled", "skipped", "missed")

execution_commands = typer.Typer(help="What ran, runs, or did not run, and why.", no_args_is_help=True)


@execution_commands.command("list")
def list_executions(
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only of this task: its id, or its name.")] = None,
    state: Annotated[str | None, typer.Option(help="One of " + ", ".join(STATES), callback=one_of(STATES))] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed, timed out or was lost.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List executions, newest first, those that were skipped or missed too."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.tasks import EXECUTION_COLUMNS, EXECUTION_FIT, execution_rows

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
            print_table(EXECUTION_COLUMNS, execution_rows(shown), ids=[each["id"] for each in shown], **EXECUTION_FIT)
        else:
            say("no executions")

    with_scheduler(look)


@execution_commands.command("explain")
def explain_execution(
    execution: Annotated[str, typer.Argument(metavar="ID", help="The execution's id.")], as_json: AsJson = False
) -> None:
    """Tell what an execution waits for, where it runs, how it came out, or why it did not run."""

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        tell_explanation((await scheduler.explain_execution(execution)).unwrap(), as_json=as_json)

    with_scheduler(look)
