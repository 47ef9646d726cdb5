"""The commands `chamberlain executions logs | tail`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, print_json_line, say
from modules.core.scheduler.cli.executions import FAILURES, ExecutionName
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

watch_commands = typer.Typer()


@watch_commands.command("logs")
def show_logs(
    execution: ExecutionName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it has ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what an execution has logged."""
    from modules.core.scheduler.asking import find_execution
    from modules.core.scheduler.following import log_lines, log_lines_to_the_end
    from modules.core.scheduler.showing.executions import log_line

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        found = (await find_execution(scheduler, execution)).unwrap()
        if as_json and not follow:
            print_json({"lines": [line async for line in log_lines(scheduler, found["id"])]})
            return
        lines = log_lines_to_the_end(scheduler, clock, found["id"]) if follow else log_lines(scheduler, found["id"])
        async for line in lines:
            _tell(line, log_line(line), as_json=as_json)

    with_scheduler(look)


@watch_commands.command("tail")
def tail_executions(
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only of this task: its id, or its name.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed, timed out or was lost.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show executions as they begin and end, until Ctrl-C."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.following import stream
    from modules.core.scheduler.showing.executions import stream_line

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        task_id = None if task is None else (await find_task(scheduler, task)).unwrap()["id"]
        async for each in stream(scheduler, clock, task_id):
            if not failed or each["state"] in FAILURES:
                _tell(each, stream_line(each), as_json=as_json)

    with_scheduler(look)


def _tell(data: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json_line(data)
    else:
        say(sentence)
