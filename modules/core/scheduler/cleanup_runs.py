"""One run of a cleanup behind its rails: standstill, the look of a person, guards, and only then the cleaner."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from framework import strict_json
from framework.context import AppContext
from framework.result import Error
from modules.core.scheduler.cleaner import Cleaner
from modules.core.scheduler.cleanup import (
    NO_CEILING,
    AnyPolicy,
    Guarded,
    Limits,
    PolicyError,
    Report,
    parse_policy,
)
from modules.core.scheduler.cleanup_task import closes_at
from modules.core.scheduler.execution_context import ExecutionContext
from modules.core.scheduler.freezing import standstill
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.trigger_manager import TriggerManager

LOOK_EVERY = 1.0  # seconds between two looks, while a cleanup runs, at whether cleanups were frozen
AWAITS_PREVIEW = "run dry: the policy is new or has changed; apply or confirm a plan of it first"
GOES_ON = "counted from the beginning; the next run goes on where a budget ended the last one"

_TIMETABLE = {"cleanup_interval", "cron", "window", "priority", "description"}  # what does not change what goes


class _Freeze:
    """What a run hears of a freeze; one that was over before it asked again is not broken off."""

    def __init__(self) -> None:
        self.error: Error | None = None
        self._is_heeded = False

    def halts(self) -> bool:
        self._is_heeded = self.error is not None
        return self._is_heeded

    def told(self, report: Report) -> Report:
        if self.error is None or not self._is_heeded:
            return report
        return report.refused(self.error.code, f"broken off: {self.error.message}")


class CleanupRuns:
    """Carries out stored cleanups; whatever holds one back is in its report."""

    def __init__(
        self, app_context: AppContext, settings: SchedulerSettings, cleaner: Cleaner, roots: tuple[Path, ...]
    ) -> None:
        self._app_context = app_context
        self._database = app_context.database
        self._clock = app_context.clock
        self._settings = settings
        self._cleaner = cleaner
        self._roots = roots
        self._defaults = Limits.read(settings, "housekeeper_")

    def parse(self, config: Mapping[str, Any]) -> AnyPolicy:
        """Return the policy of a config, or raise `PolicyError`."""
        default = self._settings.cleanup_interval
        return parse_policy(dict(config), default_interval=default, allowed_roots=self._roots)

    def parse_stored(self, text: str) -> AnyPolicy:
        """Return the policy of a stored config, or raise `PolicyError` or `JsonError`."""
        return self.parse(strict_json.loads(text))

    async def run(self, row: Row[Any], *, dry_run: bool, context: ExecutionContext | None = None) -> Report:
        """Carry a cleanup out, or count what it would take; keep its report and return it."""
        dry_run = dry_run or self._settings.housekeeper_dry_run
        try:
            policy = self.parse_stored(row.config)
        except (PolicyError, strict_json.JsonError) as error:
            report = self._cleaner.failed("unreadable", dry_run, f"its config cannot be read: {error}")
        else:
            report = await self._report(row, policy, dry_run=dry_run, context=context)
        return await self._cleaner.keep(row, report)

    async def count(self, row: Row[Any], policy: AnyPolicy, at: datetime | None = None) -> tuple[Report, int]:
        """Return the report of a dry run, and how many rows or files there are in all."""
        counted = await self._cleaner.clean(row.module_id, policy, dry_run=True, context=None, at=at)
        return counted, await self._cleaner.population(policy, counted) if counted.success else 0

    def broken(self, policy: AnyPolicy, counted: Report, population: int) -> list[str]:
        """Return a sentence for every guard that a run would break."""
        return self._limits(policy).judge(counted, population)

    async def guarded(
        self,
        row: Row[Any],
        policy: AnyPolicy,
        *,
        context: ExecutionContext | None = None,
        at: datetime | None = None,
        most: int | None = None,
    ) -> Report:
        """Carry a policy out as things stand `at` a moment, at `most` so many, unless a guard refuses it."""
        limits, ceiling = self._limits(policy), NO_CEILING
        if limits.any:
            counted, population = await self.count(row, policy, at)
            if not counted.success:
                return replace(counted, dry_run=False)
            if broken := limits.judge(counted, population):
                kept = {**counted.kept, "guard": counted.matched}
                return replace(counted, dry_run=False, kept=kept).refused("GUARD_EXCEEDED", "; ".join(broken))
            ceiling = limits.ceiling(population)
        async with self._watched() as frozen:
            halted = partial(self._halted, frozen, self._until(policy, context))
            report = await self._cleaner.clean(
                row.module_id,
                policy,
                dry_run=False,
                context=context,
                at=at,
                most=most,
                ceiling=ceiling,
                halted=halted,
                cursor=row.cursor if at is None else None,  # a plan is of the whole, not of what is left
            )
        return frozen.told(report)

    def _halted(self, frozen: _Freeze, until: datetime | None) -> bool:
        return frozen.halts() or (until is not None and self._clock.now() >= until)

    def _until(self, policy: AnyPolicy, context: ExecutionContext | None) -> datetime | None:
        """Return when the window of a scheduled run closes; one that was asked for by hand takes its time."""
        if policy.window is None or context is None or context.origin != "schedule":
            return None
        return closes_at(policy.window, context.scheduled_for, self._app_context.get_service(TriggerManager).timezone)

    async def standstill(self) -> Error | None:
        """Return why nothing may be deleted now, or None."""
        return await self._database.read(lambda c: standstill(c, self._settings))

    def awaits_preview(self, row: Row[Any], policy: AnyPolicy) -> bool:
        """Whether a person must see a plan of exactly this policy before it deletes."""
        if not isinstance(policy, Guarded):
            return False
        wanted = policy.preview_first or self._settings.housekeeper_preview_first
        return wanted and row.approved != digest(policy)

    def awaits(self, row: Row[Any]) -> bool:
        """Whether a person must see a plan of a stored cleanup first; False where its config cannot be read."""
        try:
            return self.awaits_preview(row, self.parse_stored(row.config))
        except (PolicyError, strict_json.JsonError):
            return False

    async def _report(
        self, row: Row[Any], policy: AnyPolicy, *, dry_run: bool, context: ExecutionContext | None
    ) -> Report:
        if dry_run:
            report = await self._cleaner.clean(row.module_id, policy, dry_run=True, context=context)
            return report if row.cursor is None else replace(report, note=_also(GOES_ON, report.note))
        if error := await self.standstill():
            return self._cleaner.failed(policy.kind, dry_run, error.message, error.code)
        if self.awaits_preview(row, policy):
            report = await self._cleaner.clean(row.module_id, policy, dry_run=True, context=context)
            return replace(report, note=_also(AWAITS_PREVIEW, report.note))
        return await self.guarded(row, policy, context=context)

    def _limits(self, policy: AnyPolicy) -> Limits:
        return Limits.read(policy).or_else(self._defaults) if isinstance(policy, Guarded) else Limits()

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[_Freeze]:
        """Look now and then whether cleanups were frozen meanwhile, on whatever node."""
        freeze = _Freeze()

        async def look() -> None:
            while freeze.error is None:
                await self._clock.sleep(LOOK_EVERY)
                freeze.error = await self.standstill()

        looking = asyncio.create_task(look())
        try:
            yield freeze
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError, SQLAlchemyError):
                await looking


def _also(sentence: str, note: str | None) -> str:
    return sentence if note is None else f"{sentence}; {note}"


def digest(policy: AnyPolicy) -> str:
    """Return what tells one policy from another by what it deletes: not by when, nor by what it is called."""
    values = {name: value for name, value in policy.to_config().items() if name not in _TIMETABLE}
    return hashlib.sha256(strict_json.dumps(dict(sorted(values.items()))).encode()).hexdigest()
