"""What an operator asks of single occurrences: run those of the past, leave out or move the next, give them an end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from framework.audit import Deed
from framework.result import Result
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.occurrences import backfilling, bounding, next_one, retrying
from modules.core.scheduler.pages import MAX_LIMIT

Answer = Result[dict[str, Any]]


class Occurrences:
    """Occurrences by hand. Methods are async and return a Result.

    Moments are aware datetimes, or ISO 8601 text; a naive one is read in the task's zone. What cannot be read is
    `INVALID_CONFIG`, a task that is not there `TASK_NOT_FOUND`. `upcoming` holds the next few times afterwards.
    """

    def __init__(self, jobs: JobManager) -> None:
        self._jobs = jobs

    async def backfill(
        self, task_id: str, start: datetime | str, end: datetime | str, *, dry_run: bool = False
    ) -> Answer:
        """Run the occurrences from `start` to `end`, up to now, of which there is no attempt, oldest first.

        `{"task_id", "placed", "already", "executions", "first", "last", "dry_run"}`: how many were placed, how many
        ran, run or wait already, the ids of the first hundred, and the nominal times of the first and the last. One
        runs at a time, behind what is due now. `TOO_MANY` for more than 1,000; `INVALID_STATE` for a cancelled task,
        one that waits for an event, or beyond `max_executions`. With `dry_run` all is as it was before.
        """
        order = partial(backfilling.backfill, task_id=task_id, start=start, end=end)
        if not dry_run:
            done = await self._jobs.change(order, deed=Deed("backfill", "task", task_id), telling=_placed)
            return done.map(lambda told: {**told, "dry_run": False})

        def rehearse(c: Connection, now: datetime) -> None:
            raise _Undone(order(c, now))

        try:
            return await self._jobs.change(rehearse)
        except _Undone as undone:
            return Result.success({**undone.told, "executions": [], "dry_run": True})

    async def retry(self, execution_id: str) -> Answer:
        """Run an occurrence whose last attempt failed once more: `{"execution_id", "status": "running"}` at once.

        The further attempt has all the task's retries before it, and takes its place when that is free.
        `EXECUTION_NOT_FOUND`; `INVALID_STATE` for what has not failed, or has a later attempt; `OVERLAP`.
        """
        order, deed = partial(retrying.retry, execution_id=execution_id), Deed("retry", "execution", execution_id)
        return await self._jobs.change(order, deed=deed, telling=lambda told: {"retried_as": told["execution_id"]})

    async def retry_all(self, execution_ids: Sequence[str]) -> Answer:
        """Do the same for up to 500 executions, one after the other; some may be refused.

        `{"retried": [{"id", "execution_id"}], "refused": [{"id", "code", "message"}]}`; `INVALID_LIMIT` for more.
        """
        wanted = list(dict.fromkeys(execution_ids))
        if len(wanted) > MAX_LIMIT:
            return Result.error("INVALID_LIMIT", f"at most {MAX_LIMIT} executions are retried at once")
        retried, refused = [], []
        for each in wanted:
            done = await self.retry(each)
            if done.error is None:
                retried.append({"id": each, "execution_id": done.unwrap()["execution_id"]})
            else:
                refused.append({"id": storable(each, MAX_ID), "code": done.error.code, "message": done.error.message})
        return Result.success({"retried": retried, "refused": refused})

    async def skip_next(
        self, task_id: str, scheduled_for: datetime | str | None = None, reason: str | None = None
    ) -> Answer:
        """Leave out one occurrence: it becomes a `skipped` row, and the task moves on.

        `{"task_id", "scheduled_for", "execution_id", "next_execution", "upcoming"}`. `scheduled_for`, the nominal time
        of the next occurrence, makes it safe to repeat; if that one was fired meanwhile, or is not the next,
        `INVALID_STATE` says what became of it.
        """
        order = partial(next_one.skip, task_id=task_id, scheduled_for=scheduled_for, reason=reason)
        return await self._jobs.change(order, deed=Deed("skip", "task", task_id), telling=_occurrence)

    async def shift_next(self, task_id: str, to: datetime | str, scheduled_for: datetime | str | None = None) -> Answer:
        """Start one occurrence at another time, at once where that has passed; the following ones stay where they are.

        Answers as `skip_next` does, with `due_at`. It keeps its nominal time, and may be moved again by that while it
        waits.
        """
        order = partial(next_one.shift, task_id=task_id, to=to, scheduled_for=scheduled_for)
        return await self._jobs.change(order, deed=Deed("shift", "task", task_id), telling=_occurrence)

    async def run_until(self, task_id: str, moment: datetime | str | None) -> Answer:
        """Let a recurring task run until a moment, which counts; None takes that end away again.

        `{"task_id", "until", "status", "next_execution", "upcoming"}`. The trigger keeps its phase, and an end of its
        own. `INVALID_STATE` for a task that runs once, waits for an event, or has been cancelled.
        """
        order = partial(bounding.run_until, task_id=task_id, end=moment)
        return await self._jobs.change(order, deed=Deed("until", "task", task_id))


def _placed(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit keeps of a backfill."""
    return {"placed": told["placed"], "first": _text(told["first"]), "last": _text(told["last"])}


def _occurrence(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit keeps of one occurrence that was moved or left out."""
    names = ("scheduled_for", "due_at")
    return {name: _text(told[name]) for name in names if name in told} | {"execution_id": told["execution_id"]}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


class _Undone(Exception):  # noqa: N818  # carries an answer out of a transaction that is rolled back
    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = told
