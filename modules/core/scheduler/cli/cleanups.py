"""The commands `chamberlain cleanups …`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, print_facts, print_json, print_table, say
from modules.core.scheduler.cli.opening import INTERRUPTED, REFUSED, AsJson, Limit, with_modules, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from framework.result import Result
    from modules.core.scheduler import SchedulerService

CleanupName = Annotated[str, typer.Argument(metavar="CLEANUP", help="Its id, its type, or `module/type`.")]

cleanup_commands = typer.Typer(help="What may be deleted, and what was.", no_args_is_help=True)


@cleanup_commands.command("list")
def list_cleanups(
    module: Annotated[str | None, typer.Option(help="Only those of this module.")] = None, as_json: AsJson = False
) -> None:
    """List the cleanups, in the order in which they would run."""
    from modules.core.scheduler.showing.cleanups import CLEANUP_COLUMNS, cleanup_rows, cleanups_verdict

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        cleanups = (await scheduler.list_cleanups(module_id=module)).unwrap()
        held = (await scheduler.status()).unwrap()["paused"]
        if as_json:
            print_json({"cleanups": cleanups})
            return
        if cleanups:
            print_table(CLEANUP_COLUMNS, cleanup_rows(cleanups, clock.now()))
        say(cleanups_verdict(cleanups, held))

    with_scheduler(look)


@cleanup_commands.command("show")
def show_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Show one cleanup, and its last reports."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, cleanup_facts, report_rows

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        reports = (await scheduler.cleanup_reports(found["id"], limit=5)).unwrap()["reports"]
        if as_json:
            print_json(found | {"reports": reports})
            return
        print_facts(cleanup_facts(found))
        if reports:
            print_table(REPORT_COLUMNS, report_rows(reports))

    with_scheduler(look)


@cleanup_commands.command("run")
def run_cleanup(
    cleanup: Annotated[
        str | None,
        typer.Argument(metavar="[CLEANUP]", help="Its id, its type, or `module/type`; else all that are on."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and delete nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a cleanup, or all, here and now; 1 where any of it failed."""
    from modules.core.scheduler.asking_cleanups import find_cleanup, progress_shown

    async def work(scheduler: SchedulerService, clock: Clock) -> None:
        names: dict[str, Any] = {"cleanup_type": None, "module_id": None}
        if cleanup is not None:
            found = (await find_cleanup(scheduler, cleanup)).unwrap()
            names = {name: found[name] for name in names}
        async with progress_shown(clock, cleanup or "all cleanups"):
            answer = await scheduler.run_cleanup(names["cleanup_type"], dry_run, module_id=names["module_id"])
        _tell_run(answer, as_json=as_json)

    with_modules(work)


def _tell_run(answer: Result[dict[str, Any]], *, as_json: bool) -> None:
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, ran, report_rows

    done = dict(answer.data if answer.error is None else answer.error.details or {})
    if "reports" in done:
        if as_json:
            print_json(done)
        else:
            print_table(REPORT_COLUMNS, report_rows(done["reports"]))
            say(ran(done["total"]))
    answer.unwrap()


@cleanup_commands.command("preview")
def preview_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Count exactly what a run would take, and keep that as a plan; nothing is deleted."""
    from modules.core.scheduler.asking_cleanups import find_cleanup, progress_shown
    from modules.core.scheduler.showing.cleanups import plan_lines

    async def look(scheduler: SchedulerService, clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        async with progress_shown(clock, cleanup):
            plan = (await scheduler.preview_cleanup(found["id"])).unwrap()
        if as_json:
            print_json(plan)
            return
        for line in plan_lines(plan):
            say(line)

    with_modules(look)


@cleanup_commands.command("apply")
def apply_cleanup(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, as `preview` told it.")],
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="By which part numbers may differ from it.")] = 0.05,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carry out a plan, as it was seen: once, and only where little has changed since."""
    from modules.core.scheduler.asking_cleanups import progress_shown
    from modules.core.scheduler.showing.cleanups import plan_lines, ran

    async def work(scheduler: SchedulerService, clock: Clock) -> None:
        seen = (await scheduler.cleanup_plan(plan)).unwrap()
        if not yes:
            for line in plan_lines(seen)[:-1]:
                say(line, stderr=as_json)
            _ask("carry it out?")
        async with progress_shown(clock, seen["cleanup_type"] or plan):
            done = (await scheduler.apply_cleanup(plan, tolerance)).unwrap()
        if as_json:
            print_json(done)
        else:
            say(ran(done["report"]))

    with_modules(work)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        complain("nobody is there to be asked; add --yes")
        raise typer.Exit(REFUSED)
    if not typer.confirm(question, err=True):
        raise typer.Exit(INTERRUPTED)


@cleanup_commands.command("freeze")
def freeze_cleanups(
    reason: Annotated[str | None, typer.Option(help="Why, for those who look at it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing delete, on any node, until `unfreeze`; dry runs go on."""
    from modules.core.scheduler.showing.cleanups import frozen

    async def ask(scheduler: SchedulerService, _clock: Clock) -> None:
        held = (await scheduler.freeze_cleanups(reason)).unwrap()
        _tell(held, f"cleanups are {frozen(held)}", as_json=as_json)

    with_scheduler(ask)


@cleanup_commands.command("unfreeze")
def unfreeze_cleanups(as_json: AsJson = False) -> None:
    """Let cleanups delete again."""

    async def ask(scheduler: SchedulerService, _clock: Clock) -> None:
        _tell((await scheduler.unfreeze_cleanups()).unwrap(), "cleanups go on", as_json=as_json)

    with_scheduler(ask)


def _tell(told: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        say(sentence)


@cleanup_commands.command("report")
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
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, report_rows

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        of = None if cleanup is None else (await find_cleanup(scheduler, cleanup)).unwrap()["id"]
        page = (await scheduler.cleanup_reports(of, limit=limit, cursor=cursor)).unwrap()
        if as_json:
            print_json(page)
        elif page["reports"]:
            print_table(REPORT_COLUMNS, report_rows(page["reports"]))
        else:
            say("no reports")

    with_scheduler(look)


@cleanup_commands.command("trend")
def show_trend(
    cleanup: CleanupName,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days, today among them.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show what the runs of a cleanup came to on each day, and in all."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import TREND_COLUMNS, trend_rows

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        trend = (await scheduler.cleanup_trend(found["id"], days)).unwrap()
        if as_json:
            print_json(trend)
        else:
            print_table(TREND_COLUMNS, trend_rows([*trend["days"], trend["total"]]))

    with_scheduler(look)


@cleanup_commands.command("compliance")
def check_compliance(as_json: AsJson = False) -> None:
    """Tell whether any row or file is older than its cleanup allows; 1 where one is."""
    from modules.core.scheduler.showing.cleanups import COMPLIANCE_COLUMNS, compliance_rows

    async def look(scheduler: SchedulerService, _clock: Clock) -> None:
        checks = (await scheduler.cleanup_compliance()).unwrap()
        if as_json:
            print_json({"checks": checks})
        elif checks:
            print_table(COMPLIANCE_COLUMNS, compliance_rows(checks))
        else:
            say("no cleanup of rows or files goes by age")
        if any(each["compliant"] is False for each in checks):
            raise typer.Exit(REFUSED)

    with_scheduler(look)
