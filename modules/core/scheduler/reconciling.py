"""What code no longer declares: its tasks are disabled, after every start, and never deleted."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row

from framework.result import Result, ResultError
from modules.core.scheduler.creating import Owner
from modules.core.scheduler.execution import Reason
from modules.core.scheduler.exporting import exported, write_export
from modules.core.scheduler.firing import fire, is_due
from modules.core.scheduler.store import cleanups, line, tasks
from modules.core.scheduler.task import Status

log = logging.getLogger(__name__)

Stored = Result[list[dict[str, Any]]]


class RollCall:
    """Which tasks the modules have declared in this start, and which of these modules had one refused."""

    def __init__(self) -> None:
        self.named: set[str] = set()
        self._unsure: set[str | None] = set()

    def answered(self, owner: Owner, stored: Stored) -> Stored:
        """Note the tasks that a module has declared; returns what was stored."""
        if stored.error is not None:
            self.refused(owner)
        elif owner.module is not None:
            self.named.update(each["task_id"] for each in stored.data)
        return stored

    def refused(self, owner: Owner) -> None:
        """Note that nobody knows which task a module has meant: all of its tasks stay as they are."""
        self._unsure.add(owner.module)

    def sure_of(self, modules: Collection[str]) -> list[str]:
        """Return those of the modules that have declared all that they mean to."""
        return sorted(set(modules) - self._unsure)


def disable(c: Connection, now: datetime, rows: Sequence[Row[Any]]) -> None:
    """Pause pending tasks that are declared no more, locked as they were read; what is due of them is fired first."""
    for some in tasks.in_parts(rows):
        due = [row for row in some if is_due(row, now)]
        if due:
            fire(c, due, now)
        ids = [row.id for row in some]
        tasks.revise_all(c, ids, now, status=Status.PAUSED, status_reason=Reason.NOT_DECLARED)
        line.hold_tasks(c, ids)
        for row in some:
            cleanups.keep_in_step(c, row)


def config_as_it_was(row: Row[Any]) -> dict[str, Any]:
    """Return the config of a task that was disabled, of a damaged one what can be read."""
    try:
        return exported(row)
    except ResultError as refusal:  # a damaged row is disabled like any other
        names = {"task_id": row.id, "name": row.name, "module_id": row.module_id, "function_name": row.function_name}
        return names | {"parameters": {}, "unreadable": refusal.error.message}


def tell_undeclared(configs: Sequence[Mapping[str, Any]], folder: Path, now: datetime) -> None:
    """Export the configs of disabled tasks, and say so; where that fails they are still in the database."""
    try:
        where = f"exported to {write_export(folder, configs, now)}"
    except OSError as error:
        where = f"not exported: {error}"
    for config in configs:
        text = "task %s (%s of %s) is no longer declared in code and has been disabled; %s"
        log.warning(text, config["name"], config["function_name"], config["module_id"], where)
