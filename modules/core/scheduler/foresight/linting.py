"""Findings: what about a schedule will surprise somebody, each with a stable code and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf
from typing import Any

from framework.duration import in_words
from modules.core.scheduler.foresight.crowds import crowds
from modules.core.scheduler.foresight.forecasting import Ahead, Scene
from modules.core.scheduler.foresight.simulating import Work
from modules.core.scheduler.placing import function_key
from modules.core.scheduler.shell_command import RUN_COMMAND
from modules.core.scheduler.trigger import Cron, Trigger, pauses_after_each_run
from modules.core.scheduler.trigger.notes import gaps_ahead, parts

YEAR, WEEK, HOUR = timedelta(days=366), timedelta(days=7), timedelta(hours=1)
NEAR_LIMIT = 0.8  # of a time limit, what the longest success may take
STEPS = 5  # occurrences whose distances are looked at
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; `task_id` and `task`, its name, are None where it is about all of them."""

    code: str
    severity: str
    task_id: str | None
    task: str | None
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Linted:
    """What is known of one pending task; `took` are the seconds of its last successes, `timeout` its limit.

    `since` is when it was made or changed, `last_execution` when it ran last; None where that is not known, or never.
    """

    work: Work
    trigger: Trigger
    next_execution: datetime | None
    is_open: bool
    waits_for_event: bool
    timeout: float
    took: Sequence[float]
    function: str
    since: datetime | None = None
    last_execution: datetime | None = None
    timezone: str | None = None


def findings_of_trigger(trigger: Trigger, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Yield code, text and advice of what is odd about a trigger by itself, in the year to come."""
    gaps = gaps_ahead(trigger, now, now + YEAR)
    if gaps:
        yield "FIXED_TIME_IN_GAP", gaps[0], "choose an hour that the clocks do not leave out, or the timezone UTC"
    for part in parts(trigger):
        if isinstance(part.trigger, Cron) and part.trigger.day_match == "any" and _restricts_both(part.trigger):
            text = f"cron {part.trigger.expression!r} restricts day and day_of_week: it runs where either matches"
            yield "DAY_AND_WEEKDAY", text, "leave one of them `*`, or say `day_match` `all` in a trigger dict"


def _restricts_both(trigger: Cron) -> bool:
    days = trigger.times.days
    return days.days is not None and days.weekdays is not None


def findings_of_task(task: Linted, now: datetime, functions: frozenset[str] | None) -> Iterator[Finding]:
    """Yield what is odd about a task; `functions` are those that living nodes have, None where no node lives."""
    told = [(code, WARNING, text, advice) for code, text, advice in findings_of_trigger(task.trigger, now)]
    told += [*_never_again(task), *_never_ran(task, now), *_about_durations(task)]
    if functions is not None and task.function not in functions:
        text = f"no living node has its function {task.function}"
        told.append(("FUNCTION_MISSING", ERROR, text, _how_to_have(task.function)))
    for code, severity, text, advice in told:
        yield Finding(code, severity, task.work.task_id, task.work.name, text, advice)


def _how_to_have(function: str) -> str:
    if function == function_key(*RUN_COMMAND):
        return "allow commands where nodes run: CORE_SCHEDULER_ALLOW_COMMANDS=true"
    return "start a node with the module that registers it"


def _never_again(task: Linted) -> Iterator[tuple[str, str, str, str]]:
    if task.next_execution is None and not task.is_open and not task.waits_for_event:
        text = f"it is pending and has no next time: {task.trigger.describe(task.timezone)}"
        yield "NEVER_AGAIN", WARNING, text, "give it a new time, or cancel it"


def _never_ran(task: Linted, now: datetime) -> Iterator[tuple[str, str, str, str]]:
    if task.since is None or task.last_execution is not None or task.is_open:
        return
    first = task.trigger.next_after(task.since)
    if first is not None and first < now - HOUR:
        text = f"it should have run first at {first:%Y-%m-%d %H:%M} UTC, and has never run"
        yield "NEVER_RAN", WARNING, text, "see why it did not run"
    elif first is None and task.waits_for_event and task.since < now - WEEK:
        text = f"it has waited for more than a week, {task.trigger.describe()}, and has never run"
        yield "NEVER_RAN", WARNING, text, "see that somebody emits its event, or cancel it"


def _about_durations(task: Linted) -> Iterator[tuple[str, str, str, str]]:
    if not task.took:
        return
    interval = _shortest_interval(task)
    usual = timedelta(seconds=round(task.work.seconds, 1))
    if interval is not None and task.work.seconds > interval.total_seconds():
        text = f"it usually takes {in_words(usual)}, and comes every {in_words(interval)}"
        advice = "let it come less often, make it shorter, or have the next one begin after the end of the last"
        yield "OUTLASTS_INTERVAL", WARNING, text, advice
    longest = max(task.took)
    if longest > NEAR_LIMIT * task.timeout:
        limit, took = (in_words(timedelta(seconds=round(seconds, 1))) for seconds in (task.timeout, longest))
        text = f"its time limit is {limit}, and a success took {took}"
        yield "SHORT_TIMEOUT", WARNING, text, "raise its timeout"


def _shortest_interval(task: Linted) -> timedelta | None:
    """Return the shortest distance between the occurrences that come next; None where there is but one, or a pause."""
    if pauses_after_each_run(task.trigger):
        return None
    shortest, moment = None, task.next_execution
    for _ in range(STEPS):
        following = None if moment is None else task.trigger.next_after(moment)
        if moment is None or following is None:
            break
        shortest = min(shortest or following - moment, following - moment)
        moment = following
    return shortest


def findings_of_forecast(given: Scene, forecast: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is odd about all tasks together, on the slots there are."""
    wanted = sum(_wanted(given).values()) / max(given.slots.total, 1)
    if wanted > 1:
        text = f"what is due until {given.window.until:%Y-%m-%d %H:%M} UTC takes {ceil(wanted * 100)}% of the slots"
        yield Finding(
            "MORE_WORK_THAN_SLOTS", ERROR, None, None, text, "add nodes or slots, or let tasks come less often"
        )
    else:
        yield from _about_queues(given)
    for pile_up in forecast["pile_ups"]:
        how_often = "" if pile_up["times"] == 1 else f", and {pile_up['times'] - 1} times more"
        text = f"{pile_up['count']} tasks are due at {pile_up['at']:%Y-%m-%d %H:%M:%S} UTC{how_often}: "
        text += f"{pile_up['waited']} of them have to wait"
        yield Finding("MANY_AT_ONCE", WARNING, None, None, text, _best(pile_up["advice"]))


def _best(advice: Sequence[Mapping[str, Any]]) -> str:
    if not advice:
        return "add slots: moving them within the hour would not help"
    best = advice[0]
    before, after = (f"{each['waiting']} wait, up to {_span(each['late'])}" for each in (best["before"], best["after"]))
    return f"{best['text']}: now {before}; then {after}"


def _span(seconds: float) -> str:
    return in_words(timedelta(seconds=round(seconds)))


def findings_of_crowds(tasks: Sequence[Ahead], forecast: Mapping[str, Any], now: datetime) -> Iterator[Finding]:
    """Yield where many tasks come at one instant and find slots; of those that find none the forecast tells."""
    piled_up = [{task["id"] for task in pile_up["tasks"]} for pile_up in forecast["pile_ups"]]
    for crowd in crowds(tasks, now):
        if any({work.task_id for work in crowd.works} <= pile_up for pile_up in piled_up):
            continue
        how_often = "" if crowd.times == 1 else f", and {crowd.times - 1} times more within the month"
        text = f"{len(crowd.works)} tasks are due at the same instant, {crowd.at:%Y-%m-%d %H:%M:%S} UTC{how_often}"
        advice = "spread them: `H` for the minute in their crons, a `jitter`, or times of their own"
        yield Finding("SAME_INSTANT", WARNING, None, None, text, advice)


def _about_queues(given: Scene) -> Iterator[Finding]:
    for queue, wanted in sorted(_wanted(given).items()):
        slots = given.slots.of(queue)
        if slots == 0:
            text = f"tasks of queue {queue!r} are due, and it is paused, or no node serves it"
            yield Finding("QUEUE_NOT_SERVED", ERROR, None, None, text, "resume it, or give a node slots for it")
        elif wanted > slots:
            text = f"what is due in queue {queue!r} takes {ceil(wanted / slots * 100)}% of its slots"
            yield Finding("MORE_WORK_THAN_SLOTS", ERROR, None, None, text, "give it more slots, or less to do")


def _wanted(given: Scene) -> dict[str, float]:
    """Return how many slots the work of each queue takes all the time.

    What may run beside itself so many times takes no more slots than that: what comes meanwhile is skipped or waits,
    and further slots would not help.
    """
    seconds = max((given.window.until - given.window.start).total_seconds(), 1.0)
    by_limit: dict[tuple[str, str], float] = {}
    most: dict[tuple[str, str], float] = {}
    for run in given.runs:
        limit = run.work.queue, run.work.limit_key
        by_limit[limit] = by_limit.get(limit, 0.0) + run.work.seconds / seconds
        most[limit] = inf if run.work.overlap == "allow" else max(most.get(limit, 0.0), run.work.most)
    wanted: dict[str, float] = {}
    for limit, slots in by_limit.items():
        wanted[limit[0]] = wanted.get(limit[0], 0.0) + min(slots, most[limit])
    return wanted
