"""The commands `chamberlain cleanups archives | restore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.cleanups import CleanupName
from modules.core.scheduler.cli.opening import AsJson, with_modules

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

archive_commands = typer.Typer()


@archive_commands.command("archives")
def list_archives(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """List what a cleanup has kept and can bring back: archives, and what lies in the trash."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import ARCHIVE_COLUMNS, archive_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        archives = (await scheduler.list_archives(found["id"])).unwrap()
        if as_json:
            print_json({"archives": archives})
        elif archives:
            print_table(ARCHIVE_COLUMNS, archive_rows(archives), ids=[each["archive"] for each in archives])
        else:
            say("nothing is kept")

    with_modules(look)


@archive_commands.command("restore")
def restore_cleanup(
    cleanup: CleanupName,
    archive: Annotated[
        str | None,
        typer.Argument(metavar="[ARCHIVE]", help="Which one, as `archives` names it; where there is one, that."),
    ] = None,
    path: Annotated[
        str | None, typer.Option(help="One file alone, by the absolute path that it had; the latest one of this path.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much would come back, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring back what a cleanup has archived, or put into the trash."""
    from modules.core.scheduler.asking_cleanups import find_cleanup, progress_shown
    from modules.core.scheduler.showing.cleanups import restored

    async def work(scheduler: Scheduler, clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        async with progress_shown(clock, cleanup):
            restore = scheduler.restore_cleanup(found["id"], archive, dry_run=dry_run, path=path)
            done = (await restore).unwrap()
        if as_json:
            print_json(done)
        else:
            say(restored(done))

    with_modules(work)
