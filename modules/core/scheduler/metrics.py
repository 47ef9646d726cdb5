"""What this node has done and what the database holds, in the format of Prometheus."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from framework.caller import Scope
from framework.clock import SystemClock
from framework.context import AppContext
from framework.database import is_transient
from modules.core.scheduler.membership import VERSION, offset_of
from modules.core.scheduler.runner import Runner
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.status import nodes_now
from modules.core.scheduler.store import gauges
from modules.core.scheduler.tally import OTHER

if TYPE_CHECKING:
    from fastapi import APIRouter
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

FRESH = 5.0  # seconds for which what was counted in the database is shown again
SHARE = 100.0  # and so many times as long as the counting took: at most a hundredth of the time is spent on it
MOST_QUEUES = 100  # with a label of their own


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database said at a moment."""

    tasks: dict[str, int]
    waiting: dict[tuple[str, str], int]
    late: float
    nodes: list[dict[str, Any]]


class Metrics:
    """The metrics of one scheduler, in a registry of its own, to which an application may add others."""

    def __init__(self, app_context: AppContext, settings: SchedulerSettings, runner: Runner) -> None:
        self._database, self._clock = app_context.database, app_context.clock
        self._settings = settings
        self._runner = runner
        self._stored: Stored | None = None
        self._fresh_until = float("-inf")
        self._reading = asyncio.Lock()
        self._registry: CollectorRegistry | None = None

    @property
    def registry(self) -> CollectorRegistry:
        """The registry of `prometheus_client` that is shown."""
        from prometheus_client import CollectorRegistry

        if self._registry is None:
            self._registry = CollectorRegistry(auto_describe=False)
            self._registry.register(self)
        return self._registry

    async def text(self, accept: str = "") -> tuple[bytes, str]:
        """Return the metrics and their media type; OpenMetrics where the header `Accept` asks for it.

        Where the database does not answer, what this node knows by itself is shown, and `scheduler_store_up 0`.
        """
        from prometheus_client.exposition import choose_encoder

        await self._refresh()
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def routes(self, _app_context: AppContext) -> APIRouter:
        """Return the route `GET /metrics`."""
        from fastapi import APIRouter, Depends, Request, Response

        from framework.web.scopes import requires

        router = APIRouter()

        async def metrics(request: Request) -> Response:
            text, media_type = await self.text(request.headers.get("accept", ""))
            return Response(text, headers={"Content-Type": media_type})

        metrics.__annotations__ = {"request": Request, "return": Response}  # FastAPI does not see imports in here
        needed = [Depends(requires(Scope.READ))]
        router.add_api_route("/metrics", metrics, dependencies=needed, include_in_schema=False)
        return router

    def collect(self) -> Iterator[Metric]:
        """Return what is known now; `prometheus_client` calls it."""
        yield from self._of_executions()
        yield from self._of_node()
        if self._stored is not None:
            yield from self._of_database(self._stored)

    async def _refresh(self) -> None:
        async with self._reading:
            began = self._clock.monotonic()
            if began < self._fresh_until:
                return
            try:
                self._stored = await self._database.read(partial(_stored, now=self._clock.now()))
            except Exception as error:
                if not is_transient(error):
                    raise
                self._stored, self._fresh_until = None, float("-inf")
                return
            took = self._clock.monotonic() - began
            self._fresh_until = began + max(FRESH, SHARE * took)

    def _of_executions(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily

        tally = self._runner.tally
        labels = ["task"] if self._settings.metrics_tasks else []
        ended = CounterMetricFamily("scheduler_executions", "Executions ended here.", labels=[*labels, "outcome"])
        ran = HistogramMetricFamily("scheduler_execution_duration_seconds", "Seconds that they ran.", labels=labels)
        for name, task in tally.tasks.items():
            of_task = [name] if labels else []
            for outcome, count in task.outcomes.items():
                ended.add_metric([*of_task, outcome.value], count)
            ran.add_metric(of_task, *task.seconds.buckets())
        delayed = HistogramMetricFamily("scheduler_start_delay_seconds", "Seconds from their time to their start.")
        delayed.add_metric([], *tally.delays.buckets())
        missed = CounterMetricFamily("scheduler_missed", "Occurrences that did not run at a time of their own.")
        missed.add_metric([], tally.missed)
        overdue = CounterMetricFamily("scheduler_overdue", "Runs that had not succeeded by when they were expected.")
        overdue.add_metric([], tally.overdue)
        yield from (ended, ran, delayed, missed, overdue)

    def _of_node(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily

        versions = {"version": VERSION, "python": platform.python_version()}
        yield InfoMetricFamily("scheduler_build", "Which program this is.", versions)
        for name, meaning, value in self._numbers():
            yield GaugeMetricFamily(f"scheduler_{name}", meaning, value)

    def _numbers(self) -> Iterator[tuple[str, str, float]]:
        yield "running", "Executions that run here.", self._runner.running
        yield "slots", "Executions that can run here at once.", self._runner.settings.max_concurrent_tasks
        yield "store_up", "Whether the database answered.", self._stored is not None
        silence = self._runner.seconds_since_turn()
        if silence is not None:
            moment = self._clock.now().timestamp() - silence
            yield "last_turn_timestamp_seconds", "When the loop turned last.", moment
        if isinstance(self._clock, SystemClock):
            offset = offset_of(self._clock)
            yield "clock_offset_seconds", "How far this machine's clock is ahead of the database's.", offset

    def _of_database(self, stored: Stored) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily

        tasks = GaugeMetricFamily("scheduler_tasks", "Tasks stored.", labels=["state"])
        for state, count in sorted(stored.tasks.items()):
            tasks.add_metric([state], count)
        depth = GaugeMetricFamily("scheduler_queue_depth", "Executions that wait.", labels=["queue", "line"])
        for (queue, line), count in sorted(stored.waiting.items()):
            depth.add_metric([queue, line], count)
        yield from (tasks, depth)
        yield GaugeMetricFamily("scheduler_lateness_seconds", "How late what waits longest is.", stored.late)
        alive = [node for node in stored.nodes if node["alive"]]
        yield GaugeMetricFamily("scheduler_nodes", "Nodes that live.", len(alive))
        for node in alive:
            if node["id"] == self._runner.node_id:
                beat = (node["lease_until"] - self._settings.lease).timestamp()
                name, meaning = "scheduler_node_heartbeat_timestamp_seconds", "When this node renewed its lease last."
                yield GaugeMetricFamily(name, meaning, beat)


def _stored(c: Connection, now: datetime) -> Stored:
    since = gauges.longest_due(c, now)
    late = 0.0 if since is None else max((now - since).total_seconds(), 0.0)
    return Stored(gauges.tasks_by_status(c), _bounded(gauges.waiting(c)), late, nodes_now(c, now))


def _bounded(waiting: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Put the queues together that come after the last one with a label of its own."""
    known = sorted({queue for queue, _ in waiting})[:MOST_QUEUES]
    found: dict[tuple[str, str], int] = {}
    for (queue, line), count in waiting.items():
        place = (queue if queue in known else OTHER, line)
        found[place] = found.get(place, 0) + count
    return found
