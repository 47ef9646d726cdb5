"""The scheduler's own retention: its history stays bounded, by state, in small batches that hold nobody up.

What could go is read by pages outside of any write; a batch that deletes looks at its own rows alone. After each batch
it waits as long as that took, so that at least half of the time belongs to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row

from framework.clock import Clock
from framework.database import Database
from modules.core.scheduler.execution import State
from modules.core.scheduler.freezing import refuse_standstill
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import audit, retention, rollups, spans
from modules.core.scheduler.store.reports import DAYS_KEPT, day_of

BATCH = 500  # rows of one transaction
PAGE = 5_000  # rows of one look

SUCCEEDED = (State.SUCCEEDED,)
FAILED = (State.FAILED, State.TIMED_OUT, State.LOST)
SKIPPED = (State.SKIPPED, State.MISSED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which executions of a kind stay: those that ended at `since` or later, and of each task the newest `most`."""

    kind: str
    since: datetime
    most: int | None


async def prune(
    database: Database, clock: Clock, settings: SchedulerSettings, *, dry_run: bool = False
) -> dict[str, int]:
    """Delete what is older, or more, than the settings keep; return how many rows of each kind went.

    `{"executions", "tasks", "reports", "audit"}`, the last what operators did.
    Open executions stay, and so do the tasks that code declares: their keys are what makes a restart change nothing.
    A dry run deletes nothing and counts what would go; its `tasks` are those that have no history now. Where the
    settings ask for dry runs and this is none, nothing goes. `ResultError` where nothing may be deleted at all.
    """
    if not dry_run:
        await database.read(lambda c: refuse_standstill(c, settings))
        if settings.housekeeper_dry_run:
            return {"executions": 0, "tasks": 0, "reports": 0, "audit": 0}
    pruning = _Pruning(database, clock, settings, dry_run=dry_run)
    executions = await pruning.by_age()
    if pruning.counts:
        executions += await pruning.by_number()
    tasks, reports = await pruning.done_tasks(), await pruning.reports()
    return {"executions": executions, "tasks": tasks, "reports": reports, "audit": await pruning.audit()}


def kept_by_state(settings: SchedulerSettings, now: datetime) -> dict[str, Keeping]:
    """Return by the state of an ended execution what is kept of it."""
    age, most = settings.keep_execution_history, settings.keep_executions_per_task
    kinds = (
        ("succeeded", SUCCEEDED, settings.keep_succeeded, settings.keep_succeeded_per_task),
        ("failed", FAILED, settings.keep_failed, settings.keep_failed_per_task),
        ("skipped", SKIPPED, settings.keep_skipped, settings.keep_skipped_per_task),
    )
    return {
        state: Keeping(kind, now - (age if own_age is None else own_age), most if own_most is None else own_most)
        for kind, states, own_age, own_most in kinds
        for state in states
    }


class _Pruning:
    """One run of the retention."""

    def __init__(self, database: Database, clock: Clock, settings: SchedulerSettings, *, dry_run: bool) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._now = clock.now()
        self._before = self._now - settings.keep_execution_history
        self._dry_run = dry_run
        self._keeping = kept_by_state(settings, self._now)

    @property
    def counts(self) -> bool:
        """Whether the number of a task's executions is limited."""
        return any(keeping.most is not None for keeping in self._keeping.values())

    async def by_age(self) -> int:
        """Delete executions that ended longer ago than their state is kept."""
        newest = max(keeping.since for keeping in self._keeping.values())
        gone, after = 0, None
        while rows := await self._database.read(partial(retention.ended_page, before=newest, after=after, limit=PAGE)):
            gone += await self._delete_executions([row.id for row in rows if self._is_old(row)])
            after = (rows[-1].end_time, rows[-1].id)
        return gone

    async def by_number(self) -> int:
        """Delete ended executions beyond the newest ones that are kept of each task."""
        gone, after, task_id = 0, None, None
        seen: Counter[str] = Counter()
        while rows := await self._database.read(partial(retention.task_page, after=after, limit=PAGE)):
            beyond = []
            for row in rows:
                if row.event_id != task_id:
                    task_id, seen = row.event_id, Counter()
                if self._is_beyond(row, seen):
                    beyond.append(row.id)
            gone += await self._delete_executions(beyond)
            after = (rows[-1].event_id, rows[-1].scheduled_for, rows[-1].attempt)
        return gone

    async def done_tasks(self) -> int:
        """Delete ended tasks that nothing remembers any more."""
        delete = retention.count_tasks if self._dry_run else retention.delete_tasks
        gone, after = 0, ""
        while True:
            look = partial(retention.done_page, before=self._before, after=after, limit=PAGE)
            ids, following = await self._database.read(look)
            for some in _batches(ids):
                gone += await self._carry_out(partial(delete, ids=some, before=self._before))
            if following is None:
                return gone
            after = following

    async def reports(self) -> int:
        """Delete old reports of cleanups, and the totals of days long past."""
        if self._dry_run:
            return await self._database.read(partial(retention.count_reports, before=self._before))
        gone = 0
        while taken := await self._carry_out(partial(retention.delete_reports, before=self._before, limit=BATCH)):
            gone += taken
        while taken := await self._carry_out(partial(retention.delete_plans, before=self._before, limit=BATCH)):
            gone += taken
        oldest = day_of(self._now - timedelta(days=DAYS_KEPT))
        await self._carry_out(partial(retention.delete_days, before=oldest))
        await self._carry_out(partial(rollups.forget, now=self._now))
        oldest_kept = min(keeping.since for keeping in self._keeping.values())
        while await self._carry_out(partial(spans.delete_old, before=oldest_kept, limit=BATCH)):
            pass
        return gone

    async def audit(self) -> int:
        """Delete what operators did long ago."""
        before, gone = self._now - self._settings.keep_audit, 0
        if self._dry_run:
            return await self._database.read(partial(audit.count, before=before))
        while taken := await self._carry_out(partial(audit.delete_old, before=before, limit=BATCH)):
            gone += taken
        return gone

    async def _delete_executions(self, ids: Sequence[str]) -> int:
        work = retention.count_executions if self._dry_run else retention.delete_executions
        return sum([await self._carry_out(partial(work, ids=some, now=self._now)) for some in _batches(ids)])

    async def _carry_out(self, work: Callable[[Connection], int]) -> int:
        """Carry out one batch, unless nothing may be deleted any more, and wait as long as it took."""
        if self._dry_run:
            return await self._database.read(work)

        def guarded(c: Connection) -> int:
            refuse_standstill(c, self._settings)
            return work(c)

        began = self._clock.monotonic()
        taken = await self._database.write(guarded)
        await self._clock.sleep(self._clock.monotonic() - began)
        return taken

    def _is_old(self, row: Row[Any]) -> bool:
        keeping = self._keeping.get(row.state)
        return keeping is not None and row.end_time is not None and row.end_time < keeping.since

    def _is_beyond(self, row: Row[Any], seen: Counter[str]) -> bool:
        """Count an ended execution among those of its task and kind that were seen; tell whether it is one too many."""
        keeping = self._keeping.get(row.state)
        if keeping is None or row.end_time is None or self._is_old(row):
            return False
        seen[keeping.kind] += 1
        return keeping.most is not None and seen[keeping.kind] > keeping.most


def _batches(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
