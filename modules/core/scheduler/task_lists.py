"""What stands beside a list of tasks: how many there are, and how the last runs of each went."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection

from framework.context import AppContext
from framework.result import Result, ResultError
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.pages import MAX_LIMIT, check_limit, storable_filters
from modules.core.scheduler.store import listing, task_pages
from modules.core.scheduler.views import seconds_between

MOST_COUNTED = 10_000
MOST_RUNS = 50

Runs = dict[str, list[dict[str, Any]]]


class TaskLists:
    """Reads, and never more than it says. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext) -> None:
        self._app_context = app_context

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

    async def recent_runs(self, task_ids: Sequence[str], count: int = 20) -> Result[Runs]:
        """Return the last executions of up to 500 tasks by id, newest first, in one statement.

        `{"id", "state", "scheduled_for", "start_time", "duration"}` each, `duration` in seconds. More tasks, or more
        than 50 of each, are `INVALID_LIMIT`.
        """
        read = partial(_recent, task_ids=task_ids, count=count)
        try:
            return Result.success(await self._app_context.database.read(read))
        except ResultError as refusal:
            return Result(error=refusal.error)


def _recent(c: Connection, task_ids: Sequence[str], count: int) -> Runs:
    check_limit(max(len(task_ids), 1))
    check_limit(count * (MAX_LIMIT // MOST_RUNS))
    found: Runs = {task_id: [] for task_id in task_ids}
    rows = listing.newest_of_each(c, [storable(task_id, MAX_ID) for task_id in found], count)
    for row in sorted(rows, key=lambda row: (row.scheduled_for, row.attempt), reverse=True):
        shown = {name: getattr(row, name) for name in ("id", "state", "scheduled_for", "start_time")}
        found[row.event_id].append(shown | {"duration": seconds_between(row.start_time, row.end_time)})
    return found
