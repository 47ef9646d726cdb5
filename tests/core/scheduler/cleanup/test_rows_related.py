"""Rows that go because of what another table says of them: found there, again in the statement that deletes."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, fill, values
from sqlalchemy import Column, Integer, MetaData, String, Table, text

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import RowsPolicy, check_rows_policy

CLOSED = {"owner": {"table_name": "owners", "column": "id", "where": {"state": "closed"}}}
POLICY = {"table_name": "logs", "date_column": "at", "max_age": DAY, "where_in": CLOSED}
RULES = [{}, {"min_kept": 1}, {"keep_newest": {"count": 1, "per": ["owner"]}}, {"max_rows": 2}]


@pytest.fixture
async def house(database):
    """Logs 0 to 11 of the owners 0 to 3 and of nobody, the last four young; the owners 1 and 3 are closed."""
    metadata = MetaData()
    logs = Table(
        "logs",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner", Integer),
        Column("at", UtcDateTime, index=True),
    )
    owners = Table("owners", metadata, Column("id", Integer), Column("state", String))
    await database.write(metadata.create_all)
    dates = [NOW - 2 * DAY] * 8 + [NOW] * 4
    await fill(database, logs, [{"id": n, "owner": (*range(4), None)[n % 5], "at": at} for n, at in enumerate(dates)])
    await fill(database, owners, [{"id": n, "state": "closed" if n % 2 else "open"} for n in (0, 1, 2, 3, 1)])
    await fill(database, owners, [{"id": None, "state": "closed"}])
    return logs


@pytest.mark.parametrize("rules", RULES, ids=str)
async def test_only_rows_that_are_found_there_go_and_a_dry_run_says_so(database, house, rules):
    policy = RowsPolicy.model_validate(POLICY | rules)

    planned = await clean(database, policy, dry_run=True)
    before = await values(database, house.c.id)
    done = await clean(database, policy)

    left = await values(database, house.c.id)
    gone = [number for number in before if number not in left]
    assert (done.errors, planned.matched, planned.kept) == ((), done.deleted, done.kept)
    assert (gone, done.kept["filtered"]) == ([1, 3, 6], 7)


@pytest.mark.parametrize("rules", [{}, RULES[2]], ids=str)
async def test_what_another_table_says_by_now_counts_when_rows_are_deleted(database, house, rules):
    really_write = database.write

    async def reopen_then_write(work):
        await really_write(lambda c: c.execute(text("UPDATE owners SET state = 'open' WHERE id = 1")))
        return await really_write(work)

    database.write = reopen_then_write
    done = await clean(database, RowsPolicy.model_validate(POLICY | rules))

    assert (done.deleted, await values(database, house.c.id)) == (1, [0, 1, 2, *range(4, 12)])


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"table_name": "owner"}, "where_in.owner.table_name"),
        ({"column": "ids"}, "where_in.owner.column"),
        ({"column": "state"}, "where_in.owner.column"),
        ({"where": {"states": "closed"}}, "where_in.owner.where.states"),
        ({"where": {"state": 5}}, "where_in.owner.where.state"),
    ],
)
async def test_a_misspelt_name_in_the_other_table_deletes_nothing_and_is_named(database, house, rule, field):
    policy = RowsPolicy.model_validate(POLICY | {"where_in": {"owner": CLOSED["owner"] | rule}})

    (problem,) = await database.read(lambda c: check_rows_policy(c, policy))
    done = await clean(database, policy)

    assert (problem["field"], done.deleted, len(await values(database, house.c.id))) == (field, 0, 12)
    assert field in done.errors[0]


async def test_a_table_of_another_module_is_not_read_either(sqlite_database):
    for name in ("logs", "owners"):
        table = Table(name, MetaData(), Column("id", Integer, primary_key=True), Column("owner", Integer))
        table.append_column(Column("at", UtcDateTime))
        table.append_column(Column("state", String))
        await sqlite_database.write(table.create)

    policy = RowsPolicy.model_validate(POLICY)
    (problem,) = await sqlite_database.read(lambda c: check_rows_policy(c, policy, forbidden_tables={"owners"}))

    assert problem["field"] == "where_in.owner.table_name"
