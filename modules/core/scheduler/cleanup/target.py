"""Which rows a policy condemns and which it keeps, as SQL over the table that the database has now.

A row goes where every rule lets it pass; else it stays, for the reason of the first rule that does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    TableClause,
    and_,
    case,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
)

from modules.core.scheduler.cleanup.moments import is_before
from modules.core.scheduler.cleanup.pending import not_done
from modules.core.scheduler.cleanup.row_sizes import SizeCut, still_too_much
from modules.core.scheduler.cleanup.rows_action import ANONYMISE

if TYPE_CHECKING:
    from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
    from modules.core.scheduler.cleanup.table_rows import TableRows

Key = tuple[Any, ...]
Rule = tuple[ColumnElement[bool], str]


@dataclass(frozen=True, slots=True)
class Target:
    """A policy over the rows of its table, at one moment."""

    policy: RowsPolicy
    rows: TableRows
    now: datetime
    rules: tuple[Rule, ...]
    """Conditions, and why a row stays that does not fit; null counts as not fitting."""
    tier_keepers: tuple[Key, ...] = ()
    """The rows that `tiers` keeps: date and key."""
    too_much: SizeCut | None = None
    """Where `max_size_mb` condemns; None where it condemns nothing."""

    @property
    def table(self) -> TableClause:
        """The table."""
        return self.rows.table

    @property
    def key(self) -> tuple[str, ...]:
        """Columns of the primary key; empty where there is none."""
        return self.rows.key

    @property
    def condemned(self) -> ColumnElement[bool]:
        """Which rows go."""
        return and_(*(passes for passes, _ in self.rules))

    @property
    def reason(self) -> ColumnElement[str | None]:
        """Why a row stays; null where it goes."""
        reason: ColumnElement[Any] = null()
        for passes, why in reversed(self.rules):
            reason = case((passes, reason), else_=literal(why))
        return reason

    def again(self, keys: Sequence[Key]) -> ColumnElement[bool]:
        """Return which of these rows still go: every rule is judged anew, in the statement that uses this."""
        rows, table = self.rows, self.table
        conditions = [
            rows.among(table, keys),
            *(passes for passes, _ in _by_itself(self.policy, rows, self.now, self.too_much)),
        ]
        if self.policy.keep_newest is not None:
            conditions.append(_beyond_newest(self.policy, rows, keys))
        if self.tier_keepers:
            conditions += [not_(rows.among(table, _keys(self))), _all_there(self)]
        if self.policy.min_kept is not None:
            conditions.append(_leaves(rows, self.policy.min_kept + len(keys)))
        return and_(*conditions)


def judged(policy: RowsPolicy, rows: TableRows, now: datetime, too_much: SizeCut | None = None) -> Target:
    """Return what the rules come to that need no further look at the rows: all but `tiers` and `min_kept`."""
    rules = _by_itself(policy, rows, now, too_much)
    if policy.keep_newest is not None:
        rules.append((_beyond_newest(policy, rows, None), "newest"))
    return Target(policy, rows, now, tuple(rules), too_much=too_much)


def with_tiers(target: Target, keepers: Sequence[Key]) -> Target:
    """Return the target with these rows (date and key) kept by `tiers`."""
    target = replace(target, tier_keepers=tuple(keepers))
    passes = not_(target.rows.among(target.table, _keys(target))) if keepers else true()
    return replace(target, rules=(*target.rules, (passes, "tier")))


def with_min_kept(target: Target, going: int, first_kept: Key | None) -> Target:
    """Return the target with only the `going` oldest condemned rows going, `first_kept` (date and key) no more."""
    passes: ColumnElement[bool] = true() if going else false()
    if going and first_kept is not None:
        passes = target.rows.by_age_of(target.table) < first_kept
    return replace(target, rules=(*target.rules, (passes, "min_kept")))


def limits(
    policy: RowsPolicy, rows: TableRows, now: datetime, too_much: SizeCut | None = None, *, floor: bool = True
) -> ColumnElement[bool]:
    """Return the condition that a limit condemns a row whose date can be read; `floor` is that of `is_before`."""
    date = rows.table.c[policy.date_column]
    any_of: list[ColumnElement[bool]] = []
    if policy.max_age is not None:
        any_of.append(is_before(date, now - policy.max_age, rows.dialect, floor=floor))
    if policy.max_rows is not None:
        any_of.append(func.coalesce(_older_than_newest(rows, policy.max_rows), false()))
    if policy.max_size_mb is not None:
        any_of.append(false() if too_much is None else still_too_much(policy, rows, too_much))
    return or_(*any_of) if any_of else is_before(date, now, rows.dialect, floor=floor)


def _by_itself(policy: RowsPolicy, rows: TableRows, now: datetime, too_much: SizeCut | None) -> list[Rule]:
    young = "newest" if policy.by_number else "young"
    fits = rows.fits(rows.table)
    if policy.action == ANONYMISE:
        fits = and_(fits, not_done(policy, rows.table))
    rules: list[Rule] = [
        (fits, "filtered"),
        (rows.dated(rows.table), "undated"),
        (limits(policy, rows, now, too_much), young),
    ]
    if keyless := [name for name in rows.key if name in rows.nullable]:  # SQLite lets a key be null
        rules.append((and_(*(rows.table.c[name].is_not(None) for name in keyless)), "no_key"))
    if policy.hold_column is not None:
        rules.append((not_(rows.holds(policy.hold_column)), "held"))
    if policy.keep_where is not None:
        rules.append((not_(rows.is_tagged(policy.keep_where)), "tagged"))
    if policy.min_age is not None:
        old_enough = is_before(rows.table.c[policy.date_column], now - policy.min_age, rows.dialect, floor=False)
        rules.append((old_enough, "min_age"))
    return rules


def _older_than_newest(rows: TableRows, count: int) -> ColumnElement[bool]:
    """Older than the newest so many; null where there are no more than those."""
    newer = rows.table.alias("newer")
    order = rows.by_age(newer)
    last = (
        select(*order)
        .where(rows.fits(newer), rows.dated(newer))
        .order_by(*(part.desc() for part in order))
        .offset(count - 1)
        .limit(1)
    )
    is_older: ColumnElement[bool] = rows.by_age_of(rows.table) < last.scalar_subquery()
    return is_older


def _beyond_newest(policy: RowsPolicy, rows: TableRows, keys: Sequence[Key] | None) -> ColumnElement[bool]:
    """Not among the newest of its group; with keys, only the groups of these are looked at."""
    rule = policy.keep_newest
    assert rule is not None  # noqa: S101  # the callers have asked
    if not rule.per:
        return func.coalesce(_older_than_newest(rows, rule.count), false())
    newer = rows.table.alias("newer")
    in_group = None if keys is None else rows.same_group(newer, rule.per)
    if in_group is not None:
        is_newer = rows.by_age_of(newer) > rows.by_age_of(rows.table)
        others = select(literal(1)).select_from(newer).where(in_group, is_newer, rows.fits(newer), rows.dated(newer))
        return others.offset(rule.count - 1).limit(1).correlate(rows.table).exists()
    place = func.row_number().over(
        partition_by=[newer.c[name] for name in rule.per],
        order_by=[part.desc() for part in rows.by_age(newer)],
    )
    ranked = select(*rows.key_columns(newer), place.label("place")).where(rows.fits(newer), rows.dated(newer))
    if keys is not None:
        ranked = ranked.where(_in_groups_of(rows, newer, rule.per[0], keys))
    numbered = ranked.subquery("ranked")
    columns = [column for column in numbered.c if column.name != "place"]
    newest = select(*columns).where(numbered.c.place <= rule.count)
    return rows.key_of(rows.table).not_in(newest)


def _in_groups_of(rows: TableRows, newer: FromClause, name: str, keys: Sequence[Key]) -> ColumnElement[bool]:
    # The first column alone: it takes in a few groups too many, which do no harm, and an index on it is enough.
    batch = rows.table.alias("batch")
    same = newer.c[name].in_(select(batch.c[name]).where(rows.among(batch, keys)))
    return or_(same, newer.c[name].is_(None)) if name in rows.nullable else same


def _keys(target: Target) -> list[Key]:
    return [keeper[1:] for keeper in target.tier_keepers]


def _all_there(target: Target) -> ColumnElement[bool]:
    """The rows that stand for their periods are there, with the same dates: else others would have to."""
    rows = target.rows
    there = rows.table.alias("there")
    is_one = rows.by_age_of(there).in_(list(target.tier_keepers))
    count = select(func.count()).select_from(there).where(is_one, rows.fits(there))
    return count.scalar_subquery() == len(target.tier_keepers)


def _leaves(rows: TableRows, count: int) -> ColumnElement[bool]:
    """There are so many rows that fit."""
    left = rows.table.alias("left_over")
    return select(literal(1)).select_from(left).where(rows.fits(left)).offset(count - 1).limit(1).exists()
