"""A look: what has happened since the last one, read from the database in one snapshot, as events."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from modules.core.scheduler.live import telling
from modules.core.scheduler.live.live_event import reset
from modules.core.scheduler.store import happenings

OVERLAP = timedelta(seconds=3)  # a commit may come so much later than the moment that stands in its rows
MOST_FACTS = 10_000  # facts of one kind that a look goes through
MOST_ROWS = 1_000  # of which so many may be new
MOST_LINES = 1_000

Find = Callable[[Connection, datetime, int], Sequence[Any]]
Read = Callable[[Connection, Collection[str]], Sequence[Row[Any]]]
TOO_MANY = reset("TOO_MANY", "more has happened than is told one by one; look at what there is")


@dataclass
class Seen:
    """What has been told, the moment before which nothing is looked at, and what there was at the last look."""

    since: datetime
    facts: dict[Any, datetime] = field(default_factory=dict)
    running: dict[str, Row[Any]] | None = None
    nodes: dict[str, Row[Any]] | None = None
    held: dict[str, Row[Any]] | None = None


class TooManyError(Exception):
    """More has happened since the last look than can be told one by one."""


def look(c: Connection, seen: Seen, now: datetime, lines: Mapping[str, int]) -> tuple[list[dict[str, Any]], Seen]:
    """Return events in the order in which they make sense, and what has been seen by then.

    `lines` are the executions whose log is followed, with the number behind which their lines are wanted.
    """
    floor, seen = seen.since, replace(seen, facts=dict(seen.facts))
    try:
        found = _all(c, seen, floor, now, lines)
    except TooManyError:
        seen.facts, seen.since = {}, now
        _running(c, seen, now)
        return [TOO_MANY], seen
    seen.since = max(floor, now - OVERLAP)
    seen.facts = {fact: moment for fact, moment in seen.facts.items() if moment > seen.since}
    return found, seen


def _all(c: Connection, seen: Seen, floor: datetime, now: datetime, lines: Mapping[str, int]) -> list[dict[str, Any]]:
    created = _fresh(c, seen, "task", happenings.created_tasks)
    changed = _fresh(c, seen, "task", happenings.changed_tasks)
    ended = _fresh(c, seen, "ended", happenings.ended_executions)
    made = _news(seen, "made", happenings.new_executions(c, floor, MOST_FACTS), now)
    started, progress = _running(c, seen, floor)
    rows = {row.id: row for row in _rows(happenings.executions_of, c, {*made, *started, *ended})}
    return [
        *(telling.of_task(row, created) for row in _rows(happenings.tasks_of, c, {*created, *changed})),
        *(telling.of_execution(rows[each]) for each in made if _waits(rows.get(each), floor)),
        *(telling.of_execution(rows[each]) for each in started if each in rows and each not in ended),
        *progress,
        *(telling.of_line(row) for row in (happenings.lines_behind(c, lines, MOST_LINES) if lines else ())),
        *(telling.of_execution(rows[each]) for each in ended if each in rows),
        *_reports(c, seen, floor, now),
        *_nodes(c, seen, floor),
        *_held(c, seen, floor),
    ]


def _fresh(c: Connection, seen: Seen, kind: str, find: Find) -> list[str]:
    """Return the ids of facts that have not been told, in order."""
    found = find(c, seen.since, MOST_FACTS)
    if len(found) == MOST_FACTS:
        raise TooManyError
    fresh = [(moment, row_id) for moment, row_id in found if (kind, row_id, moment) not in seen.facts]
    seen.facts |= {(kind, row_id, moment): moment for moment, row_id in fresh}
    return list(dict.fromkeys(row_id for _, row_id in fresh))


def _news(seen: Seen, kind: str, ids: Sequence[str], now: datetime) -> list[str]:
    """The same of facts that have no moment but that of the look which finds them."""
    if len(ids) == MOST_FACTS:
        raise TooManyError
    fresh = [each for each in ids if (kind, each) not in seen.facts]
    seen.facts |= {(kind, each): now + OVERLAP for each in ids}
    return fresh


def _rows(read: Read, c: Connection, ids: set[str]) -> Sequence[Row[Any]]:
    if len(ids) > MOST_ROWS:
        raise TooManyError
    return read(c, sorted(ids)) if ids else ()


def _waits(row: Row[Any] | None, floor: datetime) -> bool:
    """Whether a new execution is still to be told of: what runs or has ended already is told as that."""
    return row is not None and row.state == "pending" and row.created_at > floor


def _running(c: Connection, seen: Seen, floor: datetime) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the executions that have started or been asked to stop since the last look, and what progress there is."""
    before, seen.running = seen.running, {row.id: row for row in happenings.running(c, MOST_FACTS)}
    told, progress = [], []
    for row in seen.running.values():
        last = None if before is None else before.get(row.id)
        is_new = row.start_time > floor if before is None else last is None
        if is_new or (last is not None and telling.is_asked(row) != telling.is_asked(last)):
            told.append(row.id)
        if row.progress is not None and (last is None or row.progress != last.progress):
            progress.append(telling.of_progress(row))
    return told, progress


def _reports(c: Connection, seen: Seen, floor: datetime, now: datetime) -> list[dict[str, Any]]:
    rows = {row.id: row for row in happenings.reports(c, floor, MOST_ROWS)}
    told = [telling.of_report(rows[each]) for each in _news(seen, "report", list(rows), now)]
    return [each for each in told if each["at"] > floor]


def _nodes(c: Connection, seen: Seen, floor: datetime) -> list[dict[str, Any]]:
    before, seen.nodes = seen.nodes, {row.id: row for row in happenings.living(c)}
    if before is None:
        return [telling.of_node(row, "joined") for row in seen.nodes.values() if row.started_at > floor]
    joined = [telling.of_node(row, "joined") for row in seen.nodes.values() if row.id not in before]
    left = [telling.of_node(row, "left") for row in before.values() if row.id not in seen.nodes]
    both = [(before[each], row) for each, row in seen.nodes.items() if each in before]
    changed = [(last, row) for last, row in both if last.draining_since != row.draining_since]
    return [
        *joined,
        *left,
        *(telling.of_node(row, "draining" if row.draining_since else "claiming") for _, row in changed),
    ]


def _held(c: Connection, seen: Seen, floor: datetime) -> list[dict[str, Any]]:
    before, seen.held = seen.held, {row.scope: row for row in happenings.held(c)}
    if before is None:
        return [telling.of_pause(row, "paused") for row in seen.held.values() if row.since > floor]
    paused = [row for scope, row in seen.held.items() if scope not in before or before[scope] != row]
    resumed = [row for scope, row in before.items() if scope not in seen.held]
    return [
        *(telling.of_pause(row, "paused") for row in paused),
        *(telling.of_pause(row, "resumed") for row in resumed),
    ]
