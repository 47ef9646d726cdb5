"""Seeing ahead: when a trigger, a config or a stored task will run, and what is odd about those times."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.context import AppContext
from framework.result import Result, ResultError
from framework.terminal import moment_text
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.foresight import reading as ahead
from modules.core.scheduler.foresight import what_if as supposing
from modules.core.scheduler.foresight.forecasting import FIGURES, MOST, Asked, forecast_of, scene, summary_of
from modules.core.scheduler.foresight.leisure import at_leisure
from modules.core.scheduler.foresight.linting import (
    ERROR,
    Finding,
    Linted,
    findings_of_crowds,
    findings_of_forecast,
    findings_of_task,
)
from modules.core.scheduler.foresight.overdue import Known, known_of, times_ahead
from modules.core.scheduler.foresight.simulating import Slots, play
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.placing import SHIFT, function_key
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.refusing import too_few
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import ahead as store
from modules.core.scheduler.store import tasks
from modules.core.scheduler.task import Status, TaskConfig
from modules.core.scheduler.trigger import Trigger, awaited_in, from_json, zone
from modules.core.scheduler.trigger_manager import TriggerManager

LONGEST = 24 * 366  # hours of a forecast
MOST_LINTED = 10_000
Answer = Result[dict[str, Any]]


class Foresight:
    """What lies ahead, read and never changed. Methods are async and return a Result."""

    def __init__(
        self, app_context: AppContext, jobs: JobManager, triggers: TriggerManager, settings: SchedulerSettings
    ) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._triggers = triggers
        self._settings = settings

    async def preview(
        self, what: Trigger | TaskConfig | Mapping[str, Any] | str, count: int = 5
    ) -> Result[list[dict[str, Any]]]:
        """Return the next times of a trigger, trigger dict, cron text or config: `{"at", "local", "notes"}` each.

        `at` is in UTC, `local` in the task's zone; a note is `{"code", "text"}`. Nothing is stored. `INVALID_TRIGGER`
        where nothing is to come, `INVALID_CONFIG` for a `count` below 1; a single time that has passed is shown.
        """
        return self._triggers.preview_of(what, count)

    async def preview_task(self, task_id: str, count: int = 5) -> Answer:
        """Return when a stored task will run: `{"id", "name", "status", "schedule", "timezone", "times", "notes"}`.

        `times` are as `preview` returns them, none for a task that has ended; the `notes` beside them are about the
        task. `TASK_NOT_FOUND`, `INVALID_CONFIG` for a `count` below 1, or `CORRUPT_DEFINITION`.
        """
        found = too_few(count) if count < 1 else await self._jobs.get(task_id)
        if found.error is not None:
            return found
        task = found.data
        try:
            trigger = from_json(task["trigger"])
        except ValueError as error:
            return Result.error(Reason.CORRUPT_DEFINITION, f"the task's trigger cannot be read: {error}")
        shown = {name: task[name] for name in ("id", "name", "status", "schedule", "timezone")}
        now = self._app_context.clock.now()
        known = await self._app_context.database.read(lambda c: known_of(c, task_id, now))
        times = self._times(task, trigger, count, known.policies)
        notes = [*_notes_of(known.waiting, task["timezone"]), *_notes_about(task, trigger, times, known)]
        return Result.success(shown | {"times": times, "notes": notes})

    async def forecast(
        self,
        hours: float = 24,
        *,
        what_if: Sequence[Mapping[str, Any]] | None = None,
        limit: int = 500,
        most: int = MOST,
    ) -> Answer:
        """Play what comes within the next hours on the slots of the nodes that live.

        `{"from", "until", "is_cut", "slots", "nodes", "total", "skipped", "peak", "use", "late", "occurrences", "load",
        "busiest", "pile_ups", "tasks", "what_if"}`. At most 100,000 occurrences are looked at, or `most` (`is_cut`:
        more come: `until` is as far as they reach), and `limit` of them listed. How long a task takes is the median of
        its last twenty successes, else of its function's, else ten seconds.

        `what_if` supposes changes: `{"task": id, …}` with keys of a config or `"remove": True`, or a config to add, and
        `takes` for how long it takes; then `what_if` in the answer holds the figures `before` and `after`.
        """
        are_numbers = all(isinstance(each, (int, float)) for each in (hours, limit, most))
        if not are_numbers or not 0 < hours <= LONGEST or limit < 1 or not 1 <= most <= MOST:
            bounds = f"hours lie between 0 and {LONGEST}, limit is at least 1, and most lies between 1 and {MOST}"
            return Result.error("INVALID_CONFIG", bounds)
        now = self._app_context.clock.now()
        until = now + timedelta(hours=hours)
        try:
            named = supposing.named(what_if or ())
            read = partial(_read, now=now, until=until, named=named, most=most)
            known, rows = await self._app_context.database.read(read)
            changed = supposing.changed(what_if, rows, known, self._triggers) if what_if else None
        except ResultError as refusal:
            return Result.error(refusal.error.code, refusal.error.message, refusal.error.details)
        slots = ahead.slots_of(known, self._settings)
        asked = Asked(until, named, changed, limit, most)
        return Result.success(await asyncio.to_thread(_forecast, known, slots, asked))

    async def lint(self, most: int = MOST_LINTED) -> Answer:
        """Return what about the pending tasks will surprise somebody: `{"findings", "looked_at", "is_cut"}`.

        A finding is `{"code", "severity", "task_id", "task", "text", "advice"}`, worst first; its severity is `error`
        or `warning`. At most the newest 10,000 tasks are looked at, or `most` (`is_cut` where there may be more).
        """
        if not 1 <= most <= MOST_LINTED:
            return Result.error("INVALID_CONFIG", f"most lies between 1 and {MOST_LINTED}")
        now = self._app_context.clock.now()
        known = await self._app_context.database.read(partial(_read_all, now=now, most=most))
        slots = ahead.slots_of(known, self._settings)
        found = await asyncio.to_thread(_lint, known, slots, self._settings.execution_timeout.total_seconds())
        found.sort(key=lambda finding: (finding.severity != ERROR, finding.code, finding.task or ""))
        shown = [asdict(finding) for finding in found]
        return Result.success({"findings": shown, "looked_at": len(known.rows), "is_cut": len(known.rows) >= most})

    def _times(self, task: Mapping[str, Any], trigger: Trigger, count: int, policies: Policies) -> list[dict[str, Any]]:
        """Return what is to come; a paused task is taken as if it were resumed now."""
        now, most = self._app_context.clock.now(), count
        first = _first(task, trigger, now)
        if first is None:
            return []
        if task["max_executions"] is not None:
            most = min(count, task["max_executions"] - task["execution_count"])
        asked = {"policies": policies, "most": most, "timezone": task["timezone"]}
        return times_ahead(self._triggers, trigger, first, now, **asked)


def _read(
    c: Connection, *, now: datetime, until: datetime, named: Sequence[str], most: int
) -> tuple[ahead.Known, dict[str, Row[Any]]]:
    found = {task_id: tasks.find(c, task_id) for task_id in named}
    return ahead.coming(c, now, until, most), {task_id: row for task_id, row in found.items() if row is not None}


def _read_all(c: Connection, *, now: datetime, most: int) -> ahead.Known:
    return ahead.look_ahead(c, now, store.pending(c, most))


def _forecast(known: ahead.Known, slots: Slots, asked: Asked) -> dict[str, Any]:
    stored, changed = ahead.tasks_ahead(known), asked.changed
    supposed = stored if changed is None else [*ahead.tasks_ahead(known, but=asked.named), *changed]
    running, waiting = ahead.open_now(known, stored)
    played = partial(scene, slots=slots, start=known.now, until=asked.until, most=asked.most)
    given = played(supposed, running=running, waiting=waiting)
    forecast = forecast_of(given, asked.limit) | {"nodes": len(known.living), "what_if": None}
    if supposed is not stored:
        before = played(stored, running=running, waiting=waiting)
        after = {name: forecast[name] for name in FIGURES}
        forecast["what_if"] = {"before": summary_of(before, play(before.runs, slots, running)), "after": after}
    return forecast


def _lint(known: ahead.Known, slots: Slots, timeout: float) -> list[Finding]:
    found: list[Finding] = []
    functions = frozenset(name for node in known.living for name in node["functions"]) if known.living else None
    for row in at_leisure(known.rows):
        try:
            found += findings_of_task(_linted(row, known, timeout), known.now, functions)
        except ValueError as error:
            text, advice = f"its stored definition cannot be read: {error}", "schedule it anew"
            found.append(Finding(Reason.CORRUPT_DEFINITION, ERROR, row.id, row.name, text, advice))
    coming, until = ahead.tasks_ahead(known), known.now + timedelta(hours=24)
    running, waiting = ahead.open_now(known, coming)
    given = scene(coming, slots, known.now, until, running=running, waiting=waiting)
    forecast = forecast_of(given, 1)
    return [*found, *findings_of_forecast(given, forecast), *findings_of_crowds(coming, forecast, known.now)]


def _linted(row: Row[Any], known: ahead.Known, timeout: float) -> Linted:
    """Return what is known of a task; raises `ValueError` where its row cannot be read."""
    own = policies_of(row.policies).timeout
    return Linted(
        ahead.work_of(row, known),
        trigger_of(row.trigger),
        row.next_execution,
        row.is_open,
        row.event is not None,
        timeout if own is None else own,
        known.took.get(row.id, ()),
        function_key(row.module_id, row.function_name),
        row.changed_at or row.created_at,
        row.last_execution,
        row.timezone,
    )


def _first(task: Mapping[str, Any], trigger: Trigger, now: datetime) -> datetime | None:
    stored: datetime | None = task["next_execution"]
    if task["status"] not in (Status.PENDING, Status.RUNNING, Status.PAUSED):
        return None
    if task["status"] == Status.PAUSED and task["recurring"] and stored is not None and stored <= now:
        return trigger.next_after(now)
    return stored


def _notes_of(waiting: Sequence[Row[Any]], timezone: str) -> list[dict[str, str]]:
    """Tell of the executions that wait for a time which is none of the trigger's: moved, tried again, or gathering."""
    notes = []
    for row in waiting:
        nominal, due = (moment_text(moment, zone(timezone)) for moment in (row.scheduled_for, row.due_at))
        moved = f"the run of {nominal} was moved by hand and starts at {due}"
        notes.append({"code": "WAITS", "text": moved if row.origin == SHIFT else f"an execution waits until {due}"})
    return notes


def _notes_about(
    task: Mapping[str, Any], trigger: Trigger, times: list[dict[str, Any]], known: Known
) -> list[dict[str, str]]:
    notes = []
    if task["status"] == Status.PAUSED:
        reason = f": {task['status_reason']}" if task["status_reason"] else ""
        notes.append(
            {"code": "PAUSED", "text": f"the task is paused{reason}; these are its times if it is resumed now"}
        )
    if task["status"] in (Status.COMPLETED, Status.FAILED, Status.CANCELLED):
        notes.append({"code": "ENDED", "text": f"the task is {task['status']}: it does not run again"})
    elif (awaited := awaited_in(trigger)) is not None:
        beside = "besides, " if times else ""
        notes.append({"code": "EVENT", "text": f"{beside}it runs {awaited.describe()}; nobody knows when"})
    elif not times and known.is_open and not known.waiting:
        notes.append({"code": "WAITS", "text": "its execution is due or running, and it has no time after that"})
    elif not times and not known.waiting:
        notes.append({"code": "NO_NEXT_TIME", "text": "it has no next time"})
    return notes
