"""Which occurrences run, and which are only recorded, when a task's time has come: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from modules.core.scheduler.execution import Reason
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.trigger import Trigger

MICROSECOND = timedelta(microseconds=1)
COUNTED = timedelta(days=20 * 365.25)  # nobody sleeps longer: it is a clock that went wrong
ON_TIME = timedelta(minutes=1)  # with `none` and no grace time, what is later than this counts as missed


@dataclass(frozen=True, slots=True)
class Run:
    """An occurrence to carry out; it may stand for `missed_count` earlier ones, the first at `missed_since`.

    `starts_at` is when, where it has been moved away from its nominal time.
    """

    scheduled_for: datetime
    missed_count: int = 0
    missed_since: datetime | None = None
    one_at_a_time: bool = False
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """Occurrences that do not run: `count` of them from `since` to `scheduled_for`."""

    scheduled_for: datetime
    count: int
    since: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Firing:
    """What becomes of the occurrences that are due, oldest first, and the trigger's next nominal time."""

    runs: tuple[Run, ...]
    missed: Missed | None
    next_execution: datetime | None


def decide(trigger: Trigger, nominal: datetime, now: datetime, policies: Policies, room: int | None) -> Firing:
    """Apply the catch-up policy to the occurrences from `nominal` to `now`, without a step for each of them.

    Of a sleep of more than `COUNTED`, the rows begin with the first one within it: what they count is what there was.
    `room` is how many occurrences may still start (None: no bound); the rest are not recorded, the task is complete.
    """
    nominal = first_counted(trigger, nominal, now)
    total = 1 + trigger.count_between(nominal, now)
    newest = (trigger.latest_until(now, nominal) if total > 1 else None) or nominal
    if policies.catch_up == "all" and total > 1:
        runs, missed = _all(trigger, nominal, newest, total, now, policies)
    else:
        runs, missed = _newest(trigger, nominal, newest, total, now, policies)
    return Firing(runs if room is None else runs[:room], missed, trigger.next_after(max(now, newest)))


def first_counted(trigger: Trigger, nominal: datetime, now: datetime) -> datetime:
    """Return the occurrence from which on those up to now are counted: `nominal`, or the first of twenty years."""
    if now - nominal <= COUNTED or not trigger.count_between(now - COUNTED, now):
        return nominal
    return trigger.next_after(now - COUNTED) or nominal


Decision = tuple[tuple[Run, ...], Missed | None]


def _newest(
    trigger: Trigger, nominal: datetime, newest: datetime, total: int, now: datetime, policies: Policies
) -> Decision:
    grace = _grace(policies)
    if grace is not None and now - newest > grace:
        reason = Reason.MISFIRE_GRACE if policies.grace is not None else Reason.CATCH_UP_NONE
        return (), Missed(newest, total, nominal, reason)
    if total == 1:
        return (Run(newest),), None
    if policies.catch_up == "none":
        before = trigger.latest_until(newest - MICROSECOND, nominal) or nominal
        return (Run(newest),), Missed(before, total - 1, nominal, Reason.CATCH_UP_NONE)
    return (Run(newest, total - 1, nominal),), None


def _all(
    trigger: Trigger, nominal: datetime, newest: datetime, total: int, now: datetime, policies: Policies
) -> Decision:
    kept: list[datetime] = []
    moment: datetime | None = newest
    while moment is not None and len(kept) < policies.catch_up_limit and not _too_late(moment, now, policies):
        kept.append(moment)
        earlier = trigger.latest_until(moment - MICROSECOND, nominal) if moment > nominal else None
        moment = earlier or (nominal if moment > nominal else None)
    runs = tuple(Run(each, one_at_a_time=True) for each in reversed(kept))
    if moment is None:
        return runs, None
    reason = Reason.MISFIRE_GRACE if _too_late(moment, now, policies) else Reason.CATCH_UP_LIMIT
    return runs, Missed(moment, total - len(kept), nominal, reason)


def _grace(policies: Policies) -> timedelta | None:
    if policies.grace is not None:
        return timedelta(seconds=policies.grace)
    return ON_TIME if policies.catch_up == "none" else None


def _too_late(moment: datetime, now: datetime, policies: Policies) -> bool:
    return policies.grace is not None and now - moment > timedelta(seconds=policies.grace)
