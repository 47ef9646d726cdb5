"""What a policy of rows deletes, why the others stay, and that a dry run tells the same, by brute force."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, delete

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy

POLICIES = int(os.environ.get("RANDOM_POLICIES", "40"))
HOUR = timedelta(hours=1)
ZONE = "America/St_Johns"  # half an hour beside the others, and with daylight saving
OWNERS = {"closed": [1], None: [2]}  # by their state
PERIODS = {
    "hourly": lambda at: (at.date(), at.hour, at.utcoffset()),
    "daily": lambda at: at.date(),
    "weekly": lambda at: at.isocalendar()[:2],
    "monthly": lambda at: (at.year, at.month),
    "yearly": lambda at: at.year,
}


def reasons(rows, policy):
    """Brute force: for each row by its id the reason for which it stays, or None."""
    fitting = [row for row in rows if is_meant(row, policy)]
    newest_first = sorted((row for row in fitting if row["at"]), key=lambda row: (row["at"], row["id"]), reverse=True)
    in_tiers = tier_rows(newest_first, policy)
    found = {row["id"]: "filtered" for row in rows} | {row["id"]: "undated" for row in fitting}
    for place, row in enumerate(newest_first):
        found[row["id"]] = reason(row, place, newest_first, in_tiers, policy)
    if policy.min_kept is not None:
        going = [row["id"] for row in reversed(newest_first) if found[row["id"]] is None]
        for spared in going[max(0, len(fitting) - policy.min_kept) :]:
            found[spared] = "min_kept"
    return found


def is_meant(row, policy):
    related = all(row["owner"] in OWNERS[rule.where["state"]] for rule in (policy.where_in or {}).values())
    return related and all(row[name] == value for name, value in (policy.where or {}).items())


def reason(row, place, newest_first, in_tiers, policy):
    beyond = policy.max_rows is not None and place >= policy.max_rows
    taken = sum(other["bytes"] or 0 for other in newest_first[: place + 1])
    beyond |= policy.max_size_mb is not None and taken > policy.max_size_mb * 1_000_000
    too_old = policy.max_age is not None and row["at"] < NOW - policy.max_age
    by_number = policy.max_rows is not None or policy.max_size_mb is not None
    expired = policy.max_age is None and not by_number and row["at"] < NOW
    if not (beyond or too_old or expired):
        return "newest" if policy.max_age is None and by_number else "young"
    if policy.hold_column and row["held"]:
        return "held"
    if policy.keep_where is not None and all(fits(row[name], tag) for name, tag in policy.keep_where.items()):
        return "tagged"
    if policy.min_age is not None and row["at"] >= NOW - policy.min_age:
        return "min_age"
    if policy.keep_newest is not None:
        group = [other for other in newest_first if all(other[n] == row[n] for n in policy.keep_newest.per)]
        if group.index(row) < policy.keep_newest.count:
            return "newest"
    return "tier" if row["id"] in in_tiers else None


def fits(value, wanted):
    return value in wanted if isinstance(wanted, list) else value == wanted


def tier_rows(newest_first, policy):
    kept = set()
    for name, period in PERIODS.items():
        count = None if policy.tiers is None else getattr(policy.tiers, name)
        seen = []
        for row in newest_first if count is not None else []:
            here = period(row["at"].astimezone(ZoneInfo(policy.timezone or "UTC")))
            if here not in seen and len(seen) < count:
                seen.append(here)
                kept.add(row["id"])
    return kept


def random_rows(dice):
    start = dice.choice([NOW, datetime(2026, 3, 9, tzinfo=NOW.tzinfo)])  # the night of a change of clocks too
    return [
        {
            "id": number,
            "at": None
            if dice.random() < 0.1
            else start - dice.randrange(900) * dice.choice([HOUR / 4, HOUR, 9 * HOUR]),
            "held": dice.choice([None, False, False, True]),
            "kind": dice.choice(["a", "b", None]),
            "owner": dice.choice([1, 2, None]),
            "team": dice.choice([1, 2]),
            "bytes": dice.choice([None, 0, 1000, 2500, 7000]),
        }
        for number in dice.sample(range(100), dice.randrange(25))
    ]


def random_policy(dice):
    rules = {
        "max_age": dice.randrange(1, 30) * DAY,
        "max_rows": dice.randrange(1, 9),
        "max_size_mb": dice.choice([0, 0.0024, 0.0095, 0.02]),
        "keep_where": dice.choice([{"owner": 1}, {"owner": [2, None]}, {"kind": "b", "team": 1}, {"kind": None}]),
        "where": {"kind": dice.choice(["a", None])},
        "where_in": {
            "owner": {"table_name": "owners", "column": "id", "where": {"state": dice.choice(list(OWNERS))}},
        },
        "hold_column": "held",
        "min_age": dice.randrange(1, 20) * DAY,
        "keep_newest": {
            "count": dice.randrange(1, 5),
            "per": dice.choice([[], ["owner"], ["kind", "owner"], ["team"]]),
        },
        "tiers": dict.fromkeys(dice.sample(list(PERIODS), dice.randrange(1, 4)), dice.randrange(1, 5)),
        "min_kept": dice.randrange(1, 12),
        "timezone": ZONE,
    }
    some = {name: rule for name, rule in rules.items() if dice.random() < 0.4}
    some |= {"size_column": "bytes"} if "max_size_mb" in some or dice.random() < 0.5 else {}
    return RowsPolicy(table_name="logs", date_column="at", batch_size=dice.choice([1, 3, 100]), **some)


def columns():
    return (
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime),
        Column("held", Boolean),
        Column("kind", String(5)),
        Column("owner", Integer),
        Column("team", Integer, nullable=False),
        Column("bytes", BigInteger),
    )


@pytest.mark.parametrize("indexed", [False, True])
async def test_what_goes_and_why_the_others_stay_equals_brute_force(database, indexed):
    names = ["at", "owner", "team"] if indexed else []
    table = await create(database, *columns(), *(Index(f"ix_logs_{name}", name) for name in names))
    await compare(database, table, random.Random(f"rows {indexed}"), 15)


@pytest.mark.slow
async def test_the_same_over_many_more_policies(database):
    table = await create(database, *columns())
    await compare(database, table, random.Random("many"), POLICIES)


async def compare(database, table, dice, rounds):
    owners = await create(database, Column("id", Integer), Column("state", String(9)), name="owners")
    await fill(database, owners, [{"id": n, "state": state} for state, ids in OWNERS.items() for n in (*ids, None)])
    for _ in range(rounds):
        rows, policy = random_rows(dice), random_policy(dice)
        await database.write(lambda connection: connection.execute(delete(table)))
        if rows:
            await fill(database, table, rows)
        expected = reasons(rows, policy)
        kept = Counter(why for why in expected.values() if why is not None)

        planned = await clean(database, policy, dry_run=True)
        done = await clean(database, policy)

        assert (planned.errors, done.errors) == ((), ())
        assert await values(database, table.c.id) == sorted(n for n, why in expected.items() if why), (policy, rows)
        assert dict(planned.kept) == dict(done.kept) == dict(kept), (policy, rows)
        assert planned.matched == done.matched == done.deleted == len(rows) - kept.total()
        assert planned.examined == done.examined == len(rows)
        gone = sum(row["bytes"] or 0 for row in rows if expected[row["id"]] is None)
        assert planned.bytes == done.bytes == (gone if policy.size_column else 0), (policy, rows)
        seen = [(each.oldest, each.newest, each.samples, each.cascades, each.skipped) for each in (planned, done)]
        assert seen[0] == seen[1], (policy, rows)
