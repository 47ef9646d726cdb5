"""Which occurrences run, and which are only recorded, when a task's time has come: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from modules.core.scheduler.execution import Reason
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.trigger import AnyOf, Trigger

MICROSECOND = timedelta(microseconds=1)
COUNTED = timedelta(days=20 * 365.25)  # nobody sleeps longer: it is a clock that went wrong
ON_TIME = timedelta(minutes=1)  # after the end, or with `none` and no grace time, what is later counts as missed


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


class Allowed(NamedTuple):
    """By how much an occurrence may be late (None: by any time), and why what is later counts as missed."""

    late: timedelta | None
    reason: Reason


def ends_at(trigger: Trigger) -> datetime | None:
    """Return the end that a trigger was given, the earliest of those that bound it; None where it was given none."""
    inner = getattr(trigger, "trigger", None)
    within = [ends_at(each) for each in getattr(trigger, "triggers", [] if inner is None else [inner])]
    ends = [end for end in within if end is not None]
    if isinstance(trigger, AnyOf):  # which goes on until all of them have ended
        return max(ends) if len(ends) == len(within) else None
    own = getattr(trigger, "end", None)
    return min(ends if own is None else [*ends, own], default=None)


def is_too_late(trigger: Trigger, occurrence: datetime, now: datetime) -> bool:
    """Tell whether an occurrence does not start any more: it is not on time, and its trigger has ended."""
    if now - occurrence <= ON_TIME:
        return False
    end = ends_at(trigger)
    return end is not None and end < now


def decide(trigger: Trigger, nominal: datetime, now: datetime, policies: Policies, room: int | None) -> Firing:
    """Apply the catch-up policy to the occurrences from `nominal` to `now`, without a step for each of them.

    Of a sleep of more than `COUNTED`, the rows begin with the first one within it: what they count is what there was.
    `room` is how many occurrences may still start (None: no bound); the rest are not recorded, the task is complete.
    """
    nominal = first_counted(trigger, nominal, now)
    total = 1 + trigger.count_between(nominal, now)
    newest = (trigger.latest_until(now, nominal) if total > 1 else None) or nominal
    allowed = _allowed(trigger, nominal, now, policies)
    if policies.catch_up == "all" and total > 1:
        runs, missed = _all(trigger, nominal, newest, total, now, policies.catch_up_limit, allowed)
    else:
        runs, missed = _newest(trigger, nominal, newest, total, now, policies.catch_up, allowed)
    return Firing(runs if room is None else runs[:room], missed, trigger.next_after(max(now, newest)))


def first_counted(trigger: Trigger, nominal: datetime, now: datetime) -> datetime:
    """Return the occurrence from which on those up to now are counted: `nominal`, or the first of twenty years."""
    if now - nominal <= COUNTED or not trigger.count_between(now - COUNTED, now):
        return nominal
    return trigger.next_after(now - COUNTED) or nominal


Decision = tuple[tuple[Run, ...], Missed | None]


def _newest(
    trigger: Trigger, nominal: datetime, newest: datetime, total: int, now: datetime, catch_up: str, allowed: Allowed
) -> Decision:
    if allowed.late is not None and now - newest > allowed.late:
        return (), Missed(newest, total, nominal, allowed.reason)
    if total == 1:
        return (Run(newest),), None
    if catch_up == "none":
        before = trigger.latest_until(newest - MICROSECOND, nominal) or nominal
        return (Run(newest),), Missed(before, total - 1, nominal, Reason.CATCH_UP_NONE)
    return (Run(newest, total - 1, nominal),), None


def _all(
    trigger: Trigger, nominal: datetime, newest: datetime, total: int, now: datetime, most: int, allowed: Allowed
) -> Decision:
    earliest = nominal if allowed.late is None else now - allowed.late
    kept: list[datetime] = []
    moment: datetime | None = newest
    while moment is not None and len(kept) < most and moment >= earliest:
        kept.append(moment)
        earlier = trigger.latest_until(moment - MICROSECOND, nominal) if moment > nominal else None
        moment = earlier or (nominal if moment > nominal else None)
    runs = tuple(Run(each, one_at_a_time=True) for each in reversed(kept))
    if moment is None:
        return runs, None
    reason = allowed.reason if moment < earliest else Reason.CATCH_UP_LIMIT
    return runs, Missed(moment, total - len(kept), nominal, reason)


def _allowed(trigger: Trigger, nominal: datetime, now: datetime, policies: Policies) -> Allowed:
    grace = None if policies.grace is None else timedelta(seconds=policies.grace)
    if (grace is None or grace > ON_TIME) and is_too_late(trigger, nominal, now):
        return Allowed(ON_TIME, Reason.ENDED)
    if grace is None and policies.catch_up == "none":
        return Allowed(ON_TIME, Reason.CATCH_UP_NONE)
    return Allowed(grace, Reason.MISFIRE_GRACE)
