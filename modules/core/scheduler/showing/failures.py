"""Failures, grouped, as people read them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from framework.terminal import span

FAILURE_COLUMNS = ("FAILURE", "TIMES", "LAST", "TASK", "SAYS")
FAILURE_FIT: dict[str, Any] = {"spare": ("LAST",), "elastic": ("TASK", "SAYS")}


def failure_rows(failures: Iterable[Mapping[str, Any]], now: datetime) -> list[tuple[str, ...]]:
    """Return one row of `FAILURE_COLUMNS` for each failure."""
    return [
        (
            each["id"],
            f"{each['count']:,}",
            f"{span(now - each['last'])} ago",
            each["task_name"],
            each["error"].strip().partition("\n")[0][:200] + (" (ignored)" if each["ignored"] else ""),
        )
        for each in failures
    ]
