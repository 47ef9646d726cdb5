"""What a look ahead knows: the tasks that come, how long they usually take, the slots there are, and what is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.catch_up import is_too_late
from modules.core.scheduler.execution import State
from modules.core.scheduler.firing import decision_on, trigger_of
from modules.core.scheduler.foresight.forecasting import MOST, Ahead, accepted
from modules.core.scheduler.foresight.leisure import at_leisure
from modules.core.scheduler.foresight.simulating import Run, Slots, Work
from modules.core.scheduler.placing import function_key, limit_key_of
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.status import nodes_now
from modules.core.scheduler.store import ahead, nodes
from modules.core.scheduler.trigger import Cron, Trigger
from modules.core.scheduler.trigger.anatomy import fields_of
from modules.core.scheduler.trigger.own_time import with_own_time

DEFAULT_SECONDS = 10.0  # of a task that nobody has seen succeed
NEVER = datetime.max.replace(tzinfo=UTC)
LAST = 20  # successes that tell how long a task takes
MOST_MEASURED = 2_000  # tasks whose history is read; the others are taken to be like those of their function


@dataclass(slots=True)
class Known:
    """What was read at one moment; `took` are the seconds of a task's last successes, by its id."""

    now: datetime
    rows: Sequence[Row[Any]]
    opened: Sequence[Row[Any]]
    nodes: list[dict[str, Any]]
    paused: set[str]
    took: dict[str, list[float]]
    limits: Mapping[str, int] = field(default_factory=dict)
    functions: dict[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            key = function_key(row.module_id, row.function_name)
            self.functions.setdefault(key, []).extend(self.took.get(row.id, ()))

    @property
    def living(self) -> list[dict[str, Any]]:
        """The nodes that live."""
        return [node for node in self.nodes if node["alive"]]

    def seconds(self, task_id: str, function: str) -> tuple[float, bool]:
        """Return how long a run usually takes, and whether a history says so: its own, else that of its function."""
        took = self.took.get(task_id) or self.functions.get(function)
        return (median(took), True) if took else (DEFAULT_SECONDS, False)


def look_ahead(c: Connection, now: datetime, rows: Sequence[Row[Any]]) -> Known:
    """Read what is known beside these tasks."""
    recurring = [row.id for row in rows if row.recurring][:MOST_MEASURED]
    took = ahead.succeeded(c, recurring, LAST)
    return Known(now, rows, ahead.opened(c, MOST), nodes_now(c, now), nodes.paused(c), took, nodes.limits_of_queues(c))


def coming(c: Connection, now: datetime, until: datetime, most: int) -> Known:
    """Read what comes until then, at most so many tasks and one more."""
    return look_ahead(c, now, ahead.coming(c, until, most + 1))


def work_of(row: Row[Any], known: Known) -> Work:
    """Return what a stored task asks of the slots; raises `ValueError` where its row cannot be read."""
    seconds, measured = known.seconds(row.id, function_key(row.module_id, row.function_name))
    return Work(
        row.id,
        row.name,
        seconds,
        row.queue,
        row.priority,
        row.overlap,
        row.max_instances,
        limit_key_of(row),
        policies_of(row.policies).jitter,
        measured,
        own_minute(trigger_of(row.trigger), f"{row.module_id}/{row.key or row.name}"),
    )


def own_minute(trigger: Trigger, seed: str) -> int | None:
    """Return the minute that `H` would stand for in a cron of this seed; None where its minute is no plain number."""
    while hasattr(trigger, "trigger"):  # one with calendars or an end, over what it would be without
        trigger = trigger.trigger
    if not isinstance(trigger, Cron) or not fields_of(trigger.expression)["minute"].isdigit():
        return None
    return int(with_own_time("H * * * *", seed).split()[0])


def tasks_ahead(known: Known, *, but: Iterable[str] = ()) -> list[Ahead]:
    """Return the tasks that come; one whose row cannot be read is left out, for firing will set it aside."""
    found, left_out = [], set(but)
    for row in at_leisure(known.rows):
        if row.next_execution is None or row.id in left_out:
            continue
        try:
            ahead_of_it = _ahead(row, known)
        except ValueError:
            continue
        if ahead_of_it is not None:
            found.append(ahead_of_it)
    return found


def _ahead(row: Row[Any], known: Known) -> Ahead | None:
    """Return a task as it comes; what has passed comes once and at once, unless its policies say otherwise.

    Raises `ValueError` where its row cannot be read.
    """
    work, trigger, policies = work_of(row, known), trigger_of(row.trigger), policies_of(row.policies)
    most = None if row.max_executions is None else max(row.max_executions - row.execution_count, 0)
    once = Ahead(work, trigger, row.next_execution, most)
    is_over = is_too_late(trigger, row.next_execution, known.now)
    if row.next_execution > known.now or (policies.catch_up == "latest" and policies.grace is None and not is_over):
        return once
    firing = decision_on(row, policies, known.now)
    overdue, first = len(firing.runs), firing.next_execution
    if overdue == 1 or (overdue == 0 and first is None):
        return once if overdue else None
    return Ahead(work, trigger, first or NEVER, None if most is None else most - overdue, overdue)


def open_now(known: Known, tasks: Sequence[Ahead]) -> tuple[list[tuple[float, Work]], list[Run]]:
    """Return what runs, with its expected ends, and what waits."""
    works = {task.work.task_id: task.work for task in tasks}
    running, waiting = [], []
    for row in known.opened:
        work = works.get(row.event_id) or _work_of_open(row, known)
        if row.state == State.RUNNING and row.start_time is not None:
            end = max(row.start_time + timedelta(seconds=work.seconds), known.now)
            running.append((end.timestamp(), work))
        else:
            waiting.append(Run(max(row.due_at, known.now).timestamp(), accepted(work)))
    return running, waiting


def _work_of_open(row: Row[Any], known: Known) -> Work:
    seconds, measured = known.seconds(row.event_id, "")
    limit_key = row.event_id if row.concurrency_key is None else f"{row.module_id}/{row.concurrency_key}"
    limits = (row.queue, row.priority, row.overlap, row.max_instances, limit_key)
    return Work(row.event_id, row.name, seconds, *limits, measured=measured)


def slots_of(known: Known, settings: SchedulerSettings) -> Slots:
    """Return the slots of the nodes that live and claim, taken together; where none lives, of one like this."""
    claiming = [node for node in known.living if node["draining_since"] is None and node["slots"] is not None]
    here: Mapping[str, Any] = {"slots": settings.max_concurrent_tasks, "queues": settings.queues}
    each = claiming if known.living else [here]
    total = sum(node["slots"] for node in each)
    named = {name for node in each for name in node["queues"]}
    queues = {name: sum(_share(node, name) for node in each) for name in named}
    queues |= {name: min(limit, queues.get(name, total)) for name, limit in known.limits.items()}
    queues |= {scope.removeprefix("queue:"): 0 for scope in known.paused if scope.startswith("queue:")}
    others = sum(node["slots"] for node in each if not node["queues"])
    everywhere = settings.max_concurrent_everywhere
    return Slots(total if everywhere is None else min(total, everywhere), queues, others)


def _share(node: Mapping[str, Any], queue: str) -> int:
    slots: int = node["slots"]
    return slots if not node["queues"] else min(node["queues"].get(queue, 0), slots)
