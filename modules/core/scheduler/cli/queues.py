"""The commands `chamberlain queues …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.")]

queue_commands = typer.Typer(help="The lines in which executions wait.", no_args_is_help=True)


@queue_commands.command("list")
def list_queues(as_json: AsJson = False) -> None:
    """List the queues with what waits and runs in them; `!!` marks a paused one, and one that no node serves."""
    from modules.core.scheduler.showing.nodes import QUEUE_COLUMNS, QUEUE_FIT, queue_rows, queues_verdict

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        queues = (await scheduler.list_queues()).unwrap()
        if as_json:
            print_json({"queues": queues})
            return
        names = [each["name"] for each in queues]
        print_table(QUEUE_COLUMNS, queue_rows(queues, clock.now()), ids=names, **QUEUE_FIT)
        say(queues_verdict(queues))

    with_scheduler(look)


@queue_commands.command("pause")
def pause_queue(
    queue: QueueName,
    reason: Annotated[str | None, typer.Option(help="Why, for those who look at it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start nothing of a queue, on every node, until it is resumed; what runs finishes."""

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        _tell((await scheduler.pause_queue(queue, reason)).unwrap(), as_json=as_json)

    with_scheduler(ask)


@queue_commands.command("resume")
def resume_queue(queue: QueueName, as_json: AsJson = False) -> None:
    """Let a paused queue go on."""

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        _tell((await scheduler.resume_queue(queue)).unwrap(), as_json=as_json)

    with_scheduler(ask)


@queue_commands.command("limit")
def limit_queue(
    queue: QueueName,
    at_once: Annotated[str, typer.Argument(metavar="NUMBER", help="How many; `none` for no limit.")],
    as_json: AsJson = False,
) -> None:
    """Let at most so many of a queue run at once, on all nodes together; what runs finishes."""
    if at_once != "none" and not at_once.isdecimal():
        raise typer.BadParameter(f"{at_once!r} is neither a number nor `none`", param_hint="NUMBER")

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        limit = None if at_once == "none" else int(at_once)
        _tell((await scheduler.limit_queue(queue, limit)).unwrap(), as_json=as_json)

    with_scheduler(ask)


def _tell(queue: dict[str, Any], *, as_json: bool) -> None:
    from modules.core.scheduler.showing.nodes import queue_told

    if as_json:
        print_json(queue)
    else:
        say(queue_told(queue))
