"""Rows are anonymised once, wholly or not at all, and a pseudonym stands for the same value everywhere."""

from __future__ import annotations

import pytest
from aged_rows import DAY, NOW, clean, create, fill, values
from sqlalchemy import Boolean, Column, Integer, String, select

from framework.database import UtcDateTime
from framework.testing.statements import seen_by
from modules.core.scheduler.cleanup import Means, PolicyError, RowsPolicy, check_rows_policy, parse_policy

KEY = Means(pseudonym_key=b"a secret of the operator")
ERASED = {"name": "erased", "mail": None}


@pytest.fixture
async def people(database):
    return await create(
        database,
        Column("id", Integer, primary_key=True),
        Column("at", UtcDateTime, nullable=False),
        Column("name", String(40), nullable=False),
        Column("mail", String(80), unique=True),
        Column("code", String(5)),
        Column("erased_at", UtcDateTime),
        Column("erased", Boolean),
        name="people",
    )


def anonymising(columns, **keys):
    rows = {"table_name": "people", "date_column": "at", "max_age": DAY}
    return RowsPolicy(**rows, action="anonymise", anonymise=columns, **keys)


async def old_and_new(database, people):
    names = ["Ann", "Bob", "Ann"]
    old = [{"id": n, "at": NOW - 2 * DAY, "name": names[n], "mail": f"{n}@a.org"} for n in range(3)]
    await fill(database, people, [*old, {"id": 9, "at": NOW, "name": "New", "mail": "new@a.org"}])


async def test_columns_become_constants_and_null_and_the_rest_stays(database, people):
    await old_and_new(database, people)

    planned = await clean(database, anonymising(ERASED), dry_run=True)
    report = await clean(database, anonymising(ERASED, batch_size=2))

    assert (report.errors, report.deleted, report.done, report.batches) == ((), 0, {"anonymised": 3}, 2)
    assert planned.matched == report.matched == 3
    assert await values(database, people.c.name) == ["New", "erased", "erased", "erased"]
    assert [mail for mail in await values(database, people.c.mail) if mail] == ["new@a.org"]


@pytest.mark.parametrize("keys", [{}, {"done_column": "erased_at"}, {"done_column": "erased"}])
async def test_a_row_that_is_done_is_not_touched_again(database, people, keys):
    await old_and_new(database, people)
    await clean(database, anonymising(ERASED, **keys))

    with seen_by(database) as seen:
        again = await clean(database, anonymising(ERASED, **keys))

    assert (again.matched, again.done) == (0, {})
    assert [text for text, _ in seen.statements if text.startswith("UPDATE")] == []


async def test_a_row_that_got_its_name_back_is_done_again(database, people):
    await old_and_new(database, people)
    await clean(database, anonymising(ERASED))
    await database.write(lambda c: c.execute(people.update().where(people.c.id == 1).values(name="Bob")))

    assert (await clean(database, anonymising(ERASED))).done == {"anonymised": 1}


async def test_a_pseudonym_stands_for_the_same_value_and_hides_it(database, people):
    await old_and_new(database, people)
    policy = anonymising({"name": "hash", "mail": "hash"}, done_column="erased_at")

    report = await clean(database, policy, means=KEY)
    names = await database.read(lambda c: c.scalars(select(people.c.name).order_by(people.c.id)).all())
    again = await clean(database, policy, means=KEY)
    after = await database.read(lambda c: c.scalars(select(people.c.name).order_by(people.c.id)).all())

    assert report.done == {"anonymised": 3}
    assert names[0] == names[2] != names[1]
    assert len(names[0]) == len(names[1]) == 32
    assert names[3] == "New"
    assert (again.done, after) == ({}, names)
    assert len(set(await values(database, people.c.mail))) == 4


async def test_another_secret_gives_another_pseudonym(database, people):
    await old_and_new(database, people)
    policy = anonymising({"name": "hash"}, done_column="erased_at")
    await clean(database, policy, means=KEY)
    first = set(await values(database, people.c.name)) - {"New"}
    await database.write(lambda c: c.execute(people.delete()))
    await old_and_new(database, people)

    await clean(database, policy, means=Means(pseudonym_key=b"another secret entirely"))

    assert not first & set(await values(database, people.c.name))


async def test_what_the_database_refuses_is_undone_as_a_whole(database, people):
    await old_and_new(database, people)
    await database.write(lambda c: c.exec_driver_sql("CREATE UNIQUE INDEX one_name ON people (name, code)"))
    await database.write(lambda c: c.execute(people.update().where(people.c.id < 2).values(code="x")))
    await database.write(lambda c: c.execute(people.update().where(people.c.id == 2).values(code="y")))

    report = await clean(database, anonymising({"name": "erased"}))

    assert (report.success, report.done) == (False, {})
    assert await values(database, people.c.name) == ["Ann", "Ann", "Bob", "New"]


@pytest.mark.parametrize(
    ("columns", "keys", "field"),
    [
        ({"nmae": "x"}, {}, "anonymise.nmae"),
        ({"id": 7}, {}, "anonymise.id"),
        ({"name": None}, {}, "anonymise.name"),
        ({"name": 7}, {}, "anonymise.name"),
        ({"code": "too long"}, {}, "anonymise.code"),
        ({"mail": "x@y.org"}, {}, "anonymise"),
        ({"code": "hash"}, {"done_column": "erased_at"}, "anonymise.code"),
        ({"name": "hash"}, {"done_column": "name"}, "done_column"),
        ({"name": "hash"}, {"done_column": "at"}, "done_column"),
        ({"name": "x"}, {"done_column": "misspelt"}, "done_column"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_nothing_is_changed(database, people, columns, keys, field):
    await old_and_new(database, people)
    policy = anonymising(columns, **keys)

    problems = await database.read(lambda c: check_rows_policy(c, policy, means=KEY))
    report = await clean(database, policy, means=KEY)

    assert field in [problem["field"] for problem in problems]
    assert not report.success
    assert await values(database, people.c.name) == ["Ann", "Ann", "Bob", "New"]


async def test_pseudonyms_without_a_secret_are_refused(database, people):
    await old_and_new(database, people)

    report = await clean(database, anonymising({"name": "hash"}, done_column="erased_at"))

    assert "housekeeper_pseudonym_key" in report.errors[0]
    assert "Bob" in await values(database, people.c.name)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"action": "anonymise"}, "anonymise"),
        ({"action": "anonymise", "anonymise": {"name": "hash"}}, "done_column"),
        ({"anonymise": {"name": "x"}}, "anonymise"),
        ({"action": "trash", "trash_column": "gone_at"}, "trash_for"),
        ({"action": "archive", "trash_column": "gone_at"}, "trash"),
        ({"action": "archive", "archive_to": {"table": "scheduler_events"}}, "never"),
        ({"action": "archive", "archive_to": {"directory": "/etc/x"}}, "root"),
        ({"action": "archive", "archive_to": {}}, "one of them"),
        ({"action": "archive", "archive_to": {"table": "old"}, "compress": True}, "files"),
        ({"action": "drop_partition", "max_age": None}, "max_age"),
        ({"action": "drop_partition", "keep_newest": {"count": 3}}, "keep_newest"),
        ({"action": "shred"}, "action"),
    ],
)
def test_keys_of_another_action_and_missing_ones_are_refused(tmp_path, keys, word):
    config = {"table_name": "people", "date_column": "at", "max_age": "30 days"} | keys

    with pytest.raises(PolicyError, match=word):
        parse_policy(config, default_interval=DAY, allowed_roots=(tmp_path,))


@pytest.mark.parametrize(
    "keys",
    [
        {"action": "archive", "archive_to": {"table": "old"}},
        {"action": "archive", "archive_to": {"directory": "FOLDER"}, "compress": True},
        {"action": "anonymise", "anonymise": {"name": "x", "mail": None}},
        {"action": "trash", "trash_column": "gone_at", "trash_for": "30 days"},
        {"action": "drop_partition"},
    ],
)
def test_a_stored_policy_reads_back_as_it_was(tmp_path, keys):
    text = {"table_name": "people", "date_column": "at", "max_age": "30 days"} | keys
    if "directory" in keys.get("archive_to", {}):
        text["archive_to"] = {"directory": str(tmp_path / "old")}
    policy = parse_policy(text, default_interval=DAY, allowed_roots=(tmp_path,))

    again = parse_policy(policy.to_config(), default_interval=DAY, allowed_roots=(tmp_path,))

    assert again == policy
