"""Carrying out what is due, step by step, and reading back what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Select, and_, func, select

from framework.context import AppContext
from framework.database import is_transient
from framework.testing import FakeClock
from modules.core.scheduler.service import SchedulerService
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.store import outlook
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status
from modules.core.scheduler.testing.expecting import OWN
from modules.core.scheduler.views import execution_view

T = TypeVar("T")
Executions = list[dict[str, Any]]

IS_OWN = and_(events.c.module_id == OWN[0], events.c.name == OWN[1])


class Stepper:
    """Carries out what is due in one application, and knows what it has reported already."""

    def __init__(self, context: AppContext, clock: FakeClock) -> None:
        self._database = context.database
        self._clock = clock
        self._scheduler = context.get_service(SchedulerService)
        self.lease = context.settings(SchedulerSettings).lease
        self._told: set[str] = set()
        self._insists = False

    @contextmanager
    def insisting(self) -> Iterator[None]:
        """Try again whatever fails meanwhile and may succeed later."""
        self._insists = True
        try:
            yield
        finally:
            self._insists = False

    async def run_due(self) -> Executions:
        """Carry out what is due; return what has ended since the clock stands where it stands."""
        since = self._clock.now()
        await self._insist(self._scheduler.run_due)
        ended = await self._insist(
            lambda: self._database.read(lambda c: _rows(c, _ended.where(executions.c.end_time >= since)))
        )
        new = [each for each in ended if each["id"] not in self._told]
        self._told |= {each["id"] for each in new}
        return new

    async def simulate(self, span: timedelta, most: int) -> Executions:
        """Go from due time to due time."""
        end = self._clock.now() + span
        ran = await self.run_due()
        while (moment := await self._database.read(self._next_moment)) is not None and moment <= end:
            self._clock.move_to(moment)
            ran += await self.run_due()
            if len(ran) > most:
                raise AssertionError(
                    f"more than {most} executions by {self._clock.now()}: simulate a shorter time, or allow more with"
                    f" most=; the last was of {ran[-1]['task_name']!r}"
                )
        self._clock.move_to(end)
        return ran

    async def executions(self, function: tuple[str, str] | None) -> Executions:
        """Return every execution of a function, or of all, oldest first."""
        rows = _all
        if function is not None:
            rows = rows.where(events.c.module_id == function[0], events.c.function_name == function[1])
        return await self._database.read(lambda c: _rows(c, rows))

    async def _insist(self, work: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await work()
            except Exception as error:
                if not (self._insists and is_transient(error)):
                    raise

    def _next_moment(self, c: Connection) -> datetime | None:
        now = self._clock.now()
        tasks = select(func.min(events.c.next_execution)).where(
            events.c.next_execution > now, events.c.status == Status.PENDING
        )
        moments = [c.execute(tasks).scalar(), outlook.next_in_line(c)]
        return min((moment for moment in moments if moment is not None and moment > now), default=None)


_named = (events.c.name.label("task_name"), events.c.module_id, events.c.function_name)
_all: Select[Any] = (
    select(executions, *_named)
    .join(events, events.c.id == executions.c.event_id)
    .where(~IS_OWN)
    .order_by(executions.c.scheduled_for, executions.c.created_at, executions.c.attempt)
)
_ended: Select[Any] = (
    select(executions, *_named)
    .join(events, events.c.id == executions.c.event_id)
    .where(~IS_OWN)
    .order_by(executions.c.end_time, executions.c.scheduled_for, executions.c.attempt, executions.c.id)
)


def _rows(c: Connection, rows: Select[Any]) -> Executions:
    return [_view(row) for row in c.execute(rows)]


def _view(row: Row[Any]) -> dict[str, Any]:
    names = {"task_name": row.task_name, "module_id": row.module_id, "function_name": row.function_name}
    return execution_view(row) | names
