"""The verbs mean the same on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, delete, insert, select

from framework.database import Database, for_update, insert_ignore, row_address, skip_locked, upsert, write_log_back

metadata = MetaData()
words = Table(
    "words", metadata, Column("id", Text, primary_key=True), Column("n", Integer, unique=True), Column("t", Text)
)
marks = Table("marks", metadata, Column("id", Integer, primary_key=True), Column("word", Text))


@pytest.fixture
async def database(database: Database) -> Database:
    await database.write(metadata.create_all)
    await database.write(lambda c: c.execute(insert(words).values(id="a", n=1, t="old")))
    return database


async def all_words(database: Database) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await database.read(lambda c: c.execute(select(words).order_by(words.c.id)).all())]


@pytest.mark.parametrize("taken", [{"id": "a", "n": 2}, {"id": "b", "n": 1}])
async def test_a_row_whose_key_is_taken_is_left_out(database: Database, taken: dict[str, object]) -> None:
    inserted = await database.write(lambda c: c.execute(insert_ignore(words).values(taken)).rowcount)

    assert inserted == 0
    assert await all_words(database) == [("a", 1, "old")]


async def test_a_row_whose_key_is_free_comes_in(database: Database) -> None:
    inserted = await database.write(lambda c: c.execute(insert_ignore(words).values(id="b", n=2, t="new")).rowcount)

    assert inserted == 1
    assert await all_words(database) == [("a", 1, "old"), ("b", 2, "new")]


async def test_of_many_rows_only_those_with_a_free_key_come_in(database: Database) -> None:
    rows = [{"id": "a", "n": 7, "t": "x"}, {"id": "b", "n": 2, "t": "y"}, {"id": "c", "n": 2, "t": "z"}]

    await database.write(lambda c: c.execute(insert_ignore(words), rows))

    assert await all_words(database) == [("a", 1, "old"), ("b", 2, "y")]


async def test_an_upsert_inserts_or_changes_only_the_columns_named(database: Database) -> None:
    statement = upsert(words, ["id"], ["n"])

    await database.write(lambda c: c.execute(statement.values(id="a", n=5, t="new")))
    await database.write(lambda c: c.execute(statement.values(id="b", n=6, t="new")))

    assert await all_words(database) == [("a", 5, "old"), ("b", 6, "new")]


async def test_rows_are_read_for_update_alone_and_in_a_join(database: Database) -> None:
    def ask(c: Connection) -> list[int]:
        joined = select(words).outerjoin(marks, marks.c.word == words.c.id)
        queries = [for_update(select(words)), skip_locked(select(words)), skip_locked(joined, of=words)]
        return [len(c.execute(query).all()) for query in queries]

    assert await database.write(ask) == [1, 1, 1]


@pytest.mark.postgres
async def test_rows_that_another_transaction_holds_are_skipped(postgres_url: str) -> None:
    database = Database(postgres_url)
    await database.write(metadata.create_all)
    await database.write(lambda c: c.execute(insert(words), [{"id": "a", "n": 1}, {"id": "b", "n": 2}]))
    other = database.clone()

    async with database.begin() as holder:
        await holder.execute(for_update(select(words).where(words.c.id == "a")))
        free = await other.write(lambda c: c.execute(skip_locked(select(words.c.id))).scalars().all())

    assert free == ["b"]
    await other.close()
    await database.close()


async def test_rows_without_a_key_are_told_apart_by_where_they_lie(database: Database) -> None:
    twins = Table("twins", MetaData(), Column("t", Text))
    await database.write(twins.create)
    await database.write(lambda c: c.execute(insert(twins), [{"t": "same"}] * 5))

    def delete_two(c: Connection) -> int:
        address = row_address(c.dialect)
        two = select(address).select_from(twins).limit(2).correlate(None)
        return c.execute(delete(twins).where(address.in_(two))).rowcount

    deleted = await database.write(delete_two)
    left = await database.read(lambda c: len(c.execute(select(twins)).all()))

    assert (deleted, left) == (2, 3)


async def test_the_log_of_a_file_is_written_back_while_somebody_writes(sqlite_database: Database) -> None:
    path = sqlite_database.path
    assert path is not None
    await sqlite_database.write(metadata.create_all)
    before = path.stat().st_size

    async with sqlite_database.begin() as writer:
        await writer.execute(insert(words).values(id="a", n=1))
        await sqlite_database.read(write_log_back)
        after = path.stat().st_size

    assert after > before
