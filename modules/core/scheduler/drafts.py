"""Drafts: declarations beside what is stored, and their way into one transaction, some hundred tasks at a time.

PostgreSQL ends a transaction that stands still for seconds. So nothing here works through all of the tasks between two
statements: what is read is told of before more is read, and what is new is stored before more is made.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from framework.result import Error, ResultError
from modules.core.scheduler import newborn, resuming
from modules.core.scheduler.declared import Declared, Step
from modules.core.scheduler.differences import Difference, Mask
from modules.core.scheduler.reconciling import RollCall
from modules.core.scheduler.refreezing import Definitions
from modules.core.scheduler.refusing import refuse
from modules.core.scheduler.store import tasks
from modules.core.scheduler.store.tasks import Key
from modules.core.scheduler.task import Status

LATER = "no module registers its function before the application starts; it is checked and applied then"


@dataclass(slots=True)
class Draft:
    """What is declared and was checked, on its way into one transaction."""

    steps: list[Step] = field(default_factory=list)
    others: list[Difference] = field(default_factory=list)
    """What was refused, and what can only be checked while modules start."""
    refused: list[tuple[Declared, Error]] = field(default_factory=list)
    roll: RollCall = field(default_factory=RollCall)
    modules: set[str] = field(default_factory=set)
    calendars: Definitions = field(default_factory=dict)

    def refuse(self, declared: Declared, error: Error) -> None:
        """Leave one out, and trust its owner's other declarations no more where something is missing."""
        self.refused.append((declared, error))
        self.roll.refused(declared.owner)
        told: Difference = {"action": "refused", "task_id": None, "changes": {}, "message": error.message}
        self.others.append({**declared.told(), **told})

    def postpone(self, declared: Declared) -> None:
        """Leave one as it is until modules start."""
        self.roll.refused(declared.owner)
        self.others.append(declared.told() | {"action": "later", "task_id": None, "changes": {}, "message": LATER})

    def missing(self, rows: Sequence[Row[Any]], named: Collection[str], *, also_started: bool) -> list[Row[Any]]:
        """Return the pending tasks among the rows that modules which are sure of themselves name no more."""
        sure = set(self.roll.sure_of(self.modules))
        return [
            row
            for row in rows
            if row.declared_by in sure and row.id not in named and row.status == Status.PENDING
            if also_started or row.declared_as == "data"
        ]


@dataclass(frozen=True, slots=True)
class Beside:
    """Steps beside what is stored: their differences, their tasks by key, and the modules' other tasks."""

    differences: list[Difference]
    there: Mapping[Key, Row[Any]]
    others: list[Row[Any]]


def beside(c: Connection, steps: Sequence[Step], modules: Collection[str], mask: Mask, *, locked: bool) -> Beside:
    """Look up what there is of the steps, and of what these modules have declared; `locked` where it will change."""
    waiting = {step.key: index for index, step in enumerate(steps) if step.key is not None}
    told: dict[int, Difference] = {}
    there: dict[Key, Row[Any]] = {}
    others: list[Row[Any]] = []

    def tell(index: int, row: Row[Any] | None) -> None:
        told[index] = steps[index].declared.told() | steps[index].difference(c, row, mask)

    for rows in tasks.declared(c, modules, locked=locked) if modules else ():
        for row in rows:
            index = waiting.pop((row.module_id, row.key), None)
            if index is None:
                others.append(row)
                continue
            there[row.module_id, row.key] = row
            tell(index, row)
    for keys in tasks.in_parts(sorted(waiting)):
        there |= {(row.module_id, row.key): row for row in tasks.of_keys(c, keys, locked=locked)}
        for key in keys:
            tell(waiting[key], there.get(key))
    for index in [index for index in range(len(steps)) if index not in told]:
        tell(index, None)
    return Beside([told[index] for index in range(len(steps))], there, others)


def store(c: Connection, now: datetime, steps: Sequence[Step], there: Mapping[Key, Row[Any]]) -> list[str]:
    """Store the steps, whose tasks are locked, and return their ids; a refusal tells which one was `declared`."""
    ids: list[str] = []
    together = _Together(c, now)
    for index, step in enumerate(steps):
        known = there.get(step.key) if step.key is not None else None
        try:
            ids.append(together.take(step, known) or step.put(c, now, known))
        except ResultError as refusal:
            refuse(refusal.error.code, refusal.error.message, declared=index)
    together.store()
    return ids


class _Together:
    """What takes one statement for many: tasks that are new, and those that had vanished and go on as they were."""

    def __init__(self, c: Connection, now: datetime) -> None:
        self._c, self._now = c, now
        self._new: list[newborn.Newborn] = []
        self._again: list[resuming.Again] = []

    def take(self, step: Step, known: Row[Any] | None) -> str | None:
        """Store it with others and return its id; None where it needs statements of its own."""
        if known is None:
            born = step.born(self._now)
            if born is None:
                return None
            self._new.append(born)
            task_id = born.task[newborn.ID]
        else:
            again = step.again(self._now, known)
            if again is None:
                return None
            self._again.append(again)
            task_id = known.id
        if len(self._new) + len(self._again) == tasks.AT_ONCE:
            self.store()
        return str(task_id)

    def store(self) -> None:
        """Store what was taken."""
        if self._new:
            newborn.insert(self._c, self._new)
        if self._again:
            resuming.go_on(self._c, self._again, self._now)
        self._new, self._again = [], []
