"""The commands `chamberlain executions list | show | explain | retry | cancel | wait`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.invocation import invocation
from framework.terminal import complain, print_facts, print_ids, print_json, print_table, say
from modules.core.scheduler.cli.explanations import tell_explanation
from modules.core.scheduler.cli.opening import REFUSED, AsJson, Limit, Yes, be_sure, one_of, with_scheduler
from modules.core.scheduler.cli.running import Timeout, Wait, patience_of, tell_begun, wait_and_tell

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

FAILURES = ("failed", "timed_out", "lost")
STATES = ("pending", "running", "succeeded", *FAILURES, "cancelled", "skipped", "missed")

ExecutionName = Annotated[
    str, typer.Argument(metavar="EXECUTION", help="Its id; or a task, which means its latest execution.")
]
ExecutionNames = Annotated[list[str], typer.Argument(metavar="EXECUTION...", help="Ids, or tasks: their latest ones.")]
State = Annotated[str | None, typer.Option(help="One of " + ", ".join(STATES), callback=one_of(STATES))]
Failed = Annotated[bool, typer.Option("--failed", help="Only what failed, timed out or was lost.")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before ended.")]

execution_commands = typer.Typer(help="What ran, runs, or did not run, and why.", no_args_is_help=True)


@execution_commands.command("list")
def list_executions(
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Only of this task: its id, or its name.")] = None,
    state: State = None,
    failed: Failed = False,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only what ended at this time or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Only what ended before this time.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    as_json: AsJson = False,
) -> None:
    """List executions, newest first, those that were skipped or missed too."""
    window = {"since": since, "until": until}
    show_history(task, state, failed=failed, window=window, limit=limit, cursor=cursor, as_json=as_json)


def show_history(
    task: str | None,
    state: str | None,
    *,
    failed: bool,
    limit: int,
    cursor: str | None,
    as_json: bool,
    window: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Print a page of executions, of one task or of all."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.tasks import EXECUTION_COLUMNS, EXECUTION_FIT, execution_rows

    if failed and state is not None:
        raise typer.BadParameter("--failed and --state are two ways to choose; take one")
    if failed and cursor is not None:
        raise typer.BadParameter("--failed shows one page; for more, take --state and --cursor")

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        task_id = None if task is None else (await find_task(scheduler, task)).unwrap()["id"]
        shown: list[dict[str, Any]] = []
        following = None
        for each in FAILURES if failed else (state,):
            page = (await scheduler.get_executions(task_id, state=each, limit=limit, cursor=cursor, **window)).unwrap()
            shown += page["executions"]
            following = page["next_cursor"] if not failed else None
        shown = sorted(shown, key=lambda each: str(each["id"]), reverse=True)[:limit] if failed else shown
        if as_json:
            print_json({"executions": shown, "next_cursor": following})
        elif shown:
            ids = [each["id"] for each in shown]
            print_table(EXECUTION_COLUMNS, execution_rows(shown), ids=ids, **EXECUTION_FIT)
            if following:
                say(f"there are more: add --cursor {following}")
        else:
            say("no executions")

    with_scheduler(look)


@execution_commands.command("show")
def show_execution(execution: ExecutionName, as_json: AsJson = False) -> None:
    """Show one execution: where and when it ran, and what came out."""
    from modules.core.scheduler.asking import find_execution
    from modules.core.scheduler.showing.executions import execution_facts

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_execution(scheduler, execution)).unwrap()
        attempts = (await scheduler.attempts_of(found["id"])).unwrap()
        if as_json:
            print_json(found | {"attempts": attempts})
        else:
            print_facts(execution_facts(found, attempts))

    with_scheduler(look)


@execution_commands.command("explain")
def explain_execution(execution: ExecutionName, as_json: AsJson = False) -> None:
    """Tell what an execution waits for, where it runs, how it came out, or why it did not run."""
    from modules.core.scheduler.asking import find_execution

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_execution(scheduler, execution)).unwrap()
        tell_explanation((await scheduler.explain_execution(found["id"])).unwrap(), as_json=as_json)

    with_scheduler(look)


@execution_commands.command("retry")
def retry_executions(
    executions: ExecutionNames, wait: Wait = False, timeout: Timeout = None, yes: Yes = False, as_json: AsJson = False
) -> None:
    """Run what failed once more: a further attempt of each, with all its retries; of several, asks first."""
    from modules.core.scheduler.asking import find_execution

    patience = patience_of(timeout, wait=wait)
    if wait and len(executions) > 1:
        raise typer.BadParameter("--wait waits for one execution")

    async def ask(scheduler: Scheduler, clock: Clock) -> None:
        found = [(await find_execution(scheduler, each)).unwrap() for each in executions]
        if len(found) > 1:
            await _retry_many(scheduler, [each["id"] for each in found], yes=yes, as_json=as_json)
            return
        (one,) = found
        started = (await scheduler.retry_execution(one["id"])).unwrap()
        if wait:
            await wait_and_tell(scheduler, clock, started["execution_id"], one["task_name"], patience, as_json=as_json)
        else:
            await tell_begun(scheduler, one["task_name"], started, as_json=as_json)

    with_scheduler(ask)


async def _retry_many(scheduler: Scheduler, ids: list[str], *, yes: bool, as_json: bool) -> None:
    if not yes:
        be_sure(f"retry {len(ids)} executions?")
    answer = (await scheduler.retry_executions(ids)).unwrap()
    if as_json:
        print_json(answer)
    elif invocation().quiet:
        print_ids(each["execution_id"] for each in answer["retried"])
    for each in answer["retried"] if not as_json else ():
        say(f"execution {each['id']} is retried as {each['execution_id']}")
    for each in answer["refused"]:
        complain(f"execution {each['id']}: {each['message']}")
    if answer["refused"]:
        raise typer.Exit(REFUSED)


@execution_commands.command("cancel")
def cancel_executions(executions: ExecutionNames, yes: Yes = False, as_json: AsJson = False) -> None:
    """End executions: pending ones at once, running ones by asking their functions to stop; of several, asks first."""
    from modules.core.scheduler.asking import find_execution
    from modules.core.scheduler.showing.executions import cancelled

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = [(await find_execution(scheduler, each)).unwrap() for each in executions]
        if len(found) > 1 and not yes:
            be_sure(f"cancel {len(found)} executions?")
        answers = {each["id"]: await scheduler.cancel_execution(each["id"]) for each in found}
        done = [answer.data for answer in answers.values() if answer.error is None]
        if as_json:
            print_json({"executions": done})
        elif invocation().quiet:
            print_ids(each["id"] for each in done)
        for each in done if not as_json else ():
            say(cancelled(each))
        for execution_id, answer in answers.items():
            if answer.error is not None:
                complain(f"execution {execution_id}: {answer.error.message}")
        if len(done) < len(answers):
            raise typer.Exit(REFUSED)

    with_scheduler(ask)


@execution_commands.command("wait")
def wait_for_execution(execution: ExecutionName, timeout: Timeout = None, as_json: AsJson = False) -> None:
    """Wait until an execution has ended; 1 where it does not succeed."""
    from modules.core.scheduler.asking import find_execution

    patience = patience_of(timeout, wait=True)

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        found = (await find_execution(scheduler, execution)).unwrap()
        name = found["task_name"]
        await wait_and_tell(scheduler, clock, found["id"], name, patience, as_json=as_json)

    with_scheduler(look)
