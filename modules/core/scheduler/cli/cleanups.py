"""The commands `chamberlain cleanups …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import print_facts, print_json, print_table, say
from modules.core.scheduler.cli.opening import AsJson, Yes, be_sure, with_modules, with_scheduler

if TYPE_CHECKING:
    from framework.clock import Clock
    from framework.result import Result
    from modules.core.scheduler.asking import Scheduler

CleanupName = Annotated[str, typer.Argument(metavar="CLEANUP", help="Its id, its type, or `module/type`.")]

cleanup_commands = typer.Typer(help="What may be deleted, and what was.", no_args_is_help=True)


@cleanup_commands.command("list")
def list_cleanups(
    module: Annotated[str | None, typer.Option(help="Only those of this module.")] = None, as_json: AsJson = False
) -> None:
    """List the cleanups, in the order in which they would run."""
    from modules.core.scheduler.showing.cleanups import CLEANUP_COLUMNS, CLEANUP_FIT, cleanup_rows, cleanups_verdict

    async def look(scheduler: Scheduler, clock: Clock) -> None:
        cleanups = (await scheduler.list_cleanups(module_id=module)).unwrap()
        held = (await scheduler.status()).unwrap()["paused"]
        if as_json:
            print_json({"cleanups": cleanups})
            return
        if cleanups:
            ids = [each["id"] for each in cleanups]
            print_table(CLEANUP_COLUMNS, cleanup_rows(cleanups, clock.now()), ids=ids, **CLEANUP_FIT)
        say(cleanups_verdict(cleanups, held))

    with_scheduler(look)


@cleanup_commands.command("show")
def show_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Show one cleanup, and its last reports."""
    from modules.core.scheduler.asking_cleanups import find_cleanup
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, REPORT_FIT, cleanup_facts, report_rows

    async def look(scheduler: Scheduler, _clock: Clock) -> None:
        found = (await find_cleanup(scheduler, cleanup)).unwrap()
        reports = (await scheduler.cleanup_reports(found["id"], limit=5)).unwrap()["reports"]
        if as_json:
            print_json(found | {"reports": reports})
            return
        print_facts(cleanup_facts(found))
        if reports:
            print_table(REPORT_COLUMNS, report_rows(reports), **REPORT_FIT)

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

    async def work(scheduler: Scheduler, clock: Clock) -> None:
        names: dict[str, Any] = {"cleanup_type": None, "module_id": None}
        if cleanup is not None:
            found = (await find_cleanup(scheduler, cleanup)).unwrap()
            names = {name: found[name] for name in names}
        async with progress_shown(clock, cleanup or "all cleanups"):
            answer = await scheduler.run_cleanup(names["cleanup_type"], dry_run, module_id=names["module_id"])
        _tell_run(answer, as_json=as_json)

    with_modules(work)


def _tell_run(answer: Result[dict[str, Any]], *, as_json: bool) -> None:
    from modules.core.scheduler.showing.cleanups import REPORT_COLUMNS, REPORT_FIT, ran, report_rows

    done = dict(answer.data if answer.error is None else answer.error.details or {})
    if "reports" in done:
        if as_json:
            print_json(done)
        else:
            print_table(REPORT_COLUMNS, report_rows(done["reports"]), **REPORT_FIT)
            say(ran(done["total"]))
    answer.unwrap()


@cleanup_commands.command("preview")
def preview_cleanup(cleanup: CleanupName, as_json: AsJson = False) -> None:
    """Count exactly what a run would take, and keep that as a plan; nothing is deleted."""
    from modules.core.scheduler.asking_cleanups import find_cleanup, progress_shown
    from modules.core.scheduler.showing.cleanups import plan_lines

    async def look(scheduler: Scheduler, clock: Clock) -> None:
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
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Carry out a plan, as it was seen: once, and only where little has changed since."""
    from modules.core.scheduler.asking_cleanups import progress_shown
    from modules.core.scheduler.showing.cleanups import plan_lines, ran

    async def work(scheduler: Scheduler, clock: Clock) -> None:
        seen = (await scheduler.cleanup_plan(plan)).unwrap()
        if not yes:
            for line in plan_lines(seen)[:-1]:
                say(line, stderr=as_json)
            be_sure("carry it out?")
        async with progress_shown(clock, seen["cleanup_type"] or plan):
            done = (await scheduler.apply_cleanup(plan, tolerance)).unwrap()
        if as_json:
            print_json(done)
        else:
            say(ran(done["report"]))

    with_modules(work)


@cleanup_commands.command("freeze")
def freeze_cleanups(
    reason: Annotated[str | None, typer.Option(help="Why, for those who look at it later.")] = None,
    as_json: AsJson = False,
) -> None:
    """Let nothing delete, on any node, until `unfreeze`; dry runs go on."""
    from modules.core.scheduler.showing.cleanups import frozen

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        held = (await scheduler.freeze_cleanups(reason)).unwrap()
        _tell(held, f"cleanups are {frozen(held)}", as_json=as_json)

    with_scheduler(ask)


@cleanup_commands.command("unfreeze")
def unfreeze_cleanups(as_json: AsJson = False) -> None:
    """Let cleanups delete again."""

    async def ask(scheduler: Scheduler, _clock: Clock) -> None:
        _tell((await scheduler.unfreeze_cleanups()).unwrap(), "cleanups go on", as_json=as_json)

    with_scheduler(ask)


def _tell(told: dict[str, Any], sentence: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        say(sentence)
