"""What an operator asks of nodes and queues: who there is and what waits; to drain a node, to hold something back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from framework.audit import Deed
from framework.context import AppContext
from framework.result import Result
from modules.core.scheduler import commands
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.execution import Line
from modules.core.scheduler.fields import DEFAULT_QUEUE, QueueName
from modules.core.scheduler.freezing import CLEANUPS
from modules.core.scheduler.job_manager import JobManager
from modules.core.scheduler.refusing import asked_moment, refuse
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.status import nodes_now, status_of
from modules.core.scheduler.store import failing, gauges, line, nodes

MOST_COUNTED = 10_000
QUEUE = "queue:"  # before a queue's name, in the scope of what is held back
MOST_AT_ONCE = 100_000
KNOWN = timedelta(days=7)  # as far back as failures are shown
Answer = Result[dict[str, Any]]
Listing = Result[list[dict[str, Any]]]

_queue_name: TypeAdapter[str] = TypeAdapter(QueueName)


class Operator:
    """Nodes and queues, for the whole database. Methods are async and return a Result."""

    def __init__(self, app_context: AppContext, jobs: JobManager, runner: Runner) -> None:
        self._app_context = app_context
        self._jobs = jobs
        self._runner = runner

    async def list_nodes(self) -> Listing:
        """Return the nodes, oldest first, each with what it is, has and does.

        `{"id", "host", "pid", "version", "version_differs", "alive", "draining_since", "running", "slots", "queues",
        "functions", "clock_offset", "started_at", "lease_until"}`; `clock_offset` is for how many seconds its machine's
        clock is ahead of the database's; `queues` has the slots of each queue that it serves, and is empty
        where it serves all; what a node has not told yet is None.
        """
        now = self._app_context.clock.now()
        return Result.success(await self._app_context.database.read(partial(nodes_now, now=now)))

    async def drain_node(self, node_id: str, undo: bool = False) -> Answer:
        """Let a node finish what it runs and claim nothing more, or with `undo` claim again; return it as it is then.

        From the moment this returns the node begins nothing. `NODE_NOT_FOUND` where there is no such node.
        """
        drain = partial(_drain, node_id=storable(node_id, MAX_ID), undo=undo)
        return await self._jobs.change(drain, deed=Deed("undrain" if undo else "drain", "node", node_id))

    async def ignore_failures(self, failure: str, until: datetime | str | None) -> Answer:
        """Hide a failure, by its id in `failures`, until it has happened after a moment; None: show it again.

        `{"id", "until"}`; `INVALID_CONFIG` for a moment that cannot be read.
        """
        ignore = partial(_ignore, failure=storable(failure, MAX_ID), until=until, zone=self._jobs.planner.timezone)
        deed = Deed("show" if until is None else "ignore", "failure", failure)
        return await self._jobs.change(ignore, deed=deed, telling=lambda told: {"until": told["until"]})

    async def list_queues(self) -> Listing:
        """Return the queues in which anything waits or runs, that a node names, are paused or have a limit, by name.

        `{"name", "ready", "later", "held", "is_cut", "running", "limit", "nodes", "paused_since", "reason"}`: how many
        executions can start, wait for a time, are held back one by one, and run; how many of it may run at once on all
        nodes together (None: as many as they have slots); and how many living nodes serve it.
        No more than 10,000 that wait are counted; `is_cut` is whether there may be more.
        """
        now = self._app_context.clock.now()
        return Result.success(await self._app_context.database.read(partial(_queues, now=now)))

    async def pause_queue(self, name: str, reason: str | None = None) -> Answer:
        """Start nothing of a queue, on every node, until it is resumed; return the queue. What runs finishes.

        Pausing a paused one only changes the reason; `INVALID_QUEUE` where no queue can have this name.
        """
        told = None if reason is None else storable(reason, MAX_ID)
        return await self._change_queue("pause", name, lambda c, now: _hold(c, now, QUEUE + name, told))

    async def resume_queue(self, name: str) -> Answer:
        """Let a queue go on, and return it; of one that is not paused, nothing changes."""
        return await self._change_queue("resume", name, lambda c, now: commands.let_go(c, now, QUEUE + name))

    async def limit_queue(self, name: str, limit: int | None) -> Answer:
        """Let at most so many of a queue run at once, on all nodes together (None: no limit); return the queue.

        It holds from the next turn of each node; what runs finishes, also above it. `INVALID_CONFIG` for what is no
        number from 1 to 100,000, `INVALID_QUEUE` where no queue can have this name.
        """
        if limit is not None and (type(limit) is not int or not 1 <= limit <= MOST_AT_ONCE):
            told = f"{limit!r} is no number from 1 to {MOST_AT_ONCE:,}; to start nothing, pause the queue"
            problems = [{"field": "limit", "message": told}]
            return Result.error("INVALID_CONFIG", f"limit: {told}", {"problems": problems})
        return await self._change_queue("limit", name, lambda c, _: nodes.limit_queue(c, name, limit))

    async def pause_all(self, reason: str | None = None, *, module_id: str | None = None) -> Answer:
        """Hold back all tasks, or those of one module, on every node, until `resume_all`; what runs finishes."""
        hold = partial(_hold, scope=module_id or "*", reason=reason)
        (await self._jobs.change(hold, deed=_of_all("pause", module_id))).unwrap()
        return await self._status()

    async def resume_all(self, *, module_id: str | None = None) -> Answer:
        """Let go what `pause_all` holds; what became due meanwhile follows its catch-up policy."""
        release = partial(commands.let_go, scope=module_id or "*")
        (await self._jobs.change(release, deed=_of_all("resume", module_id))).unwrap()
        return await self._status()

    async def freeze_cleanups(self, reason: str | None = None) -> Answer:
        """Let nothing delete, on any node, until `unfreeze_cleanups`: `{"frozen", "since", "reason"}`.

        Runs, plans and the history's own retention are refused with `CLEANUPS_FROZEN`, dry runs go on; a cleanup that
        runs stops within about a second, its report failed. Freezing again only changes the reason.
        """
        told = None if reason is None else storable(reason, MAX_ID)
        freeze = partial(_freeze, reason=told)
        return await self._jobs.change(freeze, deed=Deed("freeze", "cleanups", CLEANUPS))

    async def unfreeze_cleanups(self) -> Answer:
        """Let cleanups delete again: `{"frozen", "since", "reason"}`; what was refused meanwhile is not made up for."""
        return await self._jobs.change(_unfreeze, deed=Deed("unfreeze", "cleanups", CLEANUPS))

    async def _status(self) -> Answer:
        return Result.success(await status_of(self._app_context, self._runner))

    async def _change_queue(self, action: str, name: str, change: Callable[[Connection, datetime], object]) -> Answer:
        try:
            _queue_name.validate_python(name)
        except ValidationError:
            told = f"no queue is called {name!r}: letters, digits, `.`, `_` and `-`, at most 100 of them"
            return Result.error("INVALID_QUEUE", told)

        def work(c: Connection, now: datetime) -> dict[str, Any]:
            change(c, now)
            (queue,) = [each for each in _queues(c, now, [name]) if each["name"] == name]
            return queue

        return await self._jobs.change(work, deed=Deed(action, "queue", QUEUE + name, name))


def _of_all(action: str, module_id: str | None) -> Deed:
    return Deed(action, "scheduler", "*") if module_id is None else Deed(action, "module", module_id)


def _ignore(c: Connection, now: datetime, failure: str, until: datetime | str | None, zone: str) -> dict[str, Any]:
    moment = None if until is None else asked_moment(until, zone, "until")
    failing.know(c, failure, moment, now - KNOWN)
    return {"id": failure, "until": moment}


def _drain(c: Connection, now: datetime, node_id: str, *, undo: bool) -> dict[str, Any]:
    found = [row for row in nodes.everyone(c) if row.id == node_id]
    since = None if undo or not found else found[0].draining_since or now
    if not nodes.drain(c, node_id, since):
        refuse("NODE_NOT_FOUND", f"there is no node {node_id!r}; `chamberlain nodes list` shows them all")
    return next(node for node in nodes_now(c, now) if node["id"] == node_id)


def _hold(c: Connection, now: datetime, scope: str, reason: str | None) -> None:
    since = next((row.since for row in nodes.held(c) if row.scope == scope), now)
    nodes.hold(c, scope, reason, since)


def _freeze(c: Connection, now: datetime, reason: str | None) -> dict[str, Any]:
    _hold(c, now, CLEANUPS, reason)
    held = next(row for row in nodes.held(c) if row.scope == CLEANUPS)
    return {"frozen": True, "since": held.since, "reason": held.reason}


def _unfreeze(c: Connection, now: datetime) -> dict[str, Any]:
    nodes.release(c, CLEANUPS, now)
    return {"frozen": False, "since": None, "reason": None}


def _queues(c: Connection, now: datetime, also: list[str] | None = None) -> list[dict[str, Any]]:
    waiting, running = gauges.waiting(c, MOST_COUNTED), line.running_by_queue(c)
    elsewhere = [sum(number for (_, at), number in waiting.items() if at == place) for place in (Line.LATER, Line.HELD)]
    is_cut = max(elsewhere) >= MOST_COUNTED
    living = [node for node in nodes_now(c, now) if node["alive"]]
    paused = {row.scope.removeprefix(QUEUE): row for row in nodes.held(c) if row.scope.startswith(QUEUE)}
    named, limits = {name for node in living for name in node["queues"]}, nodes.limits_of_queues(c)
    names = {DEFAULT_QUEUE, *(name for name, _ in waiting), *running, *paused, *limits, *named, *(also or [])}
    return [
        {
            "name": name,
            **{place.value: waiting.get((name, place.value), 0) for place in Line},
            "is_cut": is_cut or waiting.get((name, Line.READY.value), 0) >= MOST_COUNTED,
            "running": running.get(name, 0),
            "limit": limits.get(name),
            "nodes": sum(_serves(node, name) for node in living),
            "paused_since": paused[name].since if name in paused else None,
            "reason": paused[name].reason if name in paused else None,
        }
        for name in sorted(names)
    ]


def _serves(node: Mapping[str, Any], queue: str) -> bool:
    """Whether a node claims from a queue; one that names no queues serves all."""
    return node["draining_since"] is None and (not node["queues"] or node["queues"].get(queue, 0) > 0)
