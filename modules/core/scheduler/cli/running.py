"""The command `chamberlain tasks run`, and how a command waits for an execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.invocation import invocation
from framework.terminal import complain, print_ids, print_json, say
from modules.core.scheduler.cli.opening import REFUSED, AsJson, TaskName, with_scheduler

if TYPE_CHECKING:
    from datetime import timedelta

    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

Wait = Annotated[bool, typer.Option("--wait", help="Wait until it has ended; 1 where it does not succeed.")]
Timeout = Annotated[
    str | None, typer.Option(help="Wait no longer than this, such as 90s or 5m; without it, while a node lives.")
]

run_commands = typer.Typer()


@run_commands.command("run")
def run_task(
    task: TaskName,
    force: Annotated[
        bool, typer.Option("--force", help="Even where its overlap policy would leave it out, or let it wait.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Run a task now, beside its schedule; a running application does it."""
    from modules.core.scheduler.asking import find_task

    patience = patience_of(timeout, wait=wait)

    async def ask(scheduler: Scheduler, clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        started = (await scheduler.execute_task(found["id"], force=force)).unwrap()
        if wait:
            await wait_and_tell(scheduler, clock, started["execution_id"], found["name"], patience, as_json=as_json)
        else:
            await tell_begun(scheduler, found["name"], started, as_json=as_json)

    with_scheduler(ask)


def patience_of(text: str | None, *, wait: bool) -> timedelta | None:
    """Return how long to wait; one that cannot be read, or where nobody waits, is wrong usage."""
    from framework.duration import parse_duration

    if text is not None and not wait:
        raise typer.BadParameter("--timeout is how long to wait; add --wait")
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


async def tell_begun(scheduler: Scheduler, name: str, started: dict[str, Any], *, as_json: bool) -> None:
    """Say that an execution is on its way, and where nobody is there to carry it out."""
    from modules.core.scheduler.asking import NO_NODE, no_node_lives

    if as_json:
        print_json(started)
    elif invocation().quiet:
        print_ids([started["execution_id"]])
    else:
        say(f"{name}: execution {started['execution_id']} is on its way")
    if await no_node_lives(scheduler):
        complain(NO_NODE)


async def wait_and_tell(
    scheduler: Scheduler, clock: Clock, execution_id: str, name: str, patience: timedelta | None, *, as_json: bool
) -> None:
    """Show on stderr what an execution does until it has ended, and then how it came out; 1 where it failed."""
    from modules.core.scheduler.asking import wait_for
    from modules.core.scheduler.following import followed

    with followed(scheduler, name) as look:
        answer = await wait_for(scheduler, clock, execution_id, patience, complain, look)
    _tell_ending(name, answer.unwrap(), as_json=as_json)


def _tell_ending(name: str, ended: dict[str, Any], *, as_json: bool) -> None:
    from modules.core.scheduler.showing.tasks import took

    if as_json:
        print_json(ended)
    elif invocation().quiet:
        print_ids([ended["id"]])
    else:
        say(f"{name}: {ended['state']} in {took(ended['duration'] or 0)}")
        if ended["result"] is not None:
            print_json(ended["result"])
    if ended["state"] != "succeeded":
        complain(f"{name} {ended['state']}: {ended['error'] or ended['reason']}")
        raise typer.Exit(REFUSED)
