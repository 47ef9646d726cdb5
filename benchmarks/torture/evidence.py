"""The evidence: the rows of the tables, read with plain SQL, and the ledger; nothing of the product is asked."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from benchmarks.torture.ledger import Entry

Row = Mapping[str, Any]

MOMENTS = ("scheduled_for", "start_time", "end_time", "missed_since", "next_execution", "due_at", "created_at")
TASKS = "SELECT * FROM scheduler_events WHERE module_id = 'torture'"
ROWS = (
    "SELECT x.* FROM scheduler_executions x JOIN scheduler_events e ON e.id = x.event_id WHERE e.module_id = 'torture'"
)
ORPHANS = "SELECT x.* FROM scheduler_executions x LEFT JOIN scheduler_events e ON e.id = x.event_id WHERE e.id IS NULL"
OPEN = (
    "SELECT (SELECT count(*) FROM scheduler_executions WHERE state IN ('pending', 'running'))"
    " + (SELECT count(*) FROM scheduler_events WHERE status = 'pending' AND next_execution IS NOT NULL"
    " AND module_id = 'torture') AS open"
)


@dataclass(frozen=True)
class Evidence:
    """What the tables and the ledger say.

    `acknowledged` are tasks whose scheduling was answered, `promised` the first nominal time that the answer named.
    """

    tasks: Sequence[Row]
    rows: Sequence[Row]
    orphans: Sequence[Row] = ()
    ledger: Sequence[Entry] = ()
    acknowledged: frozenset[str] = field(default=frozenset())
    promised: Mapping[str, datetime] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Row]:
        """Each execution by its id."""
        return {row["id"]: row for row in self.rows}

    @cached_property
    def task_by_id(self) -> dict[str, Row]:
        """Each task by its id."""
        return {task["id"]: task for task in self.tasks}

    @cached_property
    def occurrences(self) -> dict[tuple[str, datetime], list[Row]]:
        """The attempts of each occurrence, oldest first; what is recorded as a non-run is not among them."""
        found = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: row["attempt"]):
            if row["attempt"] > 0:
                found[row["event_id"], row["scheduled_for"]].append(row)
        return dict(found)

    @cached_property
    def by_task(self) -> dict[str, list[Row]]:
        """The rows of each task, in order of their nominal times."""
        found = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row["scheduled_for"], row["attempt"])):
            found[row["event_id"]].append(row)
        return dict(found)

    @cached_property
    def starts(self) -> dict[str, list[Entry]]:
        """The starts of each execution."""
        return self._entries("start")

    @cached_property
    def ends(self) -> dict[str, list[Entry]]:
        """The ends of each execution."""
        return self._entries("end")

    def _entries(self, what: str) -> dict[str, list[Entry]]:
        found = defaultdict(list)
        for entry in self.ledger:
            if entry.what == what:
                found[entry.execution].append(entry)
        return dict(found)


def read(url: str, ledger: Iterable[Entry], acknowledged: Mapping[str, datetime | None]) -> Evidence:
    """Read everything that there is about this module's tasks."""
    tasks, rows, orphans = query(url, TASKS, ROWS, ORPHANS)
    entries = list(ledger)
    told = {entry.task for entry in entries if entry.what == "scheduled"}
    promised = {task: moment for task, moment in acknowledged.items() if moment is not None}
    return Evidence(tasks, rows, orphans, entries, frozenset({*acknowledged, *told}), promised)


def count_open(url: str) -> int:
    """Return how much is still to be done: open executions, and tasks that will fire."""
    ((row,),) = query(url, OPEN)
    return int(row["open"])


def query(url: str, *statements: str) -> list[list[dict[str, Any]]]:
    """Return the rows of each statement, all of one snapshot, moments as aware UTC."""
    if url.startswith("sqlite"):
        found = _of_sqlite(url.split(":///", 1)[1], statements)
    else:
        found = asyncio.run(_of_postgresql(url.replace("+asyncpg", ""), statements))
    return [[{name: _value(name, row[name]) for name in row} for row in rows] for rows in found]


def _of_sqlite(path: str, statements: Sequence[str]) -> list[list[dict[str, Any]]]:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        db.execute("BEGIN")
        return [[dict(row) for row in db.execute(statement)] for statement in statements]


async def _of_postgresql(url: str, statements: Sequence[str]) -> list[list[dict[str, Any]]]:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=30)
    try:
        async with connection.transaction(isolation="repeatable_read"):
            return [[dict(row) for row in await connection.fetch(statement)] for statement in statements]
    finally:
        await connection.close()


def _value(name: str, value: Any) -> Any:
    if name not in MOMENTS or value is None:
        return value
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def host_of(url: str) -> str:
    """Return what a report may call the database: never its password."""
    return urlsplit(url).scheme.split("+")[0]
