"""Alerts in the database: one row for each rule, whichever node has something to tell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, exists, or_, select, update

from framework.database import for_update, insert_rows, skip_locked
from modules.core.scheduler.tables import alerts

NEW = ("rule", "tries")


def lock(c: Connection, rule: str) -> Row[Any]:
    """Return the row of a rule, locked until the transaction ends; made where there is none."""
    find = for_update(select(alerts).where(alerts.c.rule == rule))
    found = c.execute(find).one_or_none()
    if found is None:
        insert_rows(c, alerts, NEW, [(rule, 0)], ignore=True)
        found = c.execute(find).one()
    return found


def every(c: Connection, rules: Collection[str]) -> Sequence[Row[Any]]:
    """Return the rows of these rules, as far as there are any."""
    return c.execute(select(alerts).where(alerts.c.rule.in_(rules))).all()


def change(c: Connection, rule: str, **values: Any) -> None:
    """Set columns of a rule's row."""
    c.execute(update(alerts).where(alerts.c.rule == rule).values(values))


def is_any_due(c: Connection, rules: Collection[str], now: datetime) -> bool:
    """Tell whether anything of these rules is to be sent."""
    return bool(c.execute(select(exists().where(_is_due(rules, now)))).scalar())


def due(c: Connection, rules: Collection[str], now: datetime) -> Sequence[Row[Any]]:
    """Return the rows of these rules that are to be sent, locked; those that others have locked are left out."""
    return c.execute(skip_locked(select(alerts).where(_is_due(rules, now)).order_by(alerts.c.rule))).all()


def _is_due(rules: Collection[str], now: datetime) -> ColumnElement[bool]:
    is_free = or_(alerts.c.claimed_until.is_(None), alerts.c.claimed_until <= now)
    is_time = or_(alerts.c.next_at.is_(None), alerts.c.next_at <= now)
    there = or_(alerts.c.sending.is_not(None), alerts.c.waiting.is_not(None) & is_time)
    return alerts.c.rule.in_(rules) & is_free & there
