"""Rows lie in the trash for a while before they are deleted, and come back from there."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import Column, Date, Integer, String, select

from framework.database import UtcDateTime
from modules.core.scheduler.cleanup import Means, RowsPolicy, archives, check_rows_policy, restore, weak_spots

NOTHING = Means()


@pytest.fixture
async def logs(database):
    return await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("state", String(10)),
        Column("gone_at", UtcDateTime),
        Column("gone_on", Date),
    )


def trashing(column="gone_at", **keys):
    rows = {"table_name": "logs", "date_column": "at", "max_age": DAY}
    return RowsPolicy(**rows, action="trash", trash_column=column, trash_for=7 * DAY, **keys)


async def live(database, logs):
    query = select(logs.c.id).where(logs.c.gone_at.is_(None)).order_by(logs.c.id)
    return await database.read(lambda c: list(c.scalars(query)))


@pytest.fixture
async def filled(database, logs):
    rows = [{"id": n, "at": NOW - (2 * DAY if n < 4 else 0 * DAY)} for n in range(6)]
    await fill(database, logs, rows)
    return logs


async def test_rows_go_to_the_trash_and_are_deleted_when_they_have_lain_there(database, filled):
    first = await clean(database, trashing())
    trashed = await live(database, filled)
    early = await clean(database, trashing(), now=NOW + 6 * DAY)
    left = await values(database, filled.c.id)
    late = await clean(database, trashing(), now=NOW + 8 * DAY)

    assert (first.errors, first.done, first.deleted, trashed) == ((), {"trashed": 4}, 0, [4, 5])
    assert (early.done, early.deleted, left) == ({"trashed": 2}, 0, [0, 1, 2, 3, 4, 5])
    assert (late.done, late.deleted) == ({}, 4)
    assert await values(database, filled.c.id) == [4, 5]


async def test_a_dry_run_foresees_both_halves_and_changes_nothing(database, filled):
    await clean(database, trashing())
    await fill(database, filled, [{"id": 7, "at": NOW - 2 * DAY}])

    planned = await clean(database, trashing(), now=NOW + 7.5 * DAY, dry_run=True)
    unchanged = await live(database, filled)
    done = await clean(database, trashing(), now=NOW + 7.5 * DAY)

    assert unchanged == [4, 5, 7]
    assert planned.matched == done.matched == done.done["trashed"] + done.deleted == 7
    assert "3 rows would go to the trash, and 4" in planned.note


async def test_a_run_can_be_taken_out_of_the_trash_again(database, filled):
    await clean(database, trashing())
    await fill(database, filled, [{"id": 7, "at": NOW - 2 * DAY}])
    await clean(database, trashing(), now=NOW + DAY / 2)

    first, second = await archives(trashing(), database, NOTHING)
    planned = await restore(trashing(), first["archive"], database=database, means=NOTHING, dry_run=True)
    done = await restore(trashing(), first["archive"], database=database, means=NOTHING, dry_run=False)

    assert (first["rows"], second["rows"]) == (4, 1)
    assert planned.rows == done.rows == 4
    assert await live(database, filled) == [0, 1, 2, 3, 4, 5]


async def test_filters_hold_for_the_trash_too(database, filled):
    await database.write(lambda c: c.execute(filled.update().where(filled.c.id < 2).values(state="done")))
    await clean(database, trashing())
    policy = trashing(where={"state": "done"})

    report = await clean(database, policy, now=NOW + 30 * DAY)

    assert report.deleted == 2
    assert await values(database, filled.c.id) == [2, 3, 4, 5]


async def test_the_newest_are_counted_among_those_outside_of_the_trash(database, filled):
    await database.write(lambda c: c.execute(filled.update().where(filled.c.id >= 4).values(gone_at=NOW)))

    report = await clean(database, trashing(keep_newest={"count": 2}))

    assert report.done == {"trashed": 2}
    assert await live(database, filled) == [2, 3]


async def test_a_trash_without_an_index_is_warned_of(database, filled):
    before = await database.read(lambda c: weak_spots(c, trashing()))
    await database.write(lambda c: c.exec_driver_sql("CREATE INDEX ix_gone ON logs (gone_at)"))
    after = await database.read(lambda c: weak_spots(c, trashing()))

    assert [each["field"] for each in before] == ["date_column", "trash_column"]
    assert [each["field"] for each in after] == ["date_column"]


async def test_a_day_can_be_the_mark(database, filled):
    report = await clean(database, trashing("gone_on"))
    again = await clean(database, trashing("gone_on"), now=NOW + 7 * DAY)
    late = await clean(database, trashing("gone_on"), now=NOW + 9 * DAY)

    assert (report.done, again.deleted, late.deleted) == ({"trashed": 4}, 0, 4)


@pytest.mark.parametrize("column", ["misspelt", "at", "state_", "id"])
async def test_a_column_that_cannot_be_the_mark_is_refused(database, filled, column):
    problems = await database.read(lambda c: check_rows_policy(c, trashing(column)))

    assert [problem["field"] for problem in problems] == ["trash_column"]


async def test_another_action_leaves_the_trash_to_its_time_and_lets_it_come_back(database, filled):
    await clean(database, trashing())
    await fill(database, filled, [{"id": 7, "at": NOW - 2 * DAY}])
    deleting = trashing().model_copy(update={"action": "delete"})

    report = await clean(database, deleting, now=NOW + DAY / 2)
    left = await values(database, filled.c.id)
    (archive,) = await archives(deleting, database, NOTHING)
    planned = await restore(deleting, archive["archive"], database=database, means=NOTHING, dry_run=True)
    late = await clean(database, deleting, now=NOW + 8 * DAY)

    assert (report.done, report.deleted, left) == ({}, 1, [0, 1, 2, 3, 4, 5])
    assert (archive["rows"], planned.rows) == (4, 4)
    assert late.deleted == 6
    assert await values(database, filled.c.id) == []
