"""What stands beside lists: how many tasks or executions there are, and how the last runs of each task went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.commands import must_find_execution
from modules.core.scheduler.pages import MAX_LIMIT, check_limit, storable_filters, wanted_executions
from modules.core.scheduler.store import listing, task_pages
from modules.core.scheduler.views import seconds_between

MOST_COUNTED = 10_000
MOST_RUNS = 50
MOST_ATTEMPTS = 100

T = TypeVar("T")
Runs = dict[str, list[dict[str, Any]]]


class TaskLists:
    """Reads, and never more than it says. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, zone: str) -> None:
        self._app_context, self._zone = app_context, zone

    async def count_tasks(
        self,
        *,
        status: str | None = None,
        module_id: str | None = None,
        function_name: str | None = None,
        recurring: bool | None = None,
        tag: str | None = None,
        trigger: str | None = None,
        search: str | None = None,
    ) -> Result[dict[str, Any]]:
        """Return `{"count", "is_cut"}` of the tasks that `list_tasks` would list.

        Counted no further than 10,000, and among no more than the newest 50,000 where no index knows a filter.
        """
        filters = {"status": status, "module_id": module_id, "function_name": function_name, "recurring": recurring}
        wanted = storable_filters(filters | {"tag": tag, "trigger": trigger, "search": search})
        read = partial(task_pages.count, filters=wanted, most=MOST_COUNTED)
        count, is_cut = await self._app_context.database.read(read)
        return Result.success({"count": count, "is_cut": is_cut})

    async def count_executions(
        self,
        task_id: str | None = None,
        *,
        state: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        module_id: str | None = None,
        last_only: bool = False,
    ) -> Result[dict[str, Any]]:
        """Return `{"count", "is_cut"}` of the executions that `get_executions` would list.

        Counted no further than 10,000, and where few of many fit, of the newest 10,000.
        """
        which: dict[str, Any] = {"event_id": task_id, "state": state, "since": since, "until": until}
        which |= {"module_id": module_id, "is_last": last_only}

        def read(c: Connection) -> dict[str, Any]:
            number, is_cut = listing.count(c, wanted_executions(c, which, self._zone), MOST_COUNTED)
            return {"count": number, "is_cut": is_cut}

        return await self._read(read)

    async def recent_runs(self, task_ids: Sequence[str], count: int = 20) -> Result[Runs]:
        """Return the last executions of up to 500 tasks by id, newest first, in one statement.

        `{"id", "state", "scheduled_for", "start_time", "duration"}` each, `duration` in seconds. More tasks, or more
        than 50 of each, are `INVALID_LIMIT`.
        """
        return await self._read(partial(_recent, task_ids=task_ids, count=count))

    async def attempts_of(self, execution_id: str) -> Result[list[dict[str, Any]]]:
        """Return the attempts of an execution's occurrence, at most the newest 100, the first one first.

        `{"id", "state", "attempt", "due_at", "start_time", "end_time", "duration"}` each, `duration` in seconds.
        """
        return await self._read(partial(_attempts, execution_id=execution_id))

    async def _read(self, read: Callable[[Connection], T]) -> Result[T]:
        try:
            return Result.success(await self._app_context.database.read(read))
        except ResultError as refusal:
            return Result(error=refusal.error)


def _attempts(c: Connection, execution_id: str) -> list[dict[str, Any]]:
    of = must_find_execution(c, execution_id)
    rows = listing.attempts(c, of.event_id, of.scheduled_for, MOST_ATTEMPTS)
    names = ("id", "state", "attempt", "due_at", "start_time", "end_time")
    return [
        {name: getattr(row, name) for name in names} | {"duration": seconds_between(row.start_time, row.end_time)}
        for row in reversed(rows)
    ]


def _recent(c: Connection, task_ids: Sequence[str], count: int) -> Runs:
    check_limit(max(len(task_ids), 1))
    check_limit(count * (MAX_LIMIT // MOST_RUNS))
    found: Runs = {task_id: [] for task_id in task_ids}
    rows = listing.newest_of_each(c, [storable(task_id, MAX_ID) for task_id in found], count)
    for row in sorted(rows, key=lambda row: (row.scheduled_for, row.attempt), reverse=True):
        shown = {name: getattr(row, name) for name in ("id", "state", "scheduled_for", "start_time")}
        found[row.event_id].append(shown | {"duration": seconds_between(row.start_time, row.end_time)})
    return found
