"""The commands `chamberlain cron …`: what an expression means, without any database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from framework.terminal import complain, print_facts, print_json, print_table, say
from modules.core.scheduler.cli.opening import MODULE_ID, REFUSED, AsJson

if TYPE_CHECKING:
    from modules.core.scheduler import TriggerManager
    from modules.core.scheduler.trigger import Cron

SOMEBODY = "core.scheduler/cron check"  # whose H a check reads: any task will do

cron_commands = typer.Typer(help="What a cron expression means.", no_args_is_help=True)

Expression = Annotated[str, typer.Argument(metavar="EXPR", help="A cron expression, in quotes.")]
Zone = Annotated[str | None, typer.Option(help="The zone it is read in; by default the scheduler's.")]
Task = Annotated[str | None, typer.Option(help="For H: whose time, as MODULE/KEY, or MODULE/NAME without a key.")]
After = Annotated[str | None, typer.Option(metavar="TIME", help="Those after a moment instead of now; ISO 8601.")]
Count = Annotated[int, typer.Option("--count", "-n", min=1, max=1_000, help="How many times to show.")]


def _triggers() -> TriggerManager:
    from framework.clock import SystemClock
    from framework.settings_loader import SettingsLoader
    from modules.core.scheduler import SchedulerSettings, TriggerManager

    return TriggerManager(SystemClock(), SettingsLoader().load(MODULE_ID, SchedulerSettings))


def _read(triggers: TriggerManager, expression: str, timezone: str | None, seed: str | None) -> Cron:
    """Return the trigger of an expression, or refuse with `INVALID_TRIGGER`."""
    from framework.clock import SystemClock
    from framework.result import Error, ResultError
    from modules.core.scheduler.trigger import TriggerError
    from modules.core.scheduler.trigger.cron_definition import cron
    from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT

    given = {"expression": expression}
    try:
        return cron(given, timezone or triggers.timezone, BY_DEFAULT, seed, SystemClock().now())
    except TriggerError as error:
        raise ResultError(Error("INVALID_TRIGGER", str(error), {"field": error.field})) from None


@cron_commands.command("explain")
def explain(
    expression: Expression,
    timezone: Zone = None,
    task: Task = None,
    count: Count = 5,
    as_json: AsJson = False,
) -> None:
    """Say what an expression means: in words, field by field, the next times, and what is odd about it."""
    from framework.clock import SystemClock
    from modules.core.scheduler.foresight.linting import findings_of_trigger
    from modules.core.scheduler.showing.ahead import FIELD_COLUMNS, FINDING, field_rows
    from modules.core.scheduler.trigger.anatomy import fields_of, values_of

    triggers = _triggers()
    trigger = _read(triggers, expression, timezone, task)
    times = triggers.preview(trigger, count)
    fields = {
        name: {"text": text, "values": values_of(name, text)} for name, text in fields_of(trigger.expression).items()
    }
    findings = [
        dict(zip(("code", "text", "advice"), found, strict=True))
        for found in findings_of_trigger(trigger, SystemClock().now())
    ]
    if as_json:
        facts = {"expression": trigger.expression, "timezone": trigger.zone, "text": trigger.describe()}
        print_json({**facts, "fields": fields, "next": times, "findings": findings})
        return
    say(trigger.describe())
    say("")
    print_table(FIELD_COLUMNS, field_rows(fields))
    say("")
    _print_times(times)
    if findings:
        say("")
        print_facts([(found["code"], FINDING.format(**found)) for found in findings])


@cron_commands.command("next")
def show_next(
    expression: Expression,
    timezone: Zone = None,
    task: Task = None,
    after: After = None,
    count: Count = 5,
    as_json: AsJson = False,
) -> None:
    """Show the next times of an expression, and what is odd about them."""
    from modules.core.scheduler.refusing import asked_moment

    triggers = _triggers()
    trigger = _read(triggers, expression, timezone, task)
    since = None if after is None else asked_moment(after, trigger.zone, "after")
    times = triggers.preview(trigger, count, after=since)
    if as_json:
        print_json({"expression": trigger.expression, "timezone": trigger.zone, "next": times})
    else:
        _print_times(times)


def _print_times(times: list[dict[str, Any]]) -> None:
    from modules.core.scheduler.showing.ahead import TIME_COLUMNS, time_rows

    if times:
        print_table(TIME_COLUMNS, time_rows(times))
    else:
        say("it never runs again")


@cron_commands.command("check")
def check(
    expressions: Annotated[list[str], typer.Argument(metavar="EXPR", help="Expressions, or files with one a line.")],
    timezone: Zone = None,
    as_json: AsJson = False,
) -> None:
    """Check expressions, or files of them; 1 where any is refused, with a line for each."""
    from framework.result import ResultError

    triggers = _triggers()
    asked = [each for given in expressions for each in _expressions_of(given)]
    refused = []
    for where, expression in asked:
        try:
            _read(triggers, expression, timezone, SOMEBODY)
        except ResultError as refusal:
            refused.append({"where": where, "expression": expression, "message": refusal.error.message})
    if as_json:
        print_json({"checked": len(asked), "refused": refused})
    else:
        say(f"{len(asked)} checked, {len(refused)} refused")
    for each in refused:
        complain(f"{each['where']}{': ' if each['where'] else ''}{each['message']}")
    if refused:
        raise typer.Exit(REFUSED)


def _expressions_of(given: str) -> list[tuple[str, str]]:
    """Return an expression, or those of a file with where they stand; empty lines and comments are passed over."""
    path = Path(given)
    if not _is_file(path):
        return [("", given)]
    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    return [(f"{given}:{number}", line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or nothing that may stand in one
        return False
