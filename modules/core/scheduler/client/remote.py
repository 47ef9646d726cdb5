"""SchedulerClient: everything that can be asked of a scheduler over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from framework.result import Result
from modules.core.scheduler.client.cleanups import OfCleanups
from modules.core.scheduler.client.tasks import OfExecutions, OfTasks
from modules.core.scheduler.client.wire import Wire

Answer = Result[dict[str, Any]]
Listing = Result[list[dict[str, Any]]]


class SchedulerClient(OfTasks, OfExecutions, OfCleanups):
    """The methods of `SchedulerService`, over HTTP: same names, same arguments, same Results, moments as datetimes.

    Its refusals are those of the server. `Unreachable` is raised where no server answers.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take the URL of a server, such as `http://127.0.0.1:8000`, and a token where it wants one."""
        self.wire = Wire(url, token)

    async def status(self) -> Answer:
        """Return what the scheduler is doing."""
        return await self.wire.ask("GET", "status")

    async def stats(self, task_id: str | None = None, window: str = "24h") -> Answer:
        """Return how executions came out in the last `1h`, `24h` or `7d`, of one task or of all."""
        return await self.wire.ask("GET", "stats", query={"task": task_id, "window": window})

    async def overview(self) -> Answer:
        """Return whether somebody has to do something: a verdict, counts, and what needs attention."""
        return await self.wire.ask("GET", "overview")

    async def failures(self, window: str = "24h") -> Answer:
        """Return what failed in the last `1h`, `24h` or `7d`, of each task what says the same as one."""
        return await self.wire.ask("GET", "failures", query={"window": window})

    async def ignore_failures(self, failure: str, until: datetime | str | None) -> Answer:
        """Hide a failure until it has happened after a moment; None: show it again."""
        return await self.wire.ask("POST", "failures", failure, "ignore", body={"until": until})

    async def ran_since(self, since: datetime) -> Answer:
        """Return `{"tasks", "is_cut"}`: tasks that run, or are of the last 1,000 runs since then."""
        return await self.wire.ask("GET", "runs", "tasks", query={"since": since})

    async def runs_since(self, task_ids: Sequence[str], since: datetime) -> Result[dict[str, list[dict[str, Any]]]]:
        """Return the executions since then of up to 100 tasks by id, newest first, at most 200 of each."""
        told = await self.wire.ask("POST", "runs", body={"task_ids": list(task_ids), "since": since})
        return told.map(lambda data: data["runs"])

    async def list_functions(self, *, module_id: str | None = None) -> Listing:
        """Return the functions that tasks may run, with the JSON schemas of their parameters."""
        listed = await self.wire.ask("GET", "functions")
        return listed.map(lambda data: [each for each in data["functions"] if module_id in (None, each["module_id"])])

    async def forecast(self, hours: float = 24, *, what_if: Sequence[Mapping[str, Any]] | None = None) -> Answer:
        """Play what comes within the next hours on the slots there are; `what_if` supposes changes."""
        if what_if:
            body = {"hours": hours, "what_if": [dict(change) for change in what_if]}
            return await self.wire.ask("POST", "forecast", body=body)
        return await self.wire.ask("GET", "forecast", query={"hours": hours})

    async def lint(self) -> Answer:
        """Return what about the tasks will surprise somebody."""
        return await self.wire.ask("GET", "lint")

    async def plan_declared(self) -> Answer:
        """Return how the tasks and cleanups that the server declares differ from its database."""
        return await self.wire.ask("GET", "plan")

    async def apply_declared(self, seen: str | None = None) -> Answer:
        """Apply the tasks and cleanups that the server declares."""
        return await self.wire.ask("POST", "apply", body={"seen": seen})

    async def emit(self, event: str, payload: Mapping[str, Any] | None = None) -> Result[int]:
        """Set off every task that waits for this event; return how many."""
        emitted = await self.wire.ask("POST", "events", body={"event": event, "payload": payload})
        return emitted.map(lambda data: data["tasks"])

    async def list_nodes(self) -> Listing:
        """Return the nodes, oldest first."""
        return (await self.wire.ask("GET", "nodes")).map(lambda data: data["nodes"])

    async def drain_node(self, node_id: str, undo: bool = False) -> Answer:
        """Let a node finish what it runs and claim nothing more, or with `undo` claim again."""
        return await self.wire.ask("POST", "nodes", node_id, "drain", body={"undo": undo})

    async def list_queues(self) -> Listing:
        """Return the queues."""
        return (await self.wire.ask("GET", "queues")).map(lambda data: data["queues"])

    async def pause_queue(self, name: str, reason: str | None = None) -> Answer:
        """Start nothing of a queue, on every node."""
        return await self.wire.ask("POST", "queues", name, "pause", body={"reason": reason})

    async def resume_queue(self, name: str) -> Answer:
        """Let a queue go on."""
        return await self.wire.ask("POST", "queues", name, "resume")

    async def limit_queue(self, name: str, limit: int | None) -> Answer:
        """Let at most so many of a queue run at once, on all nodes together; None: as many as there are slots."""
        return await self.wire.ask("PATCH", "queues", name, body={"limit": limit})

    async def pause_all(self, reason: str | None = None, *, module_id: str | None = None) -> Answer:
        """Hold back all tasks, or those of one module, on every node; return the status."""
        return await self.wire.ask("POST", "pause-all", body={"reason": reason, "module_id": module_id})

    async def resume_all(self, *, module_id: str | None = None) -> Answer:
        """Let go what `pause_all` holds; return the status."""
        return await self.wire.ask("POST", "resume-all", body={"module_id": module_id})

    async def list_audit(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        kind: str | None = None,
        target: str | None = None,
        since: datetime | str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """Return `{"entries", "next_cursor"}`, newest first: who did what to what."""
        query = {"actor": actor, "action": action, "kind": kind, "target": target, "since": since}
        return await self.wire.ask("GET", "audit", query={**query, "limit": limit, "cursor": cursor})

    async def list_alerts(self) -> Listing:
        """Return the rules of alerts, with what each has gathered, and what it is sending."""
        return (await self.wire.ask("GET", "alerts")).map(lambda data: data["alerts"])

    async def perform(self, name: str, parameters: Mapping[str, Any] | None = None) -> Result[Any]:
        """Call an operation by its name."""
        return (await self.wire.ask("POST", "operations", name, body=dict(parameters or {}))).map(lambda it: it["data"])

    async def list_calendars(self) -> Listing:
        """Return the calendars."""
        return (await self.wire.ask("GET", "calendars")).map(lambda data: data["calendars"])

    async def show_calendar(self, name: str, after: datetime | str | None = None, days: int = 30) -> Answer:
        """Return a calendar, and what it closes."""
        return await self.wire.ask("GET", "calendars", name, query={"after": after, "days": days})
