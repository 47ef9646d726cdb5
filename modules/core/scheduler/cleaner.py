"""The cleaner: carries one policy out and keeps the report it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from framework.clock import new_id
from framework.context import AppContext
from framework.database import Database
from framework.settings import FrameworkSettings
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.cleanup import (
    NO_CEILING,
    AnyPolicy,
    Ceiling,
    FilesPolicy,
    FunctionPolicy,
    Means,
    Report,
    RowsPolicy,
    check_rows_policy,
    clean_files,
    clean_rows,
    count_rows,
    numbers_in,
    weak_spots,
)
from modules.core.scheduler.execution import State, outcome_of_exception, outcome_of_value
from modules.core.scheduler.execution_context import ExecutionContext
from modules.core.scheduler.functions import FunctionRegistry
from modules.core.scheduler.invoke import invoke
from modules.core.scheduler.ownership import TableOwners
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import cleanups, reports
from modules.core.scheduler.store.reports import day_of

MAX_NOTE = 20_000  # characters of what a module's own cleaner returns


class Cleaner:
    """Knows where the tables, files and functions of policies are; whatever goes wrong ends up in a report."""

    def __init__(
        self,
        app_context: AppContext,
        functions: FunctionRegistry,
        settings: SchedulerSettings,
        roots: tuple[Path, ...],
        owners: TableOwners,
    ) -> None:
        self._app_context = app_context
        self._clock = app_context.clock
        self._functions = functions
        self._report_directory = settings.housekeeper_report_directory
        self.roots = roots
        self._owners = owners
        data_dir = app_context.settings(FrameworkSettings).data_dir
        self.means = Means.of(data_dir, roots, settings.housekeeper_pseudonym_key)
        self._others: dict[str, Database] = {}

    async def problems(self, module_id: str, policy: AnyPolicy) -> list[Any]:
        """Return what of a policy does not fit the live schema or the registered functions."""
        if isinstance(policy, RowsPolicy):
            database = self.database(policy.database)
            if database is None:
                return [{"field": "database", "message": f"no database {policy.database!r} is configured"}]
            if foreign := self._owners.problem(module_id, policy):
                return [foreign]
            forbidden, owned = self._owners.bounds(module_id, policy.database)
            return await database.read(lambda c: check_rows_policy(c, policy, forbidden, owned, means=self.means))
        if isinstance(policy, FunctionPolicy):
            function = self._functions.find(module_id, policy.function_name)
            if function is None:
                message = self._functions.unknown(module_id, policy.function_name)
                return [{"field": "function_name", "message": message}]
            return list(function.check(policy.parameters))
        return []

    async def warnings(self, policy: AnyPolicy) -> list[dict[str, str]]:
        """Return what makes a policy that fits slow or blind, as `{"field", "message", "severity": "warning"}`."""
        if not isinstance(policy, RowsPolicy) or (database := self.database(policy.database)) is None:
            return []
        return await database.read(lambda c: weak_spots(c, policy))

    async def clean(
        self,
        module_id: str,
        policy: AnyPolicy,
        *,
        dry_run: bool,
        context: ExecutionContext | None,
        at: datetime | None = None,
        most: int | None = None,
        ceiling: Ceiling = NO_CEILING,
        halted: Callable[[], bool] = lambda: False,
        cursor: str | None = None,
    ) -> Report:
        """Carry the policy out, or count what it would take, as things stand `at` a moment; at `most` so many.

        A run that comes to its `ceiling` while there is more fails with `GUARD_EXCEEDED`.
        `context` and `halted` are asked now and then whether to stop. `cursor` is where the last run
        of rows stopped, as its report says.
        """
        started = self._clock.now()
        how: dict[str, Any] = {"now": at or started, "max_deletions": most, "ceiling": ceiling, "cursor": cursor}
        how["should_stop"] = halted if context is None else lambda: context.cancelled or halted()
        try:
            report = await self._clean(module_id, policy, dry_run=dry_run, context=context, **how)
        except Exception as error:  # noqa: BLE001  # the boundary: a cleaner's failure is its report, never swallowed
            return self.failed(policy.kind, dry_run, outcome_of_exception(error).error or "it failed")
        return replace(report, started_at=started, ended_at=self._clock.now())

    async def _clean(
        self, module_id: str, policy: AnyPolicy, *, dry_run: bool, context: ExecutionContext | None, **how: Any
    ) -> Report:
        cursor = how.pop("cursor")
        if isinstance(policy, FilesPolicy):
            how["monotonic"] = self._clock.monotonic
            return await asyncio.to_thread(clean_files, policy, roots=self.roots, dry_run=dry_run, **how)
        if isinstance(policy, FunctionPolicy):
            return await self._call(module_id, policy, dry_run=dry_run, context=context)
        database = self.database(policy.database)
        if database is None:
            return self.failed(policy.kind, dry_run, f"no database {policy.database!r} is configured")
        if foreign := self._owners.problem(module_id, policy):
            return self.failed(policy.kind, dry_run, foreign["message"])
        forbidden, owned = self._owners.bounds(module_id, policy.database)
        how |= {"forbidden_tables": forbidden, "owned_tables": owned, "clock": self._clock, "cursor": cursor}
        how["means"] = self.means
        return await clean_rows(policy, database=database, dry_run=dry_run, **how)

    async def population(self, policy: AnyPolicy, counted: Report) -> int:
        """Return how many rows the table has, or files the directory, of which a dry run counted `counted`."""
        database = self.database(policy.database) if isinstance(policy, RowsPolicy) else None
        if not isinstance(policy, RowsPolicy) or database is None:
            return counted.examined - sum(counted.skipped.values())
        name = policy.table_name
        return await database.read(lambda c: count_rows(c, name))

    async def _call(
        self, module_id: str, policy: FunctionPolicy, *, dry_run: bool, context: ExecutionContext | None
    ) -> Report:
        """Call a module's own cleaner; what it returns is, as JSON, the report's note, and its numbers are counted.

        A dry run calls it only where it has a parameter `dry_run`, which is then true.
        """
        started = self._clock.now()
        function = self._functions.find(module_id, policy.function_name)
        if function is None:
            return self.failed(policy.kind, dry_run, self._functions.unknown(module_id, policy.function_name))
        if dry_run and "dry_run" not in (function.arguments.accepted or ()):
            note = "it has no parameter dry_run: it was not called"
            return Report(policy.kind, dry_run=True, started_at=started, note=note)
        context = context or self._by_hand(module_id, policy.function_name)
        parameters = {**policy.parameters, "dry_run": True} if dry_run else policy.parameters
        value = await invoke(function, parameters, context)
        outcome = outcome_of_value(value)
        if outcome.state != State.SUCCEEDED:
            return self.failed(policy.kind, dry_run, outcome.error or "it failed")
        returned = None if outcome.result_json is None else storable(outcome.result_json, MAX_NOTE)
        return Report(policy.kind, dry_run=dry_run, started_at=started, note=returned, **numbers_in(value))

    def _by_hand(self, module_id: str, function_name: str) -> ExecutionContext:
        """The context of a cleaner that is called by hand rather than by an execution."""
        now, run_id = self._clock.now(), new_id()
        return ExecutionContext(
            execution_id=run_id,
            task_id=run_id,
            task_name=function_name,
            module_id=module_id,
            function_name=function_name,
            attempt=1,
            retries_used=0,
            scheduled_for=now,
            started_at=now,
            origin="manual",
            app_context=self._app_context,
            session_id=self._app_context.session_id,
        )

    def failed(self, kind: str, dry_run: bool, error: str, code: str | None = None) -> Report:
        """Return the report of a run that failed as a whole."""
        now = self._clock.now()
        return Report(kind, dry_run=dry_run, started_at=now, ended_at=now, code=code, errors=(error,), error_count=1)

    async def keep(self, row: Row[Any], report: Report) -> Report:
        """Store a report, and write it as a file where the settings name a folder; return it.

        A file that cannot be written is an error of the report: somebody counts on it.
        """
        now, report_id = self._clock.now(), new_id()
        if self._report_directory is not None:
            try:
                await asyncio.to_thread(_write_file, self._report_directory, report_id, _text(row, report))
            except OSError as error:
                report = report.failed(f"its file in {str(self._report_directory)!r} cannot be written: {error}")
        values = {
            "id": report_id,
            "cleanup_id": row.id,
            "started_at": report.started_at,
            "success": report.success,
            "dry_run": report.dry_run,
            "report": _text(row, report),
        }
        await self._app_context.database.write(lambda c: _store(c, row, values, report, now))
        return report

    async def close(self) -> None:
        """Close the connections to other databases."""
        for database in self._others.values():
            await database.close()
        self._others.clear()

    def database(self, name: str | None) -> Database | None:
        """Return the database of this name; no name means the application's own."""
        if name is None:
            return self._app_context.database
        address = self._app_context.settings(FrameworkSettings).databases.get(name)
        if address is not None and name not in self._others:
            self._others[name] = Database(address)
        return self._others.get(name)


def _text(row: Row[Any], report: Report) -> str:
    return strict_json.dumps({"cleanup_id": row.id, "cleanup_type": row.cleanup_type, **report.to_dict()})


def _store(c: Connection, row: Row[Any], values: dict[str, Any], report: Report, now: datetime) -> None:
    counts = not report.dry_run
    done = {name: getattr(report, name) if counts else 0 for name in ("matched", "deleted", "bytes", "freed_bytes")}
    runs = {"runs": int(counts), "dry_runs": int(not counts), "failures": int(counts and not report.success)}
    seconds = float(report.seconds or 0) if counts else 0.0
    reports.add(c, values)
    reports.count(c, row.id, day_of(report.started_at), {**done, **runs, "seconds": seconds})
    if counts:
        cleanups.has_run(c, row, now, started_at=report.started_at, cursor=report.cursor)


def _write_file(directory: Path, report_id: str, text: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{report_id}.json").write_text(text, encoding="utf-8")
