"""The commands `chamberlain cleanups report | trend | compliance`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from framework.terminal import print_json, print_table, say
from modules.core.scheduler.cli.cleanups import CleanupName
from modules.core.scheduler.cli.opening import REFUSED, AsJson, Limit, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from modules.core.scheduler.asking import Scheduler

report_commands = typer.Typer()


@report_commands.command("report")
def show_reports(
    cleanup: Annotated[
        str | None, typer.Argument(metavar="[CLEANUP]", help="Its id, its type, or `module/type`; else of all.")
    ] = None,
    limit: Limit = 20,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended, from its JSON.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the reports of a cleanup, or of all, newest first."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, REPORT_FIT, report_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        of = None if cleanup is None else (await find_cleanup(scheduler, cleanup)).unwrap()["id"]
        page = (await scheduler.cleanup_reports(of, limit=limit, cursor=cursor)).unwrap()
        if as_json:
            print_json(page)
        elif page["reports"]:
            ids = [each["id"] for each in page["reports"]]
            print_table(REPORT_COLUMNS, report_rows(page["reports"]), ids=ids, **REPORT_FIT)
        else:
            say("no reports")

    with_scheduler(look)


@report_commands.command("trend")
def show_trend(
    cleanup: CleanupName,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days, today among them.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show what the runs of a cleanup came to on each day, and in all."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import TREND_COLUMNS, trend_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        trend = (await scheduler.cleanup_trend(found["id"], days)).unwrap()
        if as_json:
            print_json(trend)
        else:
            print_table(TREND_COLUMNS, trend_rows([*trend["days"], trend["total"]]))

    with_scheduler(look)


@report_commands.command("compliance")
def check_compliance(as_json: AsJson = False) -> None:
    """Tell whether any row or file is older than its cleanup allows; 1 where one is."""
    from modules.core.scheduler.showing.cleanups import COMPLIANCE_COLUMNS, COMPLIANCE_FIT, compliance_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        checks = (await scheduler.cleanup_compliance()).unwrap()
        if as_json:
            print_json({"checks": checks})
        elif checks:
            print_table(COMPLIANCE_COLUMNS, compliance_rows(checks), **COMPLIANCE_FIT)
        else:
            say("no cleanup of rows or files goes by age")
        if any(each["compliant"] is False for each in checks):
            raise typer.Exit(REFUSED)

    with_scheduler(look)
