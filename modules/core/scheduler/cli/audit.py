"""The commands `chamberlain audit …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, Limit, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

audit_commands = typer.Typer(help="What operators have done.", no_args_is_help=True)


@audit_commands.command("list")
def list_audit(
    actor: Annotated[str | None, typer.Option(help="Only what this person or token did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as pause.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only what was done to this kind, such as task.")] = None,
    target: Annotated[str | None, typer.Option(help="Only what was done to what has this id.")] = None,
    since: Annotated[str | None, typer.Option(help="Only from this time on, ISO 8601.")] = None,
    limit: Limit = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who did what to what, newest first; what modules do in their own code is not in it."""
    from modules.core.scheduler.showing.audit import AUDIT_COLUMNS, audit_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        wanted = {"actor": actor, "action": action, "kind": kind, "target": target, "since": since}
        page = (await scheduler.list_audit(**wanted, limit=limit, cursor=cursor)).unwrap()
        if as_json:
            print_json(page)
            return
        if not page["entries"]:
            say("nothing of the kind was done by an operator")
            return
        print_table(AUDIT_COLUMNS, audit_rows(page["entries"]), ids=[each["id"] for each in page["entries"]])
        if page["next_cursor"]:
            say(f"there is more: --cursor {page['next_cursor']}", stderr=True)

    with_scheduler(look)
