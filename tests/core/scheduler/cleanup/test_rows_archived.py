"""Rows are archived before they go, and come back exactly as they were: whatever fails, nothing is lost or doubled."""

from __future__ import annotations

import gzip
from datetime import date, time
from decimal import Decimal

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from archived_rows import TO_TABLE, archiving, old_and_new, restored, rows_of
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
    Time,
    Uuid,
    text,
)

from framework.database import UtcDateTime
from framework.testing.statements import watched
from modules.core.scheduler.cleanup import Means, archives, restore

NO_STEPS = ("BEGIN", "ROLLBACK", "SAVEPOINT", "RELEASE")


class BrokenError(Exception):
    """The process dies here."""


@pytest.fixture
def means(tmp_path):
    return Means(roots=(tmp_path,), archive_folder=tmp_path / "archive")


@pytest.fixture
async def logs(database):
    return await create(database, Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("x", Text))


@pytest.fixture
async def old_logs(database):
    columns = Column("id", Integer, primary_key=True), Column("at", UtcDateTime), Column("x", Text)
    return await create(database, *columns, name="old_logs")


@pytest.mark.parametrize("keys", [{}, {"compress": True}, TO_TABLE])
async def test_what_was_archived_comes_back_as_it_was(database, logs, old_logs, means, keys):
    await old_and_new(database, logs)
    before = await rows_of(database, logs)
    policy = archiving(batch_size=10, **keys)

    planned = await clean(database, policy, means=means, dry_run=True)
    report = await clean(database, policy, means=means)
    left = await values(database, logs.c.id)
    foreseen = await restored(database, policy, means, dry_run=True)
    back = await restored(database, policy, means)

    assert (report.errors, report.deleted, report.done, report.batches) == ((), 25, {"archived": 25}, 3)
    assert (planned.matched, planned.done) == (25, {})
    assert left == [100, 101, 102]
    assert foreseen == back == (25, 0)
    assert await rows_of(database, logs) == before
    assert await rows_of(database, old_logs) == []


async def test_restoring_twice_changes_nothing_and_says_so(database, logs, means):
    await old_and_new(database, logs)
    await clean(database, archiving(), means=means)
    await restored(database, archiving(), means)
    renew = logs.update().where(logs.c.id == 3).values(x="changed since")
    await database.write(lambda c: c.execute(renew))

    again = await restored(database, archiving(), means)

    assert again == (0, 25)
    assert (await rows_of(database, logs))[3].x == "changed since"


async def test_a_row_that_the_table_takes_no_more_keeps_no_other_from_coming_back(database, logs, means):
    await old_and_new(database, logs)
    policy = archiving()
    await clean(database, policy, means=means)
    await database.write(lambda c: c.execute(text("CREATE UNIQUE INDEX one_of_each ON logs (x)")))
    await fill(database, logs, [{"id": 500, "at": NOW, "x": "row 7"}])

    (archive,) = await archives(policy, database, means)
    done = await restore(policy, archive["archive"], database=database, means=means, dry_run=False)

    assert (done.rows, done.existing, len(done.errors)) == (24, 0, 1)
    assert "unique" in done.errors[0].lower()
    assert await values(database, logs.c.id) == [*range(7), *range(8, 25), 100, 101, 102, 500]


async def test_every_kind_of_value_comes_back_exactly(database, means):
    kinds = [Boolean, Date, Time, Float, Numeric(20, 8), LargeBinary, JSON, Uuid(as_uuid=False), Text]
    columns = [Column(f"c{number}", kind) for number, kind in enumerate(kinds)]
    table = await create(
        database,
        Column("key", Uuid(as_uuid=False), primary_key=True),
        Column("n", String(5), primary_key=True),
        Column("at", UtcDateTime),
        *columns,
        name="logs",
    )
    some = [True, date(2026, 1, 2), time(3, 4, 5, 6), 0.1 + 0.2, Decimal("123456789012.00000001")]
    some += [
        b"\x00\xff\n",
        {"a": [1, None, "ü"]},
        "00000000-0000-0000-0000-000000000007",
        "line\nquote\"'\\ \u2028 \U0001f600",
    ]
    at = {"at": NOW - 2 * DAY}
    rows = [
        {
            "key": "00000000-0000-0000-0000-000000000001",
            "n": "a",
            **at,
            **{f"c{n}": value for n, value in enumerate(some)},
        },
        {"key": "00000000-0000-0000-0000-000000000001", "n": "b", **at, **{f"c{n}": None for n in range(len(some))}},
    ]
    await fill(database, table, rows)
    before = await rows_of(database, table)

    report = await clean(database, archiving(compress=True), means=means)
    back = await restored(database, archiving(), means)

    assert (report.deleted, back) == (2, (2, 0))
    assert await rows_of(database, table) == before


@pytest.mark.parametrize("keys", [{}, TO_TABLE])
async def test_wherever_a_run_is_killed_nothing_is_lost_and_nothing_comes_back_twice(
    database, logs, old_logs, means, keys
):
    await old_and_new(database, logs, old=6)
    before = await rows_of(database, logs)
    policy = archiving(batch_size=3, count_kept=False, **keys)
    kills = 0
    for at in range(1, 100):
        steps = iter(range(at))

        def die(statement, _, steps=steps):
            if not statement.startswith(NO_STEPS) and next(steps, None) is None:
                raise BrokenError

        try:
            with watched(database, die):
                await clean(database, policy, means=means)
        except BrokenError:
            kills += 1
        else:
            break
        await restored(database, policy, means)
        assert await rows_of(database, logs) == before

    assert kills > 5
    assert await values(database, logs.c.id) == [100, 101, 102]


async def test_what_a_kill_left_unfinished_is_read_as_far_as_it_was_written(database, logs, means):
    await old_and_new(database, logs)
    await clean(database, archiving(batch_size=10, compress=True), means=means)
    (file,) = (means.archive_folder / "logs").iterdir()
    whole = file.read_bytes()
    file.unlink()
    part = file.with_name(file.name + ".part")
    part.write_bytes(whole[:-20])

    back = await restored(database, archiving(), means)

    assert 20 <= back[0] < 25


async def test_a_finished_archive_that_is_damaged_is_an_error(database, logs, means):
    await old_and_new(database, logs)
    await clean(database, archiving(compress=True), means=means)
    (file,) = (means.archive_folder / "logs").iterdir()
    file.write_bytes(file.read_bytes()[:-20])

    with pytest.raises(Exception, match="damaged"):
        await restored(database, archiving(), means)


async def test_archives_are_for_their_owner_alone_and_readable_by_other_tools(database, logs, means):
    await old_and_new(database, logs, old=2)

    await clean(database, archiving(compress=True), means=means)

    (file,) = (means.archive_folder / "logs").iterdir()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(gzip.decompress(file.read_bytes()).splitlines()) == 3
