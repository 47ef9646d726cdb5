"""A calendar that has changed applies to the tasks that carry it: the definition in their triggers is replaced."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.commands import account_for_pause, must_find
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.firing import fire_if_due, set_aside, trigger_of
from modules.core.scheduler.store import calendars, cleanups, occurrences, spans, tasks
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import Trigger
from modules.core.scheduler.trigger.frozen import digest_of, refrozen, stamp_of
from modules.core.scheduler.trigger_manager import DAWN

log = logging.getLogger(__name__)

AT_ONCE = 200

Definitions = Mapping[str, Mapping[str, Any]]


def refreeze(c: Connection, now: datetime, current: Definitions) -> int:
    """Give tasks that carry calendars of another definition the current one; return how many, at most `AT_ONCE`.

    A task that is due is fired first, and the next time of the others is found anew: no occurrence is lost.
    """
    stamps = outdated(c, current)
    rows = calendars.carrying(c, stamps, AT_ONCE) if stamps else []
    for row in rows:
        try:
            _refreeze(c, row, now, current)
        except ValueError as error:
            spans.end_pause(c, row, now)
            set_aside(c, row, now, error)
            tasks.revise(c, row.id, now, calendars=None)
    return len(rows)


def outdated(c: Connection, current: Definitions) -> dict[str, int]:
    """Return the stamps with a calendar of another definition than the current one, and how many tasks carry each."""
    digests = {name: digest_of(definition) for name, definition in current.items()}
    return {stamp: count for stamp, count in calendars.stamps(c).items() if _is_outdated(stamp, digests)}


def following(c: Connection, row: Row[Any], text: str, now: datetime) -> datetime | None:
    """Return the next time that a task has by another stored trigger; raises `ValueError` where that is unreadable."""
    return _next(c, row, trigger_of(text), now)


def _is_outdated(stamp: str, digests: Mapping[str, str]) -> bool:
    return any(digests.get(name, digest) != digest for name, digest in calendars.names_in(stamp).items())


def _refreeze(c: Connection, row: Row[Any], now: datetime, current: Definitions) -> None:
    stored = refrozen(strict_json.loads(row.trigger), current.get)
    text = strict_json.dumps(stored)
    trigger = trigger_of(text)
    fire_if_due(c, row, now)
    row = must_find(c, row.id)
    if row.status_reason != Reason.CALENDAR_EXCLUDES_ALL:  # with every time of it closed, none has passed
        account_for_pause(c, row, now)
    following = None if row.next_execution is None else _next(c, row, trigger, now)
    values: dict[str, Any] = {"trigger": text, "calendars": stamp_of(stored), "next_execution": following}
    values["timed_since"] = now
    if following is None and row.next_execution is not None:
        log.error("task %s has been paused: its calendars leave it no occurrence", row.id, extra={"task": row.id})
        values |= {"next_execution": row.next_execution, "status": Status.PAUSED}
        values["status_reason"] = Reason.CALENDAR_EXCLUDES_ALL
    elif row.status_reason == Reason.CALENDAR_EXCLUDES_ALL:
        values |= {"status": Status.PENDING, "status_reason": None}
    spans.end_pause(c, row, now)
    tasks.revise(c, row.id, now, **values)
    cleanups.keep_in_step(c, row)


def _next(c: Connection, row: Row[Any], trigger: Trigger, now: datetime) -> datetime | None:
    """Return a recurring trigger's next time, and that of a one-time one even where it has passed."""
    return trigger.next_after(occurrences.accounted_until(c, row.id, now) if trigger.recurring else DAWN)
