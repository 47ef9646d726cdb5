"""Plan and apply: the difference between what is declared as data and the database, shown, or made nothing at once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.caller import CODE, calling
from framework.context import AppContext
from framework.result import Error, Result
from framework.settings import FrameworkSettings
from modules.core.scheduler.calendar_differences import told_of, with_calendars
from modules.core.scheduler.calendar_keeper import CalendarKeeper
from modules.core.scheduler.declarations import tell_refusal
from modules.core.scheduler.declared import (
    SETTINGS,
    CleanupStep,
    Declared,
    Step,
    TaskStep,
    everything_declared,
)
from modules.core.scheduler.differences import Difference, digest_of, times_of_vanished, vanished
from modules.core.scheduler.drafts import Beside, Draft, beside, store
from modules.core.scheduler.housekeeper import Housekeeper
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.reconciling import RollCall, config_as_it_was, disable, tell_undeclared
from modules.core.scheduler.refreezing import Definitions
from modules.core.scheduler.refusing import invalid, refuse
from modules.core.scheduler.task import Status

log = logging.getLogger(__name__)

EXPORTS = "exports"  # in the data folder
WORDS = {"add": "added", "change": "changed", "remove": "disabled", "same": "the same", "refused": "refused"}
REGISTERED_LATER = ("function_name", "calendars")  # fields
Answer = Result[dict[str, Any]]


class Reconciler:
    """Brings what modules and settings declare as data into the database. What touches it returns a Result."""

    def __init__(
        self, app_context: AppContext, jobs: JobManager, housekeeper: Housekeeper, calendars: CalendarKeeper
    ) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._planner = jobs.planner
        self._housekeeper = housekeeper
        self._calendars = calendars

    async def plan(self) -> Answer:
        """Return what `apply_declared` would do now: `{"differences", "counts", "seen"}`; nothing is written.

        Each of the differences has `action` (add, change, remove, same, refused, later, starting), `kind` (task,
        cleanup, calendar), `module_id`, `name`, `declared_by`, `task_id`, `timezone`, `changes` as `{field: {"before",
        "after"}}`, and the next times `next_before` and `next_after` where they change, as they do where a calendar
        changes. What a module schedules only while it starts is `starting`, and left alone.
        """
        draft = await self._draft(RollCall(), self._calendars.current())
        found, rows = await self._app_context.database.read(partial(self._looked_at, draft=draft))
        return Result.success(_answer([*_with_times(found, rows), *draft.others]))

    async def apply(self, seen: str | None = None) -> Answer:
        """Store in one transaction what `plan_declared` shows, and return the same of what was done.

        What is refused is left out. `PLAN_CHANGED` where the plan is no longer the one that had this `seen`. Then the
        calendars that are registered are stored, and given to all tasks that carry them.
        """
        draft = await self._draft(RollCall(), self._calendars.current())
        applied = await self._apply(draft, seen=seen, also_started=False)
        return applied if applied.error is not None else (await self._calendars.apply()).map(lambda _: applied.data)

    async def at_start(self) -> None:
        """Apply what is declared, once all modules have started; a refusal is logged and turns health red."""
        applied = (await self._apply(await self._draft(self._jobs.roll), seen=None, also_started=True)).unwrap()
        _log(applied)

    async def _draft(self, roll: RollCall, calendars: Definitions | None = None) -> Draft:
        """Check everything that is declared; `calendars` are those that are stored along with it."""
        health = self._app_context.modules_health
        modules = {SETTINGS} | (health.running() or self._app_context.present())
        draft = Draft(roll=roll, modules=modules, calendars=calendars or {})
        by_identity: dict[tuple[str, str, str], Declared] = {}
        for declared in everything_declared(self._app_context, self._housekeeper):
            first = by_identity.setdefault(declared.identity, declared)
            if first is not declared:
                told = f"{first.owner.module} declares a {first.kind} of this name as well; give one of them a key"
                draft.refuse(declared, Error("ALREADY_EXISTS", told))
                continue
            with calling(CODE):  # whoever applies it, the application has declared it
                checked = await self.check(declared)
            waits = not health.running() and self._is_unknown(declared)
            error = _beside_what_is_later(checked.error) if waits else checked.error
            if error is not None:
                draft.refuse(declared, error)
            elif waits:
                draft.postpone(declared)
            else:
                draft.steps.append(checked.data)
        return draft

    def _is_unknown(self, declared: Declared) -> bool:
        """Whether a declaration names a function of a module that has not started and may still register it."""
        name = declared.config.get("function_name")
        return name is not None and not self._planner.knows(declared.module_id, str(name))

    async def check(self, declared: Declared) -> Result[Step]:
        """Return what was declared as a part of a transaction, or `INVALID_CONFIG`."""
        if declared.cleanup_type is None:
            planned = self._planner.plan(dict(declared.config))
            return planned.map(lambda plan: TaskStep(declared, plan))
        config = {name: value for name, value in declared.config.items() if name != "module_id"}
        checked = await self._housekeeper.check(declared.module_id, declared.cleanup_type, config)
        return checked.map(lambda policy: CleanupStep(declared, policy, self._housekeeper))

    async def _apply(self, draft: Draft, *, seen: str | None, also_started: bool) -> Answer:
        """Do it, again without whatever is refused within the transaction."""
        while True:
            work = partial(self._carry_out, draft=draft, wanted=seen, also_started=also_started)
            done = await self._jobs.change(work)
            if done.error is None:
                break
            refused = (done.error.details or {}).get("declared")
            if refused is None:
                return Result(error=done.error)
            draft.refuse(draft.steps.pop(refused).declared, done.error)
        self._tell(draft, done.data["gone"])
        return Result.success(_answer([*_with_times(done.data["differences"], done.data["others"]), *draft.others]))

    def _carry_out(
        self, c: Connection, now: datetime, draft: Draft, wanted: str | None, *, also_started: bool
    ) -> dict[str, Any]:
        there = beside(c, draft.steps, draft.modules, self._planner.masked, locked=True)
        found = self._differences(draft, there)
        shown = with_calendars(c, now, found, draft.calendars)
        if wanted is not None and digest_of([*shown, *draft.others]) != wanted:
            refuse("PLAN_CHANGED", "the database has changed since the plan was shown; look at the new plan first")
        stored = store(c, now, draft.steps, there.there)
        named = draft.roll.named.union(stored)
        gone = draft.missing(there.others, named, also_started=also_started)
        disable(c, now, gone)
        self._jobs.auditor.tell_of(c, "apply", found, stored)
        return {"differences": shown, "others": there.others, "gone": gone}

    def _looked_at(self, c: Connection, draft: Draft) -> tuple[list[Difference], list[Row[Any]]]:
        there = beside(c, draft.steps, draft.modules, self._planner.masked, locked=False)
        found = self._differences(draft, there)
        return with_calendars(c, self._app_context.clock.now(), found, draft.calendars), there.others

    def _differences(self, draft: Draft, there: Beside) -> list[Difference]:
        named = {each["task_id"] for each in there.differences}
        gone = draft.missing(there.others, named, also_started=False)
        return [
            *there.differences,
            *(told_of(row) | vanished(row) for row in gone),
            *(
                told_of(row) | {"action": "starting", "task_id": row.id, "changes": {}}
                for row in there.others
                if row.declared_as == "start" and row.declared_by in draft.modules and row.id not in named
                if row.status in (Status.PENDING, Status.PAUSED)
            ),
        ]

    def _tell(self, draft: Draft, gone: Sequence[Row[Any]]) -> None:
        for declared, error in draft.refused:
            tell_refusal(self._app_context, str(declared.owner.module), f"{declared.kind} {declared.name!r}", error)
        if gone:
            configs = map(config_as_it_was, gone)
            masked = [config | {"parameters": self._planner.masked(config)} for config in configs]
            folder = self._app_context.settings(FrameworkSettings).data_dir / EXPORTS
            tell_undeclared(masked, folder, self._app_context.clock.now())


def _beside_what_is_later(error: Error | None) -> Error | None:
    """Return what is wrong with a declaration whatever modules register while they start."""
    problems = () if error is None else (error.details or {}).get("problems", ())
    rest = [problem for problem in problems if problem["field"] not in REGISTERED_LATER]
    return invalid(rest).error if rest else None


def _with_times(differences: Sequence[Difference], rows: Sequence[Row[Any]]) -> list[Difference]:
    """Return differences with the next times of the tasks that are declared no more, which are among the rows."""
    gone = {each["task_id"] for each in differences if each["action"] == "remove"}
    times = {row.id: times_of_vanished(row) for row in rows if row.id in gone}
    return [each | times.get(each["task_id"], {}) for each in differences]


def _answer(differences: Sequence[Difference]) -> dict[str, Any]:
    counts = {action: sum(each["action"] == action for each in differences) for action in WORDS}
    return {"differences": list(differences), "counts": counts, "seen": digest_of(differences)}


def _log(applied: Mapping[str, Any]) -> None:
    """Say in one line what a start has changed, and in one more for each task; nothing where nothing has."""
    counts: Mapping[str, int] = applied["counts"]
    if any(counts[action] for action in ("add", "change", "remove")):
        log.info("declared tasks: %s", ", ".join(f"{number} {WORDS[action]}" for action, number in counts.items()))
    for each in applied["differences"]:
        if each["action"] in ("add", "change", "remove"):
            fields = f": {', '.join(each['changes'])}" if each["changes"] else ""
            what = (WORDS[each["action"]], each["kind"], each["name"], each["module_id"], fields)
            log.info("%s %s %s of %s%s", *what, extra={} if each["task_id"] is None else {"task": each["task_id"]})
