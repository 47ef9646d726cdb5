"""What a run works on: the rules come to conditions, what stands in the way is found, what stays is counted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Inspector, func, inspect, select

from modules.core.scheduler.cleanup.actions import Means
from modules.core.scheduler.cleanup.glimpse import Glimpse, glimpse
from modules.core.scheduler.cleanup.references import Dependents
from modules.core.scheduler.cleanup.report import Tally
from modules.core.scheduler.cleanup.row_sizes import size_cut
from modules.core.scheduler.cleanup.row_tiers import tier_keepers
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.schema import check_rows_policy, read_dependents, read_rows
from modules.core.scheduler.cleanup.target import Target, judged, with_min_kept, with_tiers


class RefusedError(Exception):
    """The policy does not fit the database; nothing was deleted."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class Choice:
    """The rows of a policy at one moment, and what refers to them."""

    target: Target
    dependents: Dependents
    counts: dict[str | None, int]
    """Rows by the reason for which they stay, None for those that go; empty where nobody counted."""
    cascades: dict[str, int]
    """Rows of other tables that would go along, by table; empty where nobody counted."""
    seen: Glimpse

    def tell(self, tally: Tally) -> None:
        """Put into the tally what stays and why, and what makes the run slow."""
        for reason, count in self.counts.items():
            if reason is not None:
                tally.keep(reason, count)
        self.seen.tell(tally)
        tally.examined = sum(self.counts.values()) or tally.matched
        tally.note = "; ".join(filter(None, (tally.note, *self.dependents.unindexed))) or None


def choose(
    connection: Connection,
    policy: RowsPolicy,
    now: datetime,
    *,
    forbidden: Collection[str],
    owned: Collection[str] | None,
    means: Means,
    counting: bool,
    most: int | None,
    keyed: bool,
) -> Choice:
    """Return what a run at this moment works on, or raise `RefusedError`.

    With `counting`, the cascades of the first `most` are counted and some are looked at, as in a dry run. `keyed`: it
    must have a primary key.
    """
    problems = check_rows_policy(connection, policy, forbidden, owned, means)
    if problems:
        raise RefusedError([f"{problem['field']}: {problem['message']}" for problem in problems])
    inspector = inspect(connection)
    target = read_target(connection, inspector, policy, now)
    if keyed and not target.key:
        raise RefusedError([f"{policy.table_name!r} has no primary key, which this action needs"])
    dependents = read_dependents(inspector, policy, target.table)
    blocking = dependents.blockers(connection, target.condemned)
    if blocking:
        raise RefusedError(blocking)
    counts = count_by_reason(connection, target) if counting or policy.count_kept else {}
    cascades: dict[str, int] = {}
    seen = Glimpse()
    going = min(counts.get(None, 0), counts.get(None, 0) if most is None else most)
    if counting and going and target.key:
        order = [target.rows.raw(target.table, name) for name in walked_by(target)]
        cascades = dependents.count(connection, target.condemned, order, going)
        seen = glimpse(connection, target, order, going)
    return Choice(target, dependents, counts, cascades, seen)


def read_target(connection: Connection, inspector: Inspector, policy: RowsPolicy, now: datetime) -> Target:
    """Return a checked policy's rules as conditions on the rows that are there now."""
    rows = read_rows(connection, inspector, policy)
    target = judged(policy, rows, now, size_cut(connection, policy, rows))
    if policy.tiers is not None:
        zone = ZoneInfo(policy.timezone or "UTC")
        target = with_tiers(target, tier_keepers(connection, rows, policy.tiers, zone))
    return target if policy.min_kept is None else _sparing(connection, target, policy.min_kept)


def walked_by(target: Target) -> tuple[str, ...]:
    """Return the columns in whose order rows go: the oldest first where an index gives them, else by key."""
    if target.key and target.rows.is_indexed:
        return (target.rows.date_column, *target.key)
    return target.key


def count_by_reason(connection: Connection, target: Target) -> dict[str | None, int]:
    """Return how many rows stay, by reason, and under None how many go."""
    reasons = select(target.reason.label("reason")).select_from(target.table).subquery("reasons")
    query = select(reasons.c.reason, func.count()).group_by(reasons.c.reason)
    return {row.reason: row[1] for row in connection.execute(query)}


def _sparing(connection: Connection, target: Target, min_kept: int) -> Target:
    rows, table = target.rows, target.table
    fitting = connection.scalar(select(func.count()).select_from(table).where(rows.fits(table))) or 0
    going = max(0, fitting - min_kept)
    order = rows.by_age(table)
    query = select(*order).where(target.condemned).order_by(*order).offset(going).limit(1)
    first_kept: Any = connection.execute(query).first()
    return with_min_kept(target, going, None if first_kept is None else tuple(first_kept))
