"""What if: tasks as they would be with some of them changed, added or removed; nothing of it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row

from framework.duration import parse_duration
from modules.core.scheduler.exporting import config_of
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.foresight.forecasting import Ahead
from modules.core.scheduler.foresight.reading import Known, own_minute
from modules.core.scheduler.foresight.simulating import Work
from modules.core.scheduler.placing import function_key
from modules.core.scheduler.planning import says_when
from modules.core.scheduler.refusing import readable, refuse
from modules.core.scheduler.task import WAYS, TaskConfig, problems_of
from modules.core.scheduler.trigger import TriggerError, without_calendars
from modules.core.scheduler.trigger_manager import TriggerManager

MOST = 1_000  # changes
UNNAMED = {"module_id": "-", "function_name": "-"}


def named(changes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ids of the stored tasks that are changed or removed, each of them once."""
    if len(changes) > MOST:
        refuse("INVALID_CONFIG", f"what_if takes at most {MOST:,} changes, not {len(changes):,}")
    counts = Counter(str(each["task"]) for each in changes if "task" in each)
    for task_id, count in counts.items():
        if count > 1:
            refuse("INVALID_CONFIG", f"what_if changes task {task_id!r} {count} times: say all of it in one change")
    return list(counts)


def changed(
    changes: Sequence[Mapping[str, Any]], rows: Mapping[str, Row[Any]], known: Known, triggers: TriggerManager
) -> list[Ahead]:
    """Return the tasks that are changed or added, as they would be; those without a next time or paused are left out.

    A change is `{"task": id, …}` with keys of a config, or `"remove": True`; without `task` it is a config of its own.
    `takes` says how long a run takes. Refuses, as `ResultError`, what is no config, and a task that is not there.
    """
    found = []
    for index, each in enumerate(changes):
        task_id = str(each["task"]) if "task" in each else None
        if task_id is not None and task_id not in rows:
            refuse("TASK_NOT_FOUND", f"there is no task {task_id!r}")
        if not each.get("remove"):
            found.append(_as_changed(each, rows[task_id] if task_id else None, index, known, triggers))
    return [task for task in found if task is not None]


def _as_changed(
    change: Mapping[str, Any], row: Row[Any] | None, index: int, known: Known, triggers: TriggerManager
) -> Ahead | None:
    given = {key: value for key, value in change.items() if key not in ("task", "takes", "remove")}
    keeps_time = row is not None and not says_when(given)
    whole = {"name": f"what if {index}", **UNNAMED, **given}
    if row is not None:
        whole = config_of(row) | _time(row, given, keeps_time=keeps_time) | given
    try:
        config = TaskConfig.model_validate(whole)
        trigger, first = triggers.trigger_for(config)
        takes = None if change.get("takes") is None else parse_duration(change["takes"]).total_seconds()
    except ValidationError as error:
        refuse("INVALID_CONFIG", f"what_if[{index}] is no task config", problems=problems_of(error))
    except (TriggerError, ValueError) as error:
        refuse("INVALID_CONFIG", f"what_if[{index}]: {error}")
    if keeps_time and row is not None:
        first = row.next_execution
    work = _work(config, row.id if row is not None else f"what-if-{index}", known)
    work = replace(work, own_minute=own_minute(trigger, f"{config.module_id}/{config.key or config.name}"))
    work = work if takes is None else replace(work, seconds=takes, measured=False)
    most = config.max_executions
    if row is not None and most is not None:
        most = max(most - row.execution_count, 0)
    return None if first is None or config.paused else Ahead(work, trigger, first, most)


def _time(row: Row[Any], given: Mapping[str, Any], *, keeps_time: bool) -> dict[str, Any]:
    if not set(given).isdisjoint(WAYS):
        return {}
    trigger = readable(trigger_of, row.trigger)
    return {"trigger": trigger if keeps_time else without_calendars(trigger)}  # only other calendars are given


def _work(config: TaskConfig, task_id: str, known: Known) -> Work:
    seconds, measured = known.seconds(task_id, function_key(config.module_id, config.function_name))
    shared = config.concurrency_key
    return Work(
        task_id,
        config.name,
        seconds,
        config.queue,
        config.priority,
        config.when_open,
        config.max_instances,
        task_id if shared is None else f"{config.module_id}/{shared}",
        config.jitter.total_seconds(),
        measured,
    )
