"""Watching over HTTP: events as they happen, and the log of an execution."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Header, Query
from pydantic import Field
from starlette.responses import Response

from framework.caller import Scope
from framework.clock import Clock
from framework.result import Result, ResultError
from framework.web.event_stream import EventStream
from framework.web.paths import Paths
from modules.core.scheduler.api.given import ExecutionId
from modules.core.scheduler.api.shapes import Shape
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.api.streaming import sent, sent_lines
from modules.core.scheduler.service import SchedulerService

After = Annotated[int, Query(description="The number of the line behind which to begin.")]
Lines = Annotated[int, Query(description="At most so many lines, 1 to 500.")]
Follow = Annotated[bool, Query(description="Stream the lines as they come, until the execution has ended.")]
LastEvent = Annotated[str | None, Header(alias="Last-Event-ID", description="The id of the last event that was heard.")]
OfTask = Annotated[str | None, Query(description="Only what concerns this task and its executions.")]
OfExecution = Annotated[str | None, Query(description="Only what concerns this execution, with its log lines.")]
StatsOf = Annotated[str | None, Query(description="Only of this task.")]
Reach = Annotated[str, Query(description="`1h`, `24h` or `7d`.")]
Kinds = Annotated[list[str] | None, Query(description="Only these kinds; may be given several times.")]


class LogLine(Shape):
    """A line that was logged in the name of an execution."""

    number: int = Field(description="Counts from 1 within the execution.")
    at: datetime = Field(description="When it was logged.")
    level: str = Field(description="`debug`, `info`, `warning`, `error` or `critical`, or a level of the module's own.")
    logger: str = Field(description="The logger's name.")
    message: str = Field(description="What it says, with a traceback where there was one.")


class LogPage(Shape):
    """Lines of an execution, in order."""

    execution_id: str = Field(description="The execution.")
    state: str = Field(description="Where it is.")
    lines: list[LogLine] = Field(description="The lines.")
    next_after: int | None = Field(
        description="What to give as `after` for the next page; null where there is none yet."
    )


class Durations(Shape):
    """How long functions ran, in seconds; null where none has."""

    average: float | None = Field(description="The mean.")
    p50: float | None = Field(description="Half of them took at most so long.")
    p95: float | None = Field(description="Of twenty, nineteen took at most so long.")
    longest: float | None = Field(description="The longest.")


class Lateness(Shape):
    """How many seconds after they could have begun functions did."""

    average: float | None = Field(description="The mean; null where none has begun.")
    longest: float = Field(description="The most.")


class Point(Shape):
    """A step of the series."""

    at: datetime = Field(description="When the step begins.")
    by_state: dict[str, int] = Field(description="How many executions ended in it, by state.")


class Statistics(Shape):
    """How executions came out lately."""

    window: str = Field(description="`1h`, `24h` or `7d`.")
    task_id: str | None = Field(description="The task, null for all.")
    step: int = Field(description="Seconds that each point of the series spans.")
    since: datetime = Field(description="From when on it counts.")
    until: datetime = Field(description="Up to when it counts.")
    executions: int = Field(description="How many ended, those that never ran among them.")
    by_state: dict[str, int] = Field(description="The same by state.")
    success_rate: float | None = Field(description="Of those that worked or broke, the part that worked.")
    duration: Durations = Field(description="How long they took.")
    lateness: Lateness = Field(description="How late they began.")
    series: list[Point] = Field(description="Step by step, oldest first.")
    exact: bool = Field(description="Whether percentiles are exact, or right to 2.5 %.")
    complete: bool = Field(description="Whether all that ended in the window counts.")


class LiveRoutes:
    """The routes of those who watch."""

    def __init__(self, scheduler: SchedulerService, clock: Clock) -> None:
        self._scheduler, self._clock = scheduler, clock

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        logs = "/executions/{execution_id}/logs"
        refusals = ("EXECUTION_NOT_FOUND", "INVALID_LIMIT", "INVALID_CURSOR")
        paths.add("GET", logs, self.execution_logs, LogPage, Scope.READ, *refusals)
        paths.add("GET", "/stats", self.stats, Statistics, Scope.READ, "TASK_NOT_FOUND", "INVALID_WINDOW")
        paths.add("GET", "/events/stream", self.stream_events, None, Scope.READ, "INVALID_KIND")

    async def execution_logs(
        self,
        execution_id: ExecutionId,
        after: After = 0,
        limit: Lines = 500,
        follow: Follow = False,  # a parameter of the query
        last_event_id: LastEvent = None,
    ) -> Response:
        """Return what was logged in an execution's name, by pages; or stream it, as events `log` and at last an `end`.

        Its id is the number of a line, so that a client that comes again goes on where it was.
        """
        if follow and last_event_id is not None and last_event_id.isdecimal():
            after = int(last_event_id[:9])
        page = await self._scheduler.execution_logs(execution_id, after=after, limit=limit)
        if page.error is not None or not follow:
            return answer(page)
        return EventStream(sent_lines(self._scheduler.follow_logs(execution_id, after=after), self._clock))

    async def stats(self, task: StatsOf = None, window: Reach = "24h") -> Response:
        """Return how executions came out: counts by state and time, success rate, durations, lateness."""
        return answer(await self._scheduler.stats(task, window))

    async def stream_events(
        self,
        task: OfTask = None,
        execution: OfExecution = None,
        kind: Kinds = None,
        last_event_id: LastEvent = None,
    ) -> Response:
        """Stream what happens, on all nodes, as server-sent events: docs/watching.md tells of their kinds and fields.

        A client that comes again with `Last-Event-ID` is told what it has missed in up to ten minutes; `reset` says
        that more is missing than is told.
        """
        try:
            viewer = self._scheduler.watch(task_id=task, execution_id=execution, kinds=kind, after=last_event_id)
        except ResultError as refusal:
            return answer(Result(error=refusal.error))
        return EventStream(sent(viewer, self._clock))
