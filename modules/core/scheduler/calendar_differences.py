"""What calendars that have changed would change: their definitions, and the next times of the tasks that carry them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework import strict_json
from modules.core.scheduler.differences import Difference, home_of, next_times
from modules.core.scheduler.refreezing import AT_ONCE, Definitions, following, outdated
from modules.core.scheduler.store import calendars
from modules.core.scheduler.store.cleanups import CARRY_OUT
from modules.core.scheduler.trigger.frozen import digest_of, refrozen

FOLLOWS = "a calendar of it has changed"


def told_of(row: Row[Any]) -> Difference:
    """Return what names a stored task, or the cleanup that it carries out, in a difference."""
    kind = "cleanup" if (row.module_id, row.function_name) == CARRY_OUT else "task"
    names = {name: getattr(row, name) for name in ("module_id", "name", "function_name", "declared_by")}
    return {"kind": kind, **names}


def with_calendars(c: Connection, now: datetime, found: Sequence[Difference], current: Definitions) -> list[Difference]:
    """Return differences together with the calendars that are stored otherwise, and the tasks whose next times move.

    Of the tasks that carry them the first 200 are looked at; how many there are, each calendar says.
    """
    stamps = outdated(c, current)
    moved = {}
    for row in calendars.carrying(c, stamps, AT_ONCE, locked=False) if stamps else []:
        before, after = next_times(row.trigger, row.next_execution), _next_times(c, now, row, current)
        if before != after:
            times = {"next_before": before, "next_after": after, "timezone": home_of(row.trigger, row.timezone)}
            moved[row.id] = told_of(row) | {"action": "change", "task_id": row.id, "changes": {}} | times
    told = [_moved(each, moved.pop(each["task_id"], None)) for each in found]
    following_them = [each | {"message": FOLLOWS} for each in moved.values()]
    return [*told, *_redefined(c, current, stamps), *following_them]


def _moved(each: Difference, moved: Difference | None) -> Difference:
    """Return a difference that is there already with what becomes of its next times, unless it has its own."""
    if moved is None or each["action"] not in ("same", "change") or each["next_before"]:
        return each
    told = {"next_before": moved["next_before"], "next_after": moved["next_after"], "message": FOLLOWS}
    return each | {"action": "change"} | told


def _next_times(c: Connection, now: datetime, row: Row[Any], current: Definitions) -> list[datetime]:
    try:
        text = strict_json.dumps(refrozen(strict_json.loads(row.trigger), current.get))
        first = None if row.next_execution is None else following(c, row, text, now)
    except ValueError:
        return []
    return next_times(text, first)


def _redefined(c: Connection, current: Definitions, stamps: Mapping[str, int]) -> list[Difference]:
    carried: Counter[str] = Counter()
    for stamp, count in stamps.items():
        carried.update(dict.fromkeys(calendars.names_in(stamp), count))
    return [
        _redefinition(row, current[row.name], carried[row.name])
        for row in calendars.everything(c)
        if row.name in current and _differ(row.definition, current[row.name])
    ]


def _redefinition(row: Row[Any], definition: Mapping[str, Any], tasks: int) -> Difference:
    before = strict_json.loads(row.definition)
    fields: Collection[str] = [name for name in {**before, **definition} if before.get(name) != definition.get(name)]
    changes = {name: {"before": before.get(name), "after": definition.get(name)} for name in fields}
    named = {"kind": "calendar", "module_id": row.module_id, "name": row.name, "declared_by": row.module_id}
    message = f"{tasks} {'task carries' if tasks == 1 else 'tasks carry'} it"
    told = {"action": "change", "task_id": None, "changes": changes, "message": message}
    return named | told | {"next_before": [], "next_after": []}


def _differ(stored: str, definition: Mapping[str, Any]) -> bool:
    return digest_of(strict_json.loads(stored)) != digest_of(definition)
