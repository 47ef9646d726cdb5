"""Tasks by pages: a walk along an index from the newest back, which ends after so many rows even where few fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, literal_column, or_, select, tuple_

from framework import strict_json
from modules.core.scheduler.store.tasks import is_far_off, is_open, is_pending, open_states
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status

MOST_LOOKED_AT = 50_000  # tasks, for one page or count
MOST_OPEN = 10_000  # tasks with an open execution, up to which these are where a list of them begins
INTERVALS = ("interval", "after_end")  # as a trigger is stored
RARE = (Status.PAUSED, Status.FAILED, Status.CANCELLED)

Place = tuple[datetime, str]
Conditions = list[ColumnElement[bool]]

_place = tuple_(events.c.created_at, events.c.id)
_newest = (events.c.created_at.desc(), events.c.id.desc())
_newest_of_few = tuple(func.coalesce(column, column).desc() for column in (events.c.created_at, events.c.id))
"""The same order, for which no planner walks along the index of it."""
_opened = select(executions.c.event_id).where(executions.c.state.in_(open_states), ~is_far_off)


class Page(NamedTuple):
    """Tasks with `is_open`, newest first; `goes_on` behind is the place from which nothing has been looked at yet."""

    rows: Sequence[Row[Any]]
    goes_on: Place | None


class _Walk(NamedTuple):
    """What an index leads to, and what is looked at on the way there."""

    led: Conditions
    looked_at: Conditions
    order: tuple[ColumnElement[Any], ...] = _newest


def page(c: Connection, filters: Mapping[str, Any], *, limit: int, after: Place | None) -> Page:
    """Return up to `limit` tasks behind `after` (created_at, id), fewer where the walk has ended before."""
    walk = _walk(c, filters)
    begun = walk.led if after is None else [*walk.led, _place < tuple_(*after)]
    end = _end(c, begun) if walk.looked_at and walk.order is _newest else None
    wanted = [*begun, *walk.looked_at, *([] if end is None else [_place >= tuple_(*end)])]
    query = select(events, is_open.label("is_open")).where(*wanted).order_by(*walk.order)
    rows = c.execute(query.limit(limit + 1)).all()
    if len(rows) > limit:
        return Page(rows[:limit], (rows[limit - 1].created_at, rows[limit - 1].id))
    return Page(rows, end)


def count(c: Connection, filters: Mapping[str, Any], most: int) -> tuple[int, bool]:
    """Return how many tasks fit, counted no further than `most`, and whether that is not all of them."""
    walk = _walk(c, filters)
    end = _end(c, walk.led) if walk.looked_at and walk.order is _newest else None
    wanted = [*walk.led, *walk.looked_at, *([] if end is None else [_place >= tuple_(*end)])]
    found = select(events.c.id).where(*wanted).order_by(*walk.order).limit(most + 1)
    number = c.execute(select(func.count()).select_from(found.subquery())).scalar_one()
    return min(number, most), number > most or end is not None


def _end(c: Connection, led: Conditions) -> Place | None:
    """Return the last place to look at, None where the walk comes to its end before."""
    last = select(events.c.created_at, events.c.id).where(*led).order_by(*_newest)
    found = c.execute(last.offset(MOST_LOOKED_AT - 1).limit(1)).one_or_none()
    return None if found is None else (found.created_at, found.id)


def _walk(c: Connection, filters: Mapping[str, Any]) -> _Walk:
    status, module_id = filters.get("status"), filters.get("module_id")
    others = _others(filters)
    of_module = [] if module_id is None else [events.c.module_id == module_id]
    if status is None:
        return _Walk(of_module, others)
    if status in RARE:  # written out, for only so a planner sees that the partial index has them all
        return _Walk([events.c.status == literal_column(f"'{Status(status).value}'")], of_module + others)
    if status == Status.RUNNING and _are_few_open(c):
        return _Walk([is_pending, events.c.id.in_(_opened)], of_module + others, _newest_of_few)
    return _Walk(of_module, [_has_status(status), *others])


def _are_few_open(c: Connection) -> bool:
    some = _opened.limit(MOST_OPEN + 1).subquery()
    return c.execute(select(func.count()).select_from(some)).scalar_one() <= MOST_OPEN


def _has_status(status: str) -> ColumnElement[bool]:
    if status == Status.RUNNING:
        return is_pending & is_open
    if status == Status.PENDING:
        return is_pending & ~is_open
    return events.c.status == status


def _others(filters: Mapping[str, Any]) -> Conditions:
    """Return the conditions that no index knows."""
    wanted: Conditions = []
    if (function_name := filters.get("function_name")) is not None:
        wanted.append(events.c.function_name == function_name)
    if (recurring := filters.get("recurring")) is not None:
        wanted.append(events.c.recurring == recurring)
    if (tag := filters.get("tag")) is not None:
        # Not LIKE, which on SQLite finds "Night" in "night".
        wanted.append(func.replace(events.c.tags, strict_json.dumps(tag), "") != events.c.tags)
    if (trigger := filters.get("trigger")) is not None:
        kinds = INTERVALS if trigger == "interval" else (trigger,)
        wanted.append(or_(*(events.c.trigger.contains(f'"type":"{kind}"', autoescape=True) for kind in kinds)))
    if search := filters.get("search"):
        in_name = events.c.name.icontains(search, autoescape=True)
        wanted.append(or_(in_name, events.c.description.icontains(search, autoescape=True)))
    return wanted
