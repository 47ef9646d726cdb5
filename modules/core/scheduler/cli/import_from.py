"""The commands `chamberlain tasks import crontab` and `… apscheduler`."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from framework.terminal import complain
from modules.core.scheduler.cli.opening import REFUSED, AsJson
from modules.core.scheduler.cli.transfer import DryRun, SourceFile, read, refuse, store

Maps = Annotated[
    list[str] | None, typer.Option("--map", help="WHAT=module:function, what takes its place; several may be given.")
]


def from_crontab(
    file: SourceFile,
    dry_run: DryRun = False,
    system: Annotated[
        bool, typer.Option("--system", help="The form of /etc/crontab, with a column for users.")
    ] = False,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of the times, until a CRON_TZ; by default the scheduler's.")
    ] = None,
    allow_commands: Annotated[
        bool, typer.Option("--allow-commands", help="Make tasks that run shell commands, where the settings allow it.")
    ] = False,
    maps: Maps = None,
    as_json: AsJson = False,
) -> None:
    """Make tasks of the lines of a crontab; a line that cannot be taken as it is meant is refused, with the reason."""
    from modules.core.scheduler.transfer.crontab import read_crontab

    lines = read_crontab(
        read(file),
        zone=_zone(timezone),
        user=pwd.getpwuid(os.getuid()).pw_name,
        is_system=system,
        functions=_functions(maps),
        commands_allowed=allow_commands,
    )
    for line in lines:
        for note in line.notes:
            complain(f"{file}: line {line.number}: note: {note}")
        if line.reason is not None:
            complain(f"{file}: line {line.number} is refused: {line.reason}")
    refused = [{"line": each.number, "text": each.text, "reason": each.reason} for each in lines if each.reason]
    taken = [(line.config, {"line": line.number, "text": line.text}) for line in lines if line.config is not None]
    _store(taken, str(file), refused, dry_run=dry_run, as_json=as_json)


def from_apscheduler(
    source: Annotated[str, typer.Argument(metavar="STORE", help="A SQLite file, or the URL of the job store.")],
    dry_run: DryRun = False,
    table: Annotated[str, typer.Option(help="The job store's table.")] = "apscheduler_jobs",
    maps: Maps = None,
    as_json: AsJson = False,
) -> None:
    """Make tasks of the jobs of an APScheduler 3 job store, whose pickles are never loaded; refuse the rest."""
    import asyncio

    from framework.settings import without_password
    from modules.core.scheduler.transfer.apscheduler import read_job
    from modules.core.scheduler.transfer.job_store import StoreError, read_store

    functions = _functions(maps)
    shown = without_password(source)
    try:
        rows = asyncio.run(read_store(source, table))
    except StoreError as error:
        refuse(str(error))
    jobs = [read_job(job_id, state, functions) for job_id, state in rows]
    for job in jobs:
        for note in job.notes:
            complain(f"{shown}: job {job.job_id}: note: {note}")
        if job.reason is not None:
            complain(f"{shown}: job {job.job_id} is refused: {job.reason}")
    refused = [{"job": job.job_id, "reason": job.reason} for job in jobs if job.reason is not None]
    taken = [(job.config, {"job": job.job_id}) for job in jobs if job.config is not None]
    _store(taken, shown, refused, dry_run=dry_run, as_json=as_json)


def _store(
    taken: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    source: str,
    refused: list[dict[str, Any]],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Store configs, each with its place in the source; end with 1 where anything was refused."""
    configs, places = [config for config, _ in taken], [place for _, place in taken]
    store(configs, [], source, dry_run=dry_run, as_json=as_json, places=places, refused=refused)
    if refused:
        raise typer.Exit(REFUSED)


def _zone(name: str | None) -> str | None:
    from modules.core.scheduler.trigger.zones import zone

    try:
        return None if name is None else zone(name).key
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _functions(maps: list[str] | None) -> Mapping[str, tuple[str, str]]:
    """Return `(module_id, function_name)` by what they stand in for."""
    found = {}
    for each in maps or []:
        what, separator, target = each.rpartition("=")
        module_id, colon, function_name = target.partition(":")
        if not (what and separator and colon and module_id and function_name):
            raise typer.BadParameter(f"--map takes WHAT=module:function, not {each!r}")
        found[what.strip()] = (module_id.strip(), function_name.strip())
    return found
