"""Nodes, queues, calendars and events over HTTP, and everything paused at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from starlette.responses import Response

from framework.caller import Scope
from framework.web.paths import Paths
from modules.core.scheduler.api.given import Drain, Emit, Hold, Pause, QueueChanges, Release
from modules.core.scheduler.api.shapes_operating import (
    CalendarDays,
    Calendars,
    Emitted,
    Node,
    Nodes,
    Queue,
    Queues,
    Status,
)
from modules.core.scheduler.api.statuses import answer
from modules.core.scheduler.service import SchedulerService

NodeId = Annotated[str, Path(description="The id of a node.")]
QueueName = Annotated[str, Path(description="The name of a queue.")]
CalendarName = Annotated[str, Path(description="The name of a calendar.")]
After = Annotated[str | None, Query(description="From when on, ISO 8601; by default now.")]
Days = Annotated[int, Query(description="For how many days.", ge=1, le=3660)]


class OperatingRoutes:
    """The routes of nodes, queues, calendars and events."""

    def __init__(self, scheduler: SchedulerService) -> None:
        self._scheduler = scheduler

    def add_to(self, paths: Paths) -> None:
        """Add them."""
        paths.add("GET", "/nodes", self.list_nodes, Nodes, Scope.READ)
        paths.add("POST", "/nodes/{node_id}/drain", self.drain_node, Node, Scope.OPERATE, "NODE_NOT_FOUND")
        paths.add("GET", "/queues", self.list_queues, Queues, Scope.READ)
        paths.add("PATCH", "/queues/{name}", self.limit_queue, Queue, Scope.OPERATE, "INVALID_CONFIG", "INVALID_QUEUE")
        paths.add("POST", "/queues/{name}/pause", self.pause_queue, Queue, Scope.OPERATE, "INVALID_QUEUE")
        paths.add("POST", "/queues/{name}/resume", self.resume_queue, Queue, Scope.OPERATE, "INVALID_QUEUE")
        paths.add("POST", "/pause-all", self.pause_all, Status, Scope.OPERATE)
        paths.add("POST", "/resume-all", self.resume_all, Status, Scope.OPERATE)
        emitted = (Emitted, Scope.OPERATE, "INVALID_EVENT", "INVALID_PAYLOAD")
        paths.add("POST", "/events", self.emit, *emitted, status=202)
        paths.add("GET", "/calendars", self.list_calendars, Calendars, Scope.READ)
        shown = (CalendarDays, Scope.READ, "CALENDAR_NOT_FOUND", "INVALID_CONFIG")
        paths.add("GET", "/calendars/{name}", self.show_calendar, *shown)

    async def list_nodes(self) -> Response:
        """List the nodes, oldest first, each with what it is, has and does."""
        return answer((await self._scheduler.list_nodes()).map(lambda nodes: {"nodes": nodes}))

    async def drain_node(self, node_id: NodeId, how: Drain | None = None) -> Response:
        """Let a node finish what it runs and claim nothing more, or claim again."""
        return answer(await self._scheduler.drain_node(node_id, how is not None and how.undo))

    async def list_queues(self) -> Response:
        """List the queues in which anything waits or runs, that a node names, are paused or have a limit."""
        return answer((await self._scheduler.list_queues()).map(lambda queues: {"queues": queues}))

    async def limit_queue(self, name: QueueName, changes: QueueChanges) -> Response:
        """Let at most so many of a queue run at once, on all nodes together, or as many as there are slots."""
        return answer(await self._scheduler.limit_queue(name, changes.limit))

    async def pause_queue(self, name: QueueName, why: Pause | None = None) -> Response:
        """Start nothing of a queue, on every node; what runs finishes."""
        return answer(await self._scheduler.pause_queue(name, None if why is None else why.reason))

    async def resume_queue(self, name: QueueName) -> Response:
        """Let a queue go on."""
        return answer(await self._scheduler.resume_queue(name))

    async def pause_all(self, what: Hold | None = None) -> Response:
        """Hold back all tasks, or those of one module, on every node; what runs finishes."""
        what = what or Hold()
        return answer(await self._scheduler.pause_all(what.reason, module_id=what.module_id))

    async def resume_all(self, what: Release | None = None) -> Response:
        """Let go what was held back."""
        return answer(await self._scheduler.resume_all(module_id=None if what is None else what.module_id))

    async def emit(self, what: Emit) -> Response:
        """Set off every task that waits for an event, durably."""
        emitted = await self._scheduler.emit(what.event, what.payload)
        return answer(emitted.map(lambda tasks: {"event": what.event, "tasks": tasks}), 202)

    async def list_calendars(self) -> Response:
        """List the calendars."""
        return answer((await self._scheduler.list_calendars()).map(lambda found: {"calendars": found}))

    async def show_calendar(self, name: CalendarName, after: After = None, days: Days = 30) -> Response:
        """Return a calendar with what it closes."""
        return answer(await self._scheduler.show_calendar(name, after, days))
