"""The commands `chamberlain tasks add | edit`: a task's config out of options."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.invocation import invocation
from framework.terminal import complain, print_ids, print_json, say
from modules.core.scheduler.cli.opening import AsJson, TaskName, with_modules

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

CALENDAR_SPAN = re.compile(r"(\d+)?\s*(month|year)s?")

order_commands = typer.Typer()

At = Annotated[str | None, typer.Option("--at", metavar="TIME", help="Once, at this time, as ISO 8601, or 'now'.")]
In = Annotated[str | None, typer.Option("--in", metavar="SPAN", help="Once, after so long, such as 90s or '2 hours'.")]
Every = Annotated[str | None, typer.Option(metavar="SPAN", help="Again and again, such as 15m, '1 day' or '2 months'.")]
Cron = Annotated[str | None, typer.Option(metavar="EXPR", help="By a cron expression, in quotes.")]
Event = Annotated[str | None, typer.Option(metavar="NAME", help="Whenever this event is emitted.")]
Zone = Annotated[str | None, typer.Option(help="The zone in which times are read; by default the scheduler's.")]
Parameter = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; JSON, or else text.")
]
Setting = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any other key of a task; JSON, or else text.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be given again.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]


@order_commands.command("add")
def add_task(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")],
    function: Annotated[str, typer.Option(metavar="MODULE:FUNCTION", help="What it runs; see `functions list`.")],
    at: At = None,
    after: In = None,
    every: Every = None,
    cron: Cron = None,
    event: Event = None,
    timezone: Zone = None,
    param: Parameter = None,
    key: Annotated[str | None, typer.Option(help="The same key again changes the task instead.")] = None,
    tag: Tags = None,
    description: Description = None,
    paused: Annotated[bool, typer.Option("--paused", help="Hold it until it is resumed.")] = False,
    set_: Setting = None,
    as_json: AsJson = False,
) -> None:
    """Schedule a task: once, at an interval, by a cron expression, or for an event."""
    from modules.core.scheduler.showing.tasks import scheduled

    module_id, _, function_name = function.partition(":")
    if not function_name:
        raise typer.BadParameter(f"{function!r} is not MODULE:FUNCTION, such as acme.reports:nightly")
    config: dict[str, Any] = {"name": name, "module_id": module_id, "function_name": function_name}
    config |= when(at=at, after=after, every=every, cron=cron, event=event)
    given = {"timezone": timezone, "key": key, "tags": tag, "description": description, "paused": paused or None}
    config |= {field: value for field, value in given.items() if value is not None}
    config |= {"parameters": pairs(param)} if param else {}
    config |= pairs(set_)

    async def work(scheduler: Scheduler, clock: Clock) -> None:
        told = (await scheduler.schedule_task(config)).unwrap()
        _tell(told, told["task_id"], scheduled(name, told, clock.now()), as_json=as_json)

    with_modules(work)


@order_commands.command("edit")
def edit_task(
    task: TaskName,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    at: At = None,
    after: In = None,
    every: Every = None,
    cron: Cron = None,
    event: Event = None,
    timezone: Zone = None,
    param: Parameter = None,
    tag: Tags = None,
    description: Description = None,
    set_: Setting = None,
    as_json: AsJson = False,
) -> None:
    """Change a task; what is not given stays, and an occurrence that is due already is not lost."""
    from modules.core.scheduler.asking import find_task
    from modules.core.scheduler.showing.tasks import edited

    changes = when(at=at, after=after, every=every, cron=cron, event=event)
    given = {"name": name, "timezone": timezone, "tags": tag, "description": description}
    changes |= {field: value for field, value in given.items() if value is not None}
    changes |= pairs(set_)
    if not changes and not param:
        raise typer.BadParameter("say what is to change, such as --cron or --param")

    async def work(scheduler: Scheduler, clock: Clock) -> None:
        found = (await find_task(scheduler, task)).unwrap()
        wanted = changes | ({"parameters": _merged(found["parameters"], pairs(param))} if param else {})
        told = (await scheduler.update_task(found["id"], wanted)).unwrap()
        _tell(told, told["id"], edited(told, clock.now()), as_json=as_json)

    with_modules(work)


def when(
    *, at: str | None, after: str | None, every: str | None, cron: str | None, event: str | None
) -> dict[str, Any]:
    """Return the keys of a config that say when; empty where nothing is given."""
    ways: dict[str, dict[str, Any]] = {
        "--at": {"schedule_time": at} if at is not None else {},
        "--in": {"delay": after} if after is not None else {},
        "--every": _interval(every) if every is not None else {},
        "--cron": {"cron": cron} if cron is not None else {},
        "--event": {"trigger": {"type": "event", "event": event}} if event is not None else {},
    }
    taken = [way for way, keys in ways.items() if keys]
    if len(taken) > 1:
        raise typer.BadParameter(f"{' and '.join(taken)} are ways to say when; take one")
    return ways[taken[0]] if taken else {}


def _interval(every: str) -> dict[str, Any]:
    from framework.duration import parse_duration

    calendar = CALENDAR_SPAN.fullmatch(every.strip().lower())
    try:
        value: float = int(calendar[1] or 1) if calendar else parse_duration(every).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    unit = f"{calendar[2]}s" if calendar else "seconds"
    return {"recurring": True, "interval_type": unit, "interval_value": value}


def pairs(given: Sequence[str] | None) -> dict[str, Any]:
    """Return what was given as `NAME=VALUE`, a value as the JSON that it is, or else as text."""
    found: dict[str, Any] = {}
    for each in given or ():
        name, equals, text = each.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{each!r} is not NAME=VALUE")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _merged(parameters: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return a task's parameters with some of them changed; a masked one is not known here, and must be given."""
    from modules.core.scheduler.functions import MASK

    hidden = [name for name, value in parameters.items() if value == MASK and name not in new]
    if hidden:
        complain(f"{', '.join(hidden)} cannot be seen here, and would be lost; give all parameters with --param")
        raise typer.Exit(1)
    return parameters | new


def _tell(told: dict[str, Any], task_id: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    elif invocation().quiet:
        print_ids([task_id])
    else:
        say(sentence)
