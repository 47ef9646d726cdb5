"""Auditor: what operators do is written down in the transaction that does it; of what code does, nothing is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any, TypeVar

from sqlalchemy import Connection

from framework import strict_json
from framework.audit import AuditTrail, Deed
from framework.caller import Door, caller
from framework.clock import Clock, new_id
from modules.core.scheduler.bounded_text import MAX_ID, storable
from modules.core.scheduler.looks import Look, Mask, changed, look, plain
from modules.core.scheduler.store import audit, cleanups

T = TypeVar("T")
Work = Callable[[Connection, datetime], T]
Telling = Callable[[T], Mapping[str, Any]]


class Auditor(AuditTrail):
    """Keeps the audit. `mask` hides the secret ones among shown parameters."""

    def __init__(self, clock: Clock, mask: Mask) -> None:
        self._clock = clock
        self._mask = mask

    def beside(self, work: Work[T], deed: Deed, telling: Telling[T] | None = None) -> Work[T]:
        """Return the work with a row of the audit beside it where an operator asks for it, else the work as it is.

        The deed names what is looked at before and after; `telling` adds to `after` what the answer tells.
        """
        if not self.listens:
            return work

        def both(c: Connection, now: datetime) -> T:
            before = self.look(c, deed)
            done = work(c, now)
            self.tell(c, deed, before, None if telling is None else telling(done))
            return done

        return both

    @property
    def listens(self) -> bool:
        """Whether what is done here is done by an operator."""
        return caller().door is not Door.CODE

    def look(self, c: Connection, deed: Deed) -> Look | None:
        """Return what is to be changed as it is now."""
        if not self.listens or deed.id is None:
            return None
        return look(c, deed.kind, storable(deed.id, MAX_ID), self._mask)

    def tell(self, c: Connection, deed: Deed, before: Look | None, told: Mapping[str, Any] | None = None) -> None:
        """Write down a deed that has just been done to what looked so before."""
        if not self.listens:
            return
        after = self.look(c, deed)
        was, now_is = changed(before, after)
        names = [each.name for each in (after, before) if each is not None]
        name = deed.name or next(iter(names), None)
        self.record(c, replace(deed, name=name, before=was, after={**(now_is or {}), **(told or {})} or None))

    def tell_of(self, c: Connection, action: str, differences: Sequence[Mapping[str, Any]], stored: list[str]) -> None:
        """Write down what many differences came to; `stored` are the ids of the tasks of the first ones."""
        if not self.listens:
            return
        for each, task_id in zip_longest(differences, stored):
            if each["action"] in ("add", "change", "remove"):
                self.record(c, _deed(c, action, each, task_id or each["task_id"]))

    def record(self, c: Connection, deed: Deed) -> None:
        """Write down what an operator does."""
        who = caller()
        if who.door is Door.CODE:
            return
        values = {"id": new_id(), "at": self._clock.now(), "actor": storable(who.name, MAX_ID), "door": who.door.value}
        values |= {"action": deed.action, "kind": deed.kind, "before": _text(deed.before), "after": _text(deed.after)}
        target = None if deed.id is None else storable(deed.id, MAX_ID)
        name = None if deed.name is None else storable(deed.name, MAX_ID)
        audit.add(c, values | {"target": target, "name": name})


def _deed(c: Connection, action: str, difference: Mapping[str, Any], task_id: str | None) -> Deed:
    kind, name, target = difference["kind"], difference["name"], task_id
    if kind == "cleanup":
        found = cleanups.find_type(c, difference["module_id"], name)
        target, name = None if found is None else found.id, f"{difference['module_id']}/{name}"
    if difference["action"] == "remove":
        return Deed(action, kind, target, name, {"declared": True}, {"declared": False})
    changes = difference["changes"]
    before = {field: change["before"] for field, change in changes.items()}
    after = {field: change["after"] for field, change in changes.items()}
    is_new = difference["action"] == "add"
    return Deed(action, kind, target, name, None if is_new else before, _of_new(difference) if is_new else after)


def _of_new(difference: Mapping[str, Any]) -> dict[str, Any]:
    return {"module_id": difference["module_id"], "function_name": difference["function_name"]} | {
        "schedule": difference.get("schedule")
    }


def _text(fields: Mapping[str, Any] | None) -> str | None:
    return strict_json.dumps(plain(fields)) if fields else None
