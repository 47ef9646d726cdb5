"""How a plan reads on a terminal: a line for each difference, its fields before and after, and the next times.

Times stand in the zone of their task, as its schedule does; those of before a change of the zone in that of before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from modules.core.scheduler.showing.occurrences import at_home

Shown = Mapping[str, Any]

SIGNS = {"add": "+", "change": "~", "remove": "-", "refused": "!", "later": "?", "starting": "="}
WRITES = ("add", "change", "remove")
MEANINGS = {
    "remove": "is no longer declared, and would be disabled",
    "starting": "is scheduled while starting, and left alone",
}


def has_difference(plan: Shown) -> bool:
    """Whether applying a plan would change anything, or something in it is refused."""
    counts: Mapping[str, int] = plan["counts"]
    return any(counts[action] for action in (*WRITES, "refused"))


def plan_lines(plan: Shown) -> list[str]:
    """Return the lines of a plan: what differs, then a summary."""
    counts = plan["counts"]
    summary = f"{counts['add']} to add, {counts['change']} to change, {counts['remove']} to disable"
    return [*_differences(plan), _with_rest(summary, counts)]


def applied_lines(applied: Shown, seen: str) -> list[str]:
    """Return the lines of what was done: what was not in the plan that was shown (its `seen`), then a summary."""
    counts = applied["counts"]
    summary = f"{counts['add']} added, {counts['change']} changed, {counts['remove']} disabled"
    otherwise = [] if applied["seen"] == seen else ["done otherwise than shown:", *_differences(applied)]
    return [*otherwise, _with_rest(summary, counts)]


def imported_lines(done: Shown, refused: int = 0, *, dry_run: bool) -> list[str]:
    """Return the lines of an import: what differs, then a summary with the number of what was `refused` before."""
    counts = done["counts"]
    words = ("would be added", "would be changed") if dry_run else ("added", "changed")
    summary = f"{counts['add']} {words[0]}, {counts['change']} {words[1]}"
    return [*_differences(done), _with_rest(summary, {**counts, "refused": refused})]


def _with_rest(summary: str, counts: Mapping[str, int]) -> str:
    refused = f", {counts['refused']} refused" if counts["refused"] else ""
    return f"{summary}, {counts['same']} the same{refused}"


def _differences(plan: Shown) -> list[str]:
    return [line for each in plan["differences"] if each["action"] in SIGNS for line in _lines(each)]


def _lines(each: Shown) -> list[str]:
    said = each.get("message") or MEANINGS.get(each["action"], "")
    head = f"{SIGNS[each['action']]} {each['kind']} {each['name']} of {each['module_id']}"
    fields = [f"    {name}: {_text(change['before'])} -> {_text(change['after'])}" for name, change in _changes(each)]
    fields += [f"    schedule: {each['schedule']}"] if "schedule" in each else []
    before, after, home = each.get("next_before"), each.get("next_after"), each.get("timezone")
    moved: Mapping[str, Any] = each["changes"].get("timezone", {"before": home})
    times = f"{_times(before, moved['before'])} -> {_times(after, home)}" if before else _times(after, home)
    return [f"{head}: {said}" if said else head, *fields, *([f"    next: {times}"] if before or after else [])]


def _changes(each: Shown) -> list[tuple[str, Any]]:
    changes: dict[str, Any] = each["changes"]
    return list(changes.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _times(moments: Sequence[datetime] | None, timezone: str | None) -> str:
    return ", ".join(at_home(moment, timezone) for moment in moments or []) or "none"
