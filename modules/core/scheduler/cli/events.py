"""The commands `chamberlain events …`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_json, say
from modules.core.scheduler.cli.opening import AsJson, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

event_commands = typer.Typer(help="What tasks wait for.", no_args_is_help=True)


def _object(text: str) -> dict[str, Any]:
    """Read the payload of an event: a JSON object."""
    try:
        payload = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this is not JSON: {error}") from None
    if not isinstance(payload, dict):
        raise typer.BadParameter("a payload is a JSON object, such as '{\"id\": 7}'")
    return payload


@event_commands.command("emit")
def emit(
    event: Annotated[str, typer.Argument(metavar="NAME", help="The event's name.")],
    payload: Annotated[str, typer.Option(help="What it tells: a JSON object.")] = "{}",
    as_json: AsJson = False,
) -> None:
    """Set off every task that waits for an event; a running application does them."""
    told = _object(payload)

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        count = (await scheduler.emit(event, told)).unwrap()
        if as_json:
            print_json({"event": event, "tasks": count})
        elif count:
            say(f"{count} task{'' if count == 1 else 's'} set off")
        else:
            say("nothing was set off")

    with_scheduler(ask)
