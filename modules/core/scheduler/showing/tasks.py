"""How tasks and executions, given as the plain dicts of the services, read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from framework.duration import in_words
from framework.terminal import PROGRAM, minute_text, moment_text, span
from modules.core.scheduler.functions import MASK
from modules.core.scheduler.policies import Policies, policies_of
from modules.core.scheduler.status import in_human_words

Shown = Mapping[str, Any]

TASK_COLUMNS = ("NEXT", "LEFT", "LAST", "PASSED", "STATE", "RUNS", "TASK", "TRIGGER")
TASK_FIT = {"spare": ("LAST", "RUNS"), "elastic": ("TASK", "TRIGGER")}
EXECUTION_COLUMNS = ("SCHEDULED", "TASK", "ATTEMPT", "STATE", "REASON", "TOOK", "ERROR", "ID")
EXECUTION_FIT = {"spare": ("ATTEMPT", "REASON", "TOOK", "ERROR", "SCHEDULED"), "elastic": ("TASK", "REASON", "ERROR")}
LONGEST_ERROR = 60  # of a row; `--json` gives all of it

OVERLAPS = {
    "skip": "skip: while {max_instances} of it is open, another is left out",
    "queue": "queue: {max_instances} of it at a time, and up to {max_queued} wait",
    "allow": "allow: any number of it at a time",
    "replace": "replace: the newest takes the place of those before it",
}
CATCH_UPS = {
    "latest": "latest: one run for all that were missed",
    "all": "all: one run for each that was missed, at most the newest {catch_up_limit}",
    "none": "none: what was missed does not run",
}
DELIVERIES = {
    "at_least_once": "at least once: a run that was cut off is repeated",
    "at_most_once": "at most once: no run is ever repeated",
}


def next_first(tasks: Iterable[Shown]) -> list[Shown]:
    """Return the tasks, those that come next first."""
    return sorted(tasks, key=lambda task: float("inf") if (following := _next(task)) is None else following.timestamp())


def task_rows(tasks: Iterable[Shown], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `TASK_COLUMNS` for each task."""
    return [_task_row(task, now) for task in tasks]


def _task_row(task: Shown, now: datetime) -> tuple[str, ...]:
    following, last = _next(task), task["last_execution"]
    passed = "-" if last is None else span(now - last)
    mark = "!!" if needs_attention(task) else "ok" if last is not None else ""
    return (
        minute_text(following),
        "-" if following is None else span(following - now),
        "-" if last is None else _short(last, now),
        f"{passed} {mark}".rstrip(),
        state(task),
        runs(task),
        task["name"],
        task["schedule"],
    )


def _next(task: Shown) -> datetime | None:
    """Return when a task fires next; one that is held has no such time."""
    moment: datetime | None = task["next_execution"]
    return moment if task["status"] in ("pending", "running") else None


def _short(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(), now.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == today.date() else f"{local:%Y-%m-%d}"


def runs(task: Shown) -> str:
    """Return how often a task has run, of how many times where that is bounded."""
    count, most = task["execution_count"], task["max_executions"]
    return str(count) if most is None else f"{count}/{most}"


def state(task: Shown) -> str:
    """Return a task's status, or `blocked` where what is open waits for a function that nobody has."""
    is_blocked = task["status"] == "running" and task["blocked_reason"] is not None
    return "blocked" if is_blocked else str(task["status"])


def needs_attention(task: Shown) -> bool:
    """Tell whether somebody should look at a task: it failed, or its last run did, or it cannot run."""
    return state(task) in ("failed", "blocked") or (task["last_error"] is not None and task["status"] != "cancelled")


def verdict(tasks: Sequence[Shown]) -> str:
    """Return how many tasks were shown, and the command that tells what is wrong with the first that needs it."""
    if not tasks:
        return "no tasks"
    counted = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}"
    troubled = [task for task in tasks if needs_attention(task)]
    if not troubled:
        return counted
    verb = "needs" if len(troubled) == 1 else "need"
    first = troubled[0]["id"]
    is_blocked = state(troubled[0]) == "blocked"
    look = f"tasks show {first}" if is_blocked else f"executions list --task {first} --failed"
    return f"{counted}, {len(troubled)} {verb} attention: {PROGRAM} {look}"


def task_facts(task: Shown, now: datetime) -> list[tuple[str, str]]:
    """Return what there is to know of a task, as `(label, text)`; what is empty is left out."""
    following, zone = _next(task), f" ({task['timezone']})"
    facts = [
        ("task", task["name"]),
        ("id", task["id"]),
        ("description", task["description"]),
        ("function", f"{task['module_id']}:{task['function_name']}"),
        ("state", " ".join(filter(None, (state(task), task["status_reason"])))),
        ("blocked", task["blocked_reason"]),
        ("trigger", f"{task['schedule'].removesuffix(zone)}{zone}"),
        ("next", "" if following is None else f"{moment_text(following)}, {in_human_words(following, now)}"),
        ("last", "" if task["last_execution"] is None else moment_text(task["last_execution"])),
        ("last error", _one_line(task["last_error"])),
        ("runs", runs(task)),
        ("parameters", _parameters(task["parameters"])),
        *policies(task),
        ("priority", str(task["priority"] or "")),
        ("tags", ", ".join(task["tags"])),
        ("key", task["key"]),
    ]
    return [(label, text) for label, text in facts if text]


def scheduled(name: str, told: Shown, now: datetime) -> str:
    """Return in one line that a task is stored, and when it comes next."""
    verb = "scheduled" if told["created"] else "was there, and is as asked for"
    return f"{name}: {verb}, {_comes(told['next_execution'], now)}; its id is {told['task_id']}"


def edited(task: Shown, now: datetime) -> str:
    """Return in one line that a task is changed, and when it comes next."""
    return f"{task['name']}: changed, {task['schedule']}, {_comes(_next(task), now)}"


def _comes(following: datetime | None, now: datetime) -> str:
    if following is None:
        return "no time to come"
    return f"next {minute_text(following)}, {in_human_words(following, now)}"


def policies(task: Shown) -> list[tuple[str, str]]:
    """Return a task's policies in words, as `(label, text)`."""
    try:
        stored = policies_of(json.dumps(None if "corrupt" in task["policies"] else task["policies"]))
    except ValueError:
        return [("policies", "unreadable")]
    values = {**asdict(stored), "max_instances": task["max_instances"], "overlap": task["overlap"]}
    return [
        ("time limit", "" if stored.timeout is None else _span(stored.timeout)),
        ("retries", _retries(stored)),
        ("overlap", OVERLAPS.get(task["overlap"], "{overlap}").format(**values)),
        ("catch-up", CATCH_UPS.get(stored.catch_up, "{catch_up}").format(**values)),
        ("grace", "" if stored.grace is None else f"missed where it is later than {_span(stored.grace)}"),
        ("jitter", f"starts up to {_span(stored.jitter)} later" if stored.jitter else ""),
        ("delivery", DELIVERIES.get(task["delivery"], str(task["delivery"]))),
        *_asked_for(stored),
    ]


def _asked_for(stored: Policies) -> list[tuple[str, str]]:
    """Return in words what a task has only where somebody asked for it."""
    told = [
        ("rate", "" if stored.rate_limit is None else _rate(*stored.rate_limit)),
        ("expected", _expected(stored.expected_by)),
        ("pings", stored.ping_url or ""),
        ("failing", stored.ping_failure_url or ""),
    ]
    return [(label, text) for label, text in told if text]


def _rate(count: int, seconds: float) -> str:
    return f"at most {count:,} start{'' if count == 1 else 's'} in {_span(seconds)}"


def _expected(by: float | str | None) -> str:
    if by is None:
        return ""
    return f"to have succeeded by {by}" if isinstance(by, str) else f"to have succeeded {_span(by)} after its time"


def _retries(stored: Policies) -> str:
    if not stored.max_retries:
        return "none"
    growing = f", each wait {stored.retry_backoff:g} times as long" if stored.retry_backoff != 1 else ""
    most = f", at most {_span(stored.retry_max_delay)}" if growing else ""
    return f"{stored.max_retries}, the first after {_span(stored.retry_delay)}{growing}{most}"


def _span(seconds: float) -> str:
    return in_words(timedelta(seconds=seconds))


def execution_rows(executions: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `EXECUTION_COLUMNS` for each execution."""
    return [
        (
            _stamp(each["scheduled_for"]),
            each["task_name"],
            str(each["attempt"]),
            each["state"],
            each["reason"] or "-",
            "-" if each["duration"] is None else took(each["duration"]),
            _shortened(_one_line(each["error"])) or "-",
            each["id"],
        )
        for each in executions
    ]


def _stamp(moment: datetime) -> str:
    """Return a moment on this machine's clock, short enough to stand beside an id."""
    local = moment.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def took(seconds: float) -> str:
    """Return how long something took: `12 ms`, `3.2 s`, `5m 10s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else span(timedelta(seconds=seconds))


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_ERROR else text[: LONGEST_ERROR - 1] + "…"


def _parameters(parameters: Mapping[str, Any]) -> str:
    """Say what is given; where all of it is masked, this process does not know the function, nor what is secret."""
    if parameters and all(value == MASK for value in parameters.values()):
        return f"{', '.join(parameters)} (values are shown only where the function is registered)"
    return _json(parameters)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if value else ""
