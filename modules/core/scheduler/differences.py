"""What a definition would change: a plan beside the row that is there, field by field, and the next times of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from framework.result import ResultError
from modules.core.scheduler.alike import Plan
from modules.core.scheduler.creating import has_vanished, says_another_time, says_otherwise
from modules.core.scheduler.exporting import config_of
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.task import Status
from modules.core.scheduler.trigger import times_from
from modules.core.scheduler.trigger.notes import zone_of

SHOWN_TIMES = 3
WRITTEN = ("action", "kind", "module_id", "name")  # what tells one difference from another

Difference = dict[str, Any]
Mask = Callable[[Mapping[str, Any]], dict[str, Any]]


def difference(plan: Plan, row: Row[Any] | None, mask: Mask) -> Difference:
    """Return `{"action", "task_id", "timezone", "changes", "next_before", "next_after"}` of a planned task and its row.

    `action` is add, change or same; one to add has its `schedule` in words; `changes` are `{field: {"before",
    "after"}}`, secret parameters as `***`; of times there are the next three, and none where they stay as they are.
    """
    home = {"timezone": home_of(plan.when["trigger"], plan.when["timezone"])}
    if row is None:
        times = next_times(plan.when["trigger"], plan.when["next_execution"])
        added: Difference = {"action": "add", "task_id": None, "changes": {}, "next_before": [], "next_after": times}
        return added | home | {"schedule": _in_words(plan.when["trigger"], plan.when["timezone"])}
    changes: dict[str, Any] = {}
    before = after = []
    if has_vanished(row):
        changes["status"] = {"before": row.status_reason, "after": Status.PENDING.value}
    otherwise = plan.config.conflict == "update" and says_otherwise(plan, row)
    if otherwise:
        changes |= _changes(plan, row, mask)
    if otherwise and says_another_time(plan, row):
        before = next_times(row.trigger, row.next_execution)
        after = next_times(plan.when["trigger"], plan.when["next_execution"])
        changes["schedule"] = {
            "before": _in_words(row.trigger, row.timezone),
            "after": _in_words(plan.when["trigger"], plan.when["timezone"]),
        }
    action = "change" if otherwise or changes else "same"
    told = {"action": action, "task_id": row.id, "changes": changes, "next_before": before, "next_after": after}
    return told | home


def vanished(row: Row[Any]) -> Difference:
    """Return the difference of a task that is no longer declared: it would be disabled."""
    return {"action": "remove", "task_id": row.id, "changes": {}}


def times_of_vanished(row: Row[Any]) -> Difference:
    """Return what else is told of it, for which no transaction needs to wait."""
    times = next_times(row.trigger, row.next_execution)
    return {"timezone": home_of(row.trigger, row.timezone), "next_before": times, "next_after": []}


def next_times(trigger: str, first: datetime | None) -> list[datetime]:
    """Return the next times of a stored trigger, `first` and those after it, in UTC; none of one that is unreadable."""
    try:
        return times_from(trigger_of(trigger), first, SHOWN_TIMES)
    except ValueError:
        return []


def home_of(trigger: str, timezone: str) -> str:
    """Return the zone in whose clock the times of a stored trigger are told: its own, else that of its task."""
    try:
        return zone_of(trigger_of(trigger), timezone)
    except ValueError:
        return timezone


def unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{field: {"before", "after"}}` of the fields in which two configs differ; what one lacks is None."""
    names = [name for name in {**before, **after} if _plain(before.get(name)) != _plain(after.get(name))]
    return {name: {"before": before.get(name), "after": after.get(name)} for name in names}


def digest_of(differences: Iterable[Difference]) -> str:
    """Return a digest of what can be compared: all but moments that only follow from when one looks."""
    told = [
        [*(each.get(name) for name in WRITTEN), each["task_id"], _before(each)]
        for each in differences
        if each["action"] != "same"
    ]
    return hashlib.sha256(json.dumps(sorted(told, key=repr)).encode()).hexdigest()


def _before(each: Difference) -> list[Any]:
    return [[name, repr(change["before"])] for name, change in sorted(each["changes"].items())]


def _changes(plan: Plan, row: Row[Any], mask: Mask) -> dict[str, Any]:
    now_said = config_of(_as_row(plan))
    try:
        said = config_of(row)
    except ResultError as refusal:
        return {"definition": {"before": refusal.error.message, "after": "readable"}}
    changes = unlike(said, now_said)
    if "parameters" in changes:
        changes["parameters"] = {"before": mask(said), "after": mask(now_said)}
    return changes


def _as_row(plan: Plan) -> Any:
    """A plan has the columns of a row, as far as a config is made of them."""
    return SimpleNamespace(**plan.what, **plan.when)


def _in_words(trigger: str, timezone: str) -> str:
    try:
        return trigger_of(trigger).describe(timezone)
    except ValueError:
        return "unreadable"


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return value
