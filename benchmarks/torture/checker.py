"""The checker: proves from the tables and the ledger that nothing was lost, completed twice or left unexplained.

It shares nothing with the product but the names of tables and columns: every rule is written anew, from the contract.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

from benchmarks.torture.evidence import Evidence, Row
from benchmarks.torture.explained import (
    only_what_is_allowed,
    set_aside_only_after_its_crashes,
    what_was_asked_for_was_tried,
)

OPEN = {"pending", "running"}
NEVER_RAN = {"skipped", "missed"}
SUCCESS = {"succeeded": True, "failed": False, "timed_out": False, "lost": False}
STATES = {*OPEN, *NEVER_RAN, *SUCCESS, "cancelled"}
FOLLOWED = {"lost", "failed", "timed_out", "cancelled"}  # what another attempt may follow
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}
ENDED = {"completed", "failed", "cancelled"}

Rule = Callable[[Evidence], Iterator[str]]


def check(
    evidence: Evidence, *, earliest: float | None = None, settled: bool = True, allowed: Collection[str] = ()
) -> list[str]:
    """Return what is wrong, one sentence each; none means proven.

    `allowed`: what may become of an execution here beside success, see `explained.py`.

    `settled`: everything should have ended. `earliest`: no function may start so many seconds before its time, by the
    machine's own clock; None where the torment moves that clock.
    """
    found = [complaint for rule in ALWAYS for complaint in rule(evidence)]
    found += only_what_is_allowed(evidence, allowed)
    if settled:
        found += [complaint for rule in IN_THE_END for complaint in rule(evidence)]
    if earliest is not None:
        found += _too_early(evidence, earliest)
    return found


def _named(row: Row) -> str:
    return f"{row['event_id']} at {row['scheduled_for']:%H:%M:%S.%f} attempt {row['attempt']} ({row['state']})"


def rows_are_unique(evidence: Evidence) -> Iterator[str]:
    """One row for each task, nominal time and attempt; no row without its task."""
    counted = Counter((row["event_id"], row["scheduled_for"], row["attempt"]) for row in evidence.rows)
    yield from (f"{count} rows for {event} at {moment}" for (event, moment, _), count in counted.items() if count > 1)
    yield from (f"a row without a task: {row['id']}" for row in evidence.orphans)


def rows_say_what_they_are(evidence: Evidence) -> Iterator[str]:
    """State, success, moments and keys of a row agree with each other."""
    for row in evidence.rows:
        state, is_open = row["state"], row["state"] in OPEN
        success = None if row["success"] is None else bool(row["success"])
        agree = (
            state in STATES
            and success == SUCCESS.get(state)
            and (row["end_time"] is None) == is_open
            and (is_open or row["open_key"] is None)
            and (row["attempt"] == 0) == (state in NEVER_RAN)
            and (state not in {"running", "succeeded"} or row["start_time"] is not None)
            and (state in {"pending", "running", "succeeded", "failed", "timed_out"} or row["reason"] is not None)
        )
        if not agree:
            yield f"a row contradicts itself: {_named(row)}"


def one_open_for_each_key(evidence: Evidence) -> Iterator[str]:
    """A key is held by one execution at most, and no more are open than the task allows."""
    keys = Counter(row["open_key"] for row in evidence.rows if row["open_key"] is not None)
    yield from (f"key {key} is held {count} times" for key, count in keys.items() if count > 1)
    for task in evidence.tasks:
        opened = sum(row["state"] in OPEN for row in evidence.by_task.get(task["id"], ()))
        if task["overlap"] == "skip" and opened > task["max_instances"]:
            yield f"{opened} executions of {task['id']} are open"


def attempts_have_no_gaps(evidence: Evidence) -> Iterator[str]:
    """Attempts count from 1, each follows one that ended without success, and at most one succeeds: the last."""
    for (event, moment), rows in evidence.occurrences.items():
        if [row["attempt"] for row in rows] != list(range(1, len(rows) + 1)):
            yield f"{event} at {moment}: attempts {[row['attempt'] for row in rows]}"
        yield from (f"followed by another attempt: {_named(row)}" for row in rows[:-1] if row["state"] not in FOLLOWED)
        if sum(row["state"] == "succeeded" for row in rows) > 1:
            yield f"completed twice: {event} at {moment}"


def what_ran_has_its_row(evidence: Evidence) -> Iterator[str]:
    """Every start has a row that says so; no row was started twice; nothing that ran still waits."""
    for execution, entries in evidence.starts.items():
        row = evidence.by_id.get(execution)
        if row is None:
            yield f"started without a row: {execution} of {entries[0].task}"
        elif (
            row["attempt"] != entries[0].attempt
            or datetime.fromisoformat(entries[0].scheduled_for) != row["scheduled_for"]
        ):
            yield f"started as something else: {_named(row)}"
        elif row["state"] == "pending" or row["start_time"] is None:
            yield f"started, and its row does not say so: {_named(row)}"
        if len(entries) > 1:
            yield f"started {len(entries)} times: {execution} of {entries[0].task}"


def what_succeeded_ended_once(evidence: Evidence) -> Iterator[str]:
    """A row that succeeded belongs to exactly one run that came to its end."""
    for row in evidence.rows:
        ends = len(evidence.ends.get(row["id"], ()))
        if row["state"] == "succeeded" and ends != 1:
            yield f"succeeded, and came to its end {ends} times: {_named(row)}"


def at_most_once_starts_once(evidence: Evidence) -> Iterator[str]:
    """What is to run at most once is never started twice, whatever became of it."""
    starts: Counter[tuple[str, str]] = Counter()
    for entries in evidence.starts.values():
        task = evidence.task_by_id.get(entries[0].task)
        if task is not None and task["delivery"] == "at_most_once":
            starts[entries[0].task, entries[0].scheduled_for] += len(entries)
    yield from (f"at most once, and started {count} times: {key}" for key, count in starts.items() if count > 1)


def runs_of_a_task_overlap_only_where_one_was_lost(evidence: Evidence) -> Iterator[str]:
    """Two runs of a task at the same time are explained by a lost row: a node that was taken for dead, and lived."""
    for task in evidence.tasks:
        if task["overlap"] == "allow" or task["max_instances"] != 1:
            continue
        rows = [row for row in evidence.by_task.get(task["id"], ()) if row["id"] in evidence.starts]
        spans = sorted(_span(evidence, row) for row in rows)
        for (_, ended, state, first), (began, _, _, second) in itertools.pairwise(spans):
            if ended is not None and began < ended and state not in {"lost", "cancelled", "failed"}:
                yield f"{first} and {second} of {task['id']} ran at the same time"


def _span(evidence: Evidence, row: Row) -> tuple[int, int | None, str, str]:
    ends = evidence.ends.get(row["id"])
    return evidence.starts[row["id"]][0].tick, ends[0].tick if ends else None, row["state"], row["id"]


def nothing_is_open(evidence: Evidence) -> Iterator[str]:
    """When everything has ended no row is open, and no task still waits for something that never comes."""
    yield from (f"still open: {_named(row)}" for row in evidence.rows if row["state"] in OPEN)
    for task in evidence.tasks:
        if not task["recurring"] and task["status"] not in ENDED:
            yield f"a one-time task that never ended: {task['id']} ({task['status']})"
        if task["recurring"] and not _has_ended_or_goes_on(task):
            yield f"a recurring task that stands still: {task['id']} ({task['status']})"


def _has_ended_or_goes_on(task: Row) -> bool:
    if task["status"] == "pending":
        return task["max_executions"] is None and task["next_execution"] is not None
    return task["status"] in ENDED or (task["status"], task["status_reason"]) == ("paused", "CRASH_LIMIT")


def what_was_acknowledged_is_there(evidence: Evidence) -> Iterator[str]:
    """Every task whose scheduling was answered is stored, and was carried out or its end explained."""
    yield from (f"acknowledged and lost: {task}" for task in evidence.acknowledged - evidence.task_by_id.keys())
    for task in evidence.tasks:
        if task["id"] not in evidence.by_task:
            yield f"a task without any row: {task['id']}"


def every_occurrence_comes_to_an_end(evidence: Evidence) -> Iterator[str]:
    """What was cut off is run again, unless it may run only once, was cancelled, or is set aside with its reason."""
    for (event, _), rows in evidence.occurrences.items():
        last, task = rows[-1], evidence.task_by_id[event]
        if task["delivery"] == "at_most_once" or task["status"] == "cancelled":
            continue
        if last["state"] == "lost" or (last["state"] == "cancelled" and last["reason"] == "SHUTDOWN"):
            yield f"cut off and not run again: {_named(last)}"


def no_nominal_time_is_skipped(evidence: Evidence) -> Iterator[str]:
    """Of a task at an interval each nominal time from the first promised on has its row, or a later one counts it."""
    for task in evidence.tasks:
        if not task["recurring"] or task["interval_type"] not in SECONDS:
            continue
        step = timedelta(seconds=SECONDS[task["interval_type"]] * task["interval_value"])
        rows = [row for row in evidence.by_task.get(task["id"], ()) if row["origin"] == "schedule"]
        moments = {row["scheduled_for"]: row for row in rows}
        first = evidence.promised.get(task["id"])
        before_first = [] if first is None else [first - step]
        for before, moment in itertools.pairwise([*before_first, *moments]):
            missed, counted = round((moment - before) / step) - 1, moments[moment]["missed_count"]
            if missed != counted:
                yield f"{missed} nominal times of {task['id']} before {moment}, {counted} counted"
        yield from _after_the_last(task, rows, step)


def _after_the_last(task: Row, rows: list[Row], step: timedelta) -> Iterator[str]:
    fired = len({row["scheduled_for"] for row in rows if row["attempt"] > 0})
    if task["status"] == "completed" and fired != task["max_executions"]:
        yield f"{task['id']} ended after {fired} of {task['max_executions']} occurrences"
    if task["status"] == "pending" and rows and task["next_execution"] is not None:
        left_out = round((task["next_execution"] - rows[-1]["scheduled_for"]) / step) - 1
        if left_out:
            yield f"{left_out} nominal times of {task['id']} after {rows[-1]['scheduled_for']} without a row"


def counts_are_right(evidence: Evidence) -> Iterator[str]:
    """A task's count is the number of its occurrences that were fired, and stays within its maximum."""
    for task in evidence.tasks:
        rows = evidence.by_task.get(task["id"], ())
        fired = {row["scheduled_for"] for row in rows if row["origin"] == "schedule" and row["attempt"] > 0}
        if task["execution_count"] != len(fired):
            yield f"{task['id']} counts {task['execution_count']} occurrences and has {len(fired)}"
        if task["max_executions"] is not None and len(fired) > task["max_executions"]:
            yield f"{task['id']} was fired {len(fired)} times, at most {task['max_executions']} are allowed"


def _too_early(evidence: Evidence, earliest: float) -> Iterator[str]:
    for entries in evidence.starts.values():
        early = datetime.fromisoformat(entries[0].scheduled_for).timestamp() - entries[0].wall
        if early > earliest:
            yield f"started {early:.1f} s early: {entries[0].execution}"


ALWAYS: tuple[Rule, ...] = (
    rows_are_unique,
    rows_say_what_they_are,
    one_open_for_each_key,
    attempts_have_no_gaps,
    what_ran_has_its_row,
    what_succeeded_ended_once,
    at_most_once_starts_once,
    runs_of_a_task_overlap_only_where_one_was_lost,
)
IN_THE_END: tuple[Rule, ...] = (
    nothing_is_open,
    what_was_acknowledged_is_there,
    what_was_asked_for_was_tried,
    every_occurrence_comes_to_an_end,
    set_aside_only_after_its_crashes,
    no_nominal_time_is_skipped,
    counts_are_right,
)
