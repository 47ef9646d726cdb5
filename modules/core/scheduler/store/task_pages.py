"""Tasks by pages: a walk along an index from the newest back, which ends after so many rows even where few fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from framework import strict_json
from framework.database import Prepared, UtcDateTime, moment_of, unweighed
from modules.core.scheduler.store.tasks import is_far_off, is_open, is_pending, open_states
from modules.core.scheduler.tables import events, executions
from modules.core.scheduler.task import Status

MOST_LOOKED_AT = 50_000  # tasks, for one page or count
MOST_OPEN = 10_000  # tasks with an open execution, up to which these are where a list of them begins
UNSHOWN = {"timed_since", "calendars", "event", "after_task", "expected_for", "declared_by", "declared_as"}
UNSHOWN |= {"definition", "timing", "traceparent", "changed_at"}  # columns that no list of tasks shows
INTERVALS = ("interval", "after_end")  # as a trigger is stored
ESCAPE = "/"  # before what LIKE would take for a pattern
MOST_KEPT = 500  # statements
RARE = (Status.PAUSED, Status.FAILED, Status.CANCELLED)

_SPECIAL = re.compile("[/%_]")

Place = tuple[datetime, str]
Conditions = list[ColumnElement[bool]]

_place = tuple_(events.c.created_at, events.c.id)
_newest = (events.c.created_at.desc(), events.c.id.desc())
_newest_of_few = tuple(func.coalesce(column, column).desc() for column in (events.c.created_at, events.c.id))
"""The same order, for which no planner walks along the index of it."""
_after = tuple_(bindparam("after", type_=UtcDateTime()), bindparam("after_id", type_=Text()))
_end_place = tuple_(bindparam("end", type_=UtcDateTime()), bindparam("end_id", type_=Text()))
_most = bindparam("most", type_=Integer())
_passed_over = bindparam("passed_over", type_=Integer())
_of_its_own = select(executions.c.id).where(
    executions.c.event_id == events.c.id, executions.c.state.in_(open_states), ~is_far_off
)
_is_open_itself = _of_its_own.limit(literal_column("1")).offset(literal_column("0")).exists()
"""`is_open`, looked up for each task of a page: without the offset PostgreSQL may read all open executions instead."""
_opened = select(executions.c.event_id).where(executions.c.state.in_(open_states), ~is_far_off)


class Page(NamedTuple):
    """Tasks with `is_open` and without what is `UNSHOWN`, newest first.

    `goes_on` behind is the place from which nothing has been looked at yet.
    """

    rows: Sequence[Any]
    goes_on: Place | None


class _Asked(NamedTuple):
    """Which filters there are, whatever their values: what is asked alike is one statement.

    `status` is the word for one that is found in its own way, empty for any other.
    """

    names: frozenset[str]
    status: str
    is_few_open: bool


class _Walk(NamedTuple):
    """What an index leads to, and what is looked at on the way there."""

    led: Conditions
    looked_at: Conditions
    order: tuple[ColumnElement[Any], ...] = _newest

    @property
    def is_bounded(self) -> bool:
        """Whether it may meet many that do not fit."""
        return bool(self.looked_at) and self.order is _newest


def is_unfiltered(filters: Mapping[str, Any]) -> bool:
    """Tell whether a page is of all tasks, so that one plan is the best for each."""
    return not _names(filters)


def is_straight(filters: Mapping[str, Any]) -> bool:
    """Tell whether an index has the tasks of a page one beside the other, so that no others are looked at."""
    return _names(filters) <= {"module_id"}


def page(
    c: Connection, filters: Mapping[str, Any], *, limit: int, after: Place | None, is_unread: bool = False
) -> Page:
    """Return up to `limit` tasks behind `after` (created_at, id), fewer where the walk has ended before.

    `is_unread`: as the driver gives them.
    """
    asked, values = _asked(c, filters), _values(filters)
    values |= {} if after is None else {"after": after[0], "after_id": after[1]}
    end = _end(c, asked, values)
    values |= {} if end is None else {"end": end[0], "end_id": end[1]}
    query = _page_of(asked, after is not None, end is not None)
    rows = (query.unread if is_unread else query.rows)(c, most=limit + 1, **values)
    if len(rows) > limit:
        created_at: Any = moment_of(rows[limit - 1].created_at)
        return Page(rows[:limit], (created_at, rows[limit - 1].id))
    return Page(rows, end)


def count(c: Connection, filters: Mapping[str, Any], most: int) -> tuple[int, bool]:
    """Return how many tasks fit, counted no further than `most`, and whether that is not all of them."""
    asked, values = _asked(c, filters), _values(filters)
    end = _end(c, asked, values)
    values |= {} if end is None else {"end": end[0], "end_id": end[1]}
    number = _count_of(asked, end is not None).rows(c, most=most + 1, **values)[0][0]
    return min(number, most), number > most or end is not None


def _end(c: Connection, asked: _Asked, values: Mapping[str, Any]) -> Place | None:
    """Return the last place to look at, None where the walk comes to its end before."""
    if not _walk(asked).is_bounded:
        return None
    found = _end_of(asked, "after" in values).rows(c, passed_over=MOST_LOOKED_AT - 1, **values)
    return (found[0].created_at, found[0].id) if found else None


@lru_cache(maxsize=MOST_KEPT)
def _page_of(asked: _Asked, is_begun: bool, is_ended: bool) -> Prepared:
    query = select(*(column for column in events.c if column.name not in UNSHOWN), _is_open_itself.label("is_open"))
    return Prepared(_ordered(query, asked, is_begun=is_begun, is_ended=is_ended).limit(_most))


@lru_cache(maxsize=MOST_KEPT)
def _count_of(asked: _Asked, is_ended: bool) -> Prepared:
    found = _ordered(select(events.c.id), asked, is_begun=False, is_ended=is_ended).limit(_most)
    return Prepared(select(func.count()).select_from(found.subquery()))


@lru_cache(maxsize=MOST_KEPT)
def _end_of(asked: _Asked, is_begun: bool) -> Prepared:
    led = [*_walk(asked).led, *([_place < _after] if is_begun else [])]
    last = select(events.c.created_at, events.c.id).where(*led).order_by(*_newest)
    return Prepared(last.offset(_passed_over).limit(1))


def _ordered(query: Select[Any], asked: _Asked, *, is_begun: bool, is_ended: bool) -> Select[Any]:
    walk = _walk(asked)
    behind = [_place < _after] if is_begun else []
    before = [_place >= _end_place] if is_ended else []
    return query.where(*walk.led, *behind, *walk.looked_at, *before).order_by(*walk.order)


def _asked(c: Connection, filters: Mapping[str, Any]) -> _Asked:
    names = _names(filters)
    status = filters.get("status")
    if filters.get("trigger") == "interval":
        names.add("intervals")
    own_way = str(status) if status in (*RARE, Status.RUNNING, Status.PENDING) else ""
    return _Asked(frozenset(names), own_way, status == Status.RUNNING and _are_few_open(c))


def _names(filters: Mapping[str, Any]) -> set[str]:
    return {name for name, value in filters.items() if value is not None and (name != "search" or value)}


def _values(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the statement's parameters; one that has no place in it is not given to the database."""
    values = dict(filters)
    for name in ("search", "trigger"):
        if values.get(name) is not None:
            values[name] = _SPECIAL.sub(rf"{ESCAPE}\g<0>", values[name])
    if values.get("tag") is not None:
        values["tag"] = strict_json.dumps(values["tag"])
    return values


@lru_cache(maxsize=MOST_KEPT)
def _walk(asked: _Asked) -> _Walk:
    others = _others(asked.names)
    of_module = [events.c.module_id == _given("module_id")] if "module_id" in asked.names else []
    if "status" not in asked.names:
        return _Walk(of_module, others)
    if asked.status in RARE:  # written out, for only so a planner sees that the partial index has them all
        return _Walk([events.c.status == literal_column(f"'{Status(asked.status).value}'")], of_module + others)
    if asked.is_few_open:
        return _Walk([is_pending, events.c.id.in_(_opened)], of_module + others, _newest_of_few)
    return _Walk(of_module, [_has_status(asked.status), *others])


def _are_few_open(c: Connection) -> bool:
    some = _opened.limit(MOST_OPEN + 1).subquery()
    return c.execute(select(func.count()).select_from(some)).scalar_one() <= MOST_OPEN


def _has_status(status: str) -> ColumnElement[bool]:
    if status == Status.RUNNING:
        return unweighed(is_pending) & is_open
    if status == Status.PENDING:
        return unweighed(is_pending) & ~is_open
    return unweighed(events.c.status == _given("status"))


def _others(names: frozenset[str]) -> Conditions:
    """Return the conditions that no index knows."""
    wanted: Conditions = []
    if "function_name" in names:
        wanted.append(events.c.function_name == _given("function_name"))
    if "recurring" in names:
        wanted.append(events.c.recurring == bindparam("recurring", type_=Boolean()))
    if "tag" in names:
        # Not LIKE, which on SQLite finds "Night" in "night".
        wanted.append(func.replace(events.c.tags, _given("tag"), "") != events.c.tags)
    if "intervals" in names:
        wanted.append(or_(*(events.c.trigger.contains(f'"type":"{kind}"', autoescape=True) for kind in INTERVALS)))
    elif "trigger" in names:
        wanted.append(events.c.trigger.contains('"type":"' + _given("trigger") + '"', escape=ESCAPE))
    if "search" in names:
        in_name, in_text = (
            each.icontains(_given("search"), escape=ESCAPE) for each in (events.c.name, events.c.description)
        )
        wanted.append(or_(in_name, in_text))
    return [unweighed(*wanted)] if wanted else []


def _given(name: str) -> BindParameter[str]:
    return bindparam(name, type_=Text())
