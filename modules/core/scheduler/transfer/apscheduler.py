"""Reads the jobs of an APScheduler 3 job store: each becomes the config of a task, or is refused with the reason.

Job stores hold pickles, which are never loaded: they are read as plain data, and only what a job of APScheduler
consists of is understood. Meaning as in APScheduler 3.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.core.scheduler.transfer.apscheduler_triggers import trigger_of_job
from modules.core.scheduler.transfer.apscheduler_values import plain
from modules.core.scheduler.transfer.inert_pickle import PickleError, read_pickle, shown

VERSION = 1
MAX_KEY = 180


@dataclass(frozen=True, slots=True)
class Job:
    """What became of one job: the config of a task, or the `reason` why there is none, and what else is to be said."""

    job_id: str
    config: dict[str, Any] | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


def read_job(job_id: str, state: bytes, functions: Mapping[str, tuple[str, str]]) -> Job:
    """Return what became of a job, given the bytes of its state.

    `functions` are `(module_id, function_name)` by the reference that they stand in for, such as `shop.jobs:send`.
    """
    try:
        stored = read_pickle(state)
    except PickleError as error:
        return Job(job_id, reason=f"its state cannot be read: {error}")
    if not isinstance(stored, dict) or stored.get("version") != VERSION or not isinstance(stored.get("func"), str):
        return Job(job_id, reason=f"its state is no job of APScheduler 3: {shown(stored)}")
    try:
        return Job(job_id, _config(job_id, stored, functions), notes=tuple(_notes(stored)))
    except (ValueError, KeyError, TypeError) as error:
        told = f"its {error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        return Job(job_id, reason=told)


def _config(job_id: str, stored: Mapping[str, Any], functions: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    function = stored["func"]
    if function not in functions:
        raise ValueError(f"nothing stands for {function:.100}: add --map '{function:.100}=module:function'")
    if stored.get("args"):
        raise ValueError("it has arguments without names (args), and a task's parameters have names: give it kwargs")
    try:
        parameters = plain(stored.get("kwargs") or {})
    except ValueError as error:
        raise ValueError(f"its kwargs hold {error}") from None
    module_id, function_name = functions[function]
    name = stored.get("name") if isinstance(stored.get("name"), str) else job_id
    named = {"name": str(name)[:100], "module_id": module_id, "function_name": function_name}
    return (
        named
        | _policies(stored)
        | trigger_of_job(stored["trigger"])
        | {
            "key": f"apscheduler:{job_id}"[:MAX_KEY],
            "parameters": parameters,
            "paused": stored.get("next_run_time") is None,
            "tags": ["apscheduler"],
        }
    )


def _policies(stored: Mapping[str, Any]) -> dict[str, Any]:
    grace, most = stored.get("misfire_grace_time"), stored.get("max_instances")
    policies: dict[str, Any] = {"catch_up": "latest" if stored.get("coalesce") else "all"}
    if grace is not None:
        policies["misfire_grace_time"] = _number(grace, "misfire_grace_time")
    return policies | {"max_instances": 1 if most is None else int(_number(most, "max_instances"))}


def _number(value: Any, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"its {field} is no number")  # noqa: TRY004  # the data is wrong, not the program
    return value


def _notes(stored: Mapping[str, Any]) -> list[str]:
    notes = []
    if stored.get("executor") not in (None, "default"):
        notes.append(f"its executor {shown(stored['executor'])} is not carried over; `executor` says where a task runs")
    grace = stored.get("misfire_grace_time")
    if isinstance(grace, (int, float)) and grace <= 1:
        notes.append("what is more than a second late does not run (misfire_grace_time, by default 1 in APScheduler)")
    return notes
