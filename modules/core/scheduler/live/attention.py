"""What needs somebody's attention: each task once, for the most pressing reason, with what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum, auto
from itertools import groupby, takewhile
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.deadlines import SET_ASIDE, expectation
from modules.core.scheduler.execution import Reason, State
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.store import overview as store
from modules.core.scheduler.task import Status

LATE = timedelta(minutes=1)  # after which what is due counts as late
LONG = timedelta(days=7)  # for which a task may be paused, and how far back failures are looked for
DAY = timedelta(days=1)
STOPPED = (Status.CANCELLED, Status.PAUSED)  # somebody has seen to it
MOST_FAILED = 1_000  # tasks that have failed lately, and are looked at
MOST_RECURRING = 60  # of them, recurring ones
IN_A_ROW = 10  # failures that are counted one by one
MOST_EXPECTED, NEWEST = 100, 20  # tasks with a deadline, and of each the newest executions
MOST_PAUSED = 100
MOST_SHOWN = 5  # of each need


class Need(StrEnum):
    """Why a task needs attention, the most pressing reason first."""

    DEADLINE_MISSED = auto()
    SET_ASIDE = auto()
    FAILING = auto()
    FUNCTION_MISSING = auto()
    LATE = auto()
    FAILED_ONCE = auto()
    """One-time tasks that have failed for good, told together."""
    LONG_PAUSED = auto()


PRESSING = {need: place for place, need in enumerate(Need)}


@dataclass(frozen=True, slots=True)
class Wanting:
    """One task that needs attention, since when, and what to do; `execution_id` is the one to look at."""

    need: Need
    task_id: str | None
    task: str | None
    since: datetime | None
    text: str
    advice: str
    execution_id: str | None = None


def counted(number: int, *, is_cut: bool = False) -> dict[str, Any]:
    """Return how many there are, and whether there may be more."""
    return {"count": number, "is_cut": is_cut}


def attention(c: Connection, now: datetime) -> dict[str, Any]:
    """Return `{"late", "failing", "failed_once", "attention", "others"}` as `SchedulerService.overview` does."""
    late = late_tasks(c, now)
    failing, failed_once, is_cut = _failures(c, now)
    once = [] if failed_once is None else [failed_once[0]]
    wanting = [*_missed_deadlines(c, now), *_paused(c, now), *failing, *_without_function(c), *late, *once]
    first: dict[str | None, Wanting] = {}
    for each in sorted(wanting, key=_order):
        first.setdefault(each.task_id, each)
    longest = max(((now - each.since).total_seconds() for each in late if each.since is not None), default=0.0)
    return {
        "late": counted(len(late), is_cut=len(late) >= store.LOOKED_AT) | {"longest": longest},
        "failing": counted(len(failing), is_cut=is_cut),
        "failed_once": counted(0 if failed_once is None else failed_once[1], is_cut=is_cut),
        **_shown(list(first.values())),
    }


def _shown(wanting: Sequence[Wanting]) -> dict[str, Any]:
    """Return the first of each need, so that many of one do not hide the others, and how many others there are."""
    shown: list[dict[str, Any]] = []
    others = Counter[str]()
    for _, alike in groupby(wanting, key=lambda each: each.need):
        rows = [asdict(each) for each in alike]
        shown += rows[:MOST_SHOWN]
        others[rows[0]["need"].value] = len(rows[MOST_SHOWN:])
    return {"attention": shown, "others": {need: count for need, count in others.items() if count}}


def _order(wanting: Wanting) -> tuple[int, str]:
    return PRESSING[wanting.need], "" if wanting.since is None else wanting.since.isoformat()


def late_tasks(c: Connection, now: datetime) -> list[Wanting]:
    """Return the tasks of which something should have begun, the longest late first."""
    before = now - LATE
    in_line = store.late_in_line(c, before)
    found = {task_id: (row.name, in_line[task_id]) for task_id, row in store.tasks_of(c, in_line).items()}
    for row in store.late_tasks(c, before):
        found[row.id] = (row.name, min(row.since, in_line.get(row.id, row.since)))
    text, advice = "due, and not begun", "see what it waits for"
    late = [Wanting(Need.LATE, task_id, name, since, text, advice) for task_id, (name, since) in found.items()]
    return sorted(late, key=_order)


def _failures(c: Connection, now: datetime) -> tuple[list[Wanting], tuple[Wanting, int] | None, bool]:
    """Return the recurring tasks whose last run failed, what is told of the one-time ones, and whether that is all."""
    failed = store.failed_since(c, now - LONG)
    ids = list(failed)
    known = store.tasks_of(c, ids[:MOST_FAILED])
    living = [task_id for task_id in ids if task_id in known and known[task_id].status not in STOPPED]
    recurring = [task_id for task_id in living if known[task_id].recurring]
    runs = store.newest_of(c, recurring[:MOST_RECURRING], IN_A_ROW)
    failing = [each for task_id in runs for each in _failing(known[task_id], runs[task_id], failed[task_id])]
    is_cut = len(ids) > MOST_FAILED or len(recurring) > MOST_RECURRING
    once = [each for each in living if known[each].status == Status.FAILED and failed[each] > now - DAY]
    return failing, _failed_once([known[each].name for each in once]), is_cut


def _failing(task: Row[Any], runs: Sequence[Row[Any]], last: datetime) -> Iterator[Wanting]:
    """Yield a task that keeps the error of its last run; what was skipped since may hide the run itself."""
    if task.last_error is None:
        return
    told = [run for run in runs if run.state in (*store.FAILED, State.SUCCEEDED)]
    failed = list(takewhile(lambda run: run.state != State.SUCCEEDED, told))
    number = f"{len(failed)} or more" if len(failed) >= IN_A_ROW else f"{len(failed)}"
    text = f"its last {number} runs failed" if len(failed) > 1 else "its last run failed"
    said = task.last_error.strip().partition("\n")[0][:200]
    since, execution_id = (failed[-1].end_time, failed[0].id) if failed else (last, None)
    advice = "look at the failure; mended, run it now"
    yield Wanting(Need.FAILING, task.id, task.name, since, f"{text}: {said}", advice, execution_id)


def _failed_once(names: Sequence[str]) -> tuple[Wanting, int] | None:
    if not names:
        return None
    text = f"{names[0]} failed" if len(names) == 1 else f"{len(names):,} one-time tasks failed"
    advice = "look at what they say, and try them again"
    return Wanting(Need.FAILED_ONCE, None, None, None, f"{text} in the last 24 hours", advice), len(names)


def _without_function(c: Connection) -> Iterator[Wanting]:
    stuck: dict[str, list[Row[Any]]] = {}
    for row in store.without_function(c):
        stuck.setdefault(row.event_id, []).append(row)
    known = store.tasks_of(c, stuck)
    for task_id, task in known.items():
        rows = stuck[task_id]
        waits = "its execution waits" if len(rows) == 1 else f"{len(rows):,} executions wait"
        text = f"{waits} for {rows[0].function_key}, which no node has"
        advice, since = "start a node with the module that registers it", min(row.due_at for row in rows)
        yield Wanting(Need.FUNCTION_MISSING, task_id, task.name, since, text, advice)


def _paused(c: Connection, now: datetime) -> Iterator[Wanting]:
    for row in store.paused(c, now - LONG, SET_ASIDE, MOST_PAUSED):
        if row.status_reason == Reason.CRASH_LIMIT:
            text, advice = "set aside: it kept killing its node", "mend it, then resume it"
            yield Wanting(Need.SET_ASIDE, row.id, row.name, row.since, text, advice)
        elif row.status_reason == Reason.CORRUPT_DEFINITION:
            text, advice = "set aside: its stored definition cannot be read", "schedule it anew"
            yield Wanting(Need.SET_ASIDE, row.id, row.name, row.since, text, advice)
        else:
            text = "paused for more than 7 days" + (f": {row.status_reason}" if row.status_reason else "")
            yield Wanting(Need.LONG_PAUSED, row.id, row.name, row.since, text, "resume it, or cancel it")


def _missed_deadlines(c: Connection, now: datetime) -> Iterator[Wanting]:
    rows = store.expected_next(c, MOST_EXPECTED)
    runs = store.newest_of(c, [row.id for row in rows], NEWEST)
    for row in rows:
        missed = _deadline(row, runs[row.id], now)
        if missed is not None:
            text = f"due at {missed[0]:%Y-%m-%d %H:%M:%S} UTC, it has not succeeded by its deadline"
            yield Wanting(Need.DEADLINE_MISSED, row.id, row.name, missed[1], text, "see why, and run it now")


def _deadline(task: Row[Any], runs: Sequence[Row[Any]], now: datetime) -> tuple[datetime, datetime] | None:
    """Return the last occurrence whose time was up, and its deadline, where nothing has succeeded since."""
    if task.expected_at <= now:  # nobody has looked yet
        nominal, by = task.expected_for, task.expected_at
    else:
        scheduled = [run.scheduled_for for run in runs if run.origin == "schedule"]
        nominal = max((moment for moment in scheduled if moment < task.expected_for), default=None)
        try:
            by = expectation(policies_of(task.policies), nominal, task.timezone)["expected_at"]
        except ValueError:  # damaged: the next firing sets it aside
            return None
    if nominal is None or by is None or by > now:
        return None
    later = [run for run in runs if run.scheduled_for >= nominal]
    is_settled = any(run.state == State.SUCCEEDED or run.reason == Reason.SKIPPED_BY_REQUEST for run in later)
    return None if is_settled or any(run.origin == "shift" for run in later) else (nominal, by)
