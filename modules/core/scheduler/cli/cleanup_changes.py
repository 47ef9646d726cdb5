"""The commands `chamberlain cleanups enable | disable | update | confirm | remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.invocation import invocation
from framework.terminal import print_ids, print_json, say
from modules.core.scheduler.cli.cleanups import CleanupName
from modules.core.scheduler.cli.opening import AsJson, Yes, be_sure, with_modules
from modules.core.scheduler.cli.ordering import pairs

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

cleanup_change_commands = typer.Typer()


@cleanup_change_commands.command("enable")
def enable_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Let a cleanup run by itself again."""
    _update(cleanup, {"enabled": True}, "on", as_json=as_json)


@cleanup_change_commands.command("disable")
def disable_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Let a cleanup run by itself no more; it can still be run by hand."""
    _update(cleanup, {"enabled": False}, "off", as_json=as_json)


@cleanup_change_commands.command("update")
def update_cleanup(
    cleanup: CleanupName,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of its policy; JSON, or else text.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a cleanup's policy; what is not given stays, and `null` takes a key away."""
    if not set_:
        raise typer.BadParameter("say what is to change, such as --set max_age='30 days'")
    _update(cleanup, pairs(set_), "changed", as_json=as_json)


@cleanup_change_commands.command("confirm")
def confirm_cleanup(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, as `preview` told it.")],
    as_json: AsJson = False,
) -> None:
    """Say that a policy may delete by itself from now on; nothing is deleted by this."""

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        told = (await scheduler.confirm_cleanup(plan)).unwrap()
        _tell(told, plan, f"{told['cleanup_type']} may delete by itself", as_json=as_json)

    with_modules(ask)


@cleanup_change_commands.command("remove")
def remove_cleanup(cleanup: CleanupName, yes: Yes = False, as_json: AsJson = False) -> None:
    """Remove a cleanup and cancel its task, after asking; its reports stay."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import name_of

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        if not yes:
            be_sure(f"remove {name_of(found)}?")
        told = (await scheduler.remove_cleanup(found["id"])).unwrap()
        sentences = [f"{name_of(found)} is removed", *(each["message"] for each in told["warnings"])]
        _tell(told, found["id"], "; ".join(sentences), as_json=as_json)

    with_modules(ask)


def _update(cleanup: str, changes: dict[str, Any], done: str, *, as_json: bool) -> None:
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import name_of

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        told = (await scheduler.update_cleanup(found["id"], changes)).unwrap()
        _tell(told, told["id"], f"{name_of(told)} is {done}", as_json=as_json)

    with_modules(ask)


def _tell(told: dict[str, Any], row_id: str, sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    elif invocation().quiet:
        print_ids([row_id])
    else:
        say(sentence)
