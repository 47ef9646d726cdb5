"""What a dry run tells of what would go, and whether a later one still tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modules.core.scheduler.cleanup.fingerprint import difference
from modules.core.scheduler.cleanup.parsing import AnyPolicy
from modules.core.scheduler.cleanup.report import PURGED, Report
from modules.core.scheduler.cleanup.rows_action import WHOLE_PARTITIONS


def counted(report: Report, policy: AnyPolicy) -> dict[str, Any]:
    """Return what a dry run tells of a plan, as plain JSON."""
    told = report.to_dict()
    table = getattr(policy, "table_name", None)
    names = ("kind", "matched", "bytes", "oldest", "newest", "samples", "kept", "done", "skipped")
    return {name: told[name] for name in names} | {
        "action": getattr(policy, "action", "delete"),
        "rows": {} if table is None else {table: report.matched, **report.cascades},
        "files": report.matched if table is None else 0,
        "freed_bytes_estimate": report.freed_bytes,
    }


def changed(planned: Mapping[str, Any], now: Mapping[str, Any], tolerance: float) -> dict[str, dict[str, int]]:
    """Return the numbers that have moved by more than a part of what was planned, with what they were and are.

    `the_same`: as many as planned would go, but others; how many of those that were shown are among them.
    """
    before, after = _numbers(planned), _numbers(now)
    pairs = {name: (before.get(name, 0), after.get(name, 0)) for name in {**before, **after}}
    moved = {name: pair for name, pair in pairs.items() if abs(pair[1] - pair[0]) > tolerance * pair[0]}
    replaced = difference(planned["fingerprint"], now["fingerprint"])
    if not moved and replaced > tolerance:
        moved["the_same"] = (planned["matched"], round(planned["matched"] * max(1 - replaced, 0)))
    return {name: {"planned": was, "now": is_now} for name, (was, is_now) in moved.items()}


def planned_most(told: Mapping[str, Any], tolerance: float) -> int:
    """Return how much may go by a plan at most: what it told, files of the trash included, and the tolerance."""
    return int((told["matched"] + told["done"].get(PURGED, 0)) * (1 + tolerance))


def _numbers(told: Mapping[str, Any]) -> dict[str, int]:
    rows = {f"rows.{table}": count for table, count in told["rows"].items()}
    of_tables = told["action"] in WHOLE_PARTITIONS  # which change with what PostgreSQL keeps beside the rows
    size = 0 if of_tables else told["bytes"]
    return {"files": told["files"], "purged": told["done"].get(PURGED, 0), "bytes": size, **rows}
