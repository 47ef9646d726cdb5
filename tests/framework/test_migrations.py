"""The schema of a module is brought up to date by whoever starts first, and never by an older program."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from processes import run_together
from sqlalchemy import inspect, text

from framework.database import Database
from framework.migrations import Migrations, MigrationsMissing, SchemaTooNew, current, pending, upgrade

FIRST = """
revision = "0001"
down_revision = None

def upgrade():
    op.create_table("shelves", sa.Column("id", sa.Integer, primary_key=True))
    op.create_table(
        "books",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("shelf", sa.Integer, sa.ForeignKey("shelves.id", name="fk_books_shelf", ondelete="CASCADE")),
    )
"""
SECOND = """
revision = "0002"
down_revision = "0001"

def upgrade():
    op.execute("INSERT INTO shelves (id) VALUES (1)")
    op.execute("INSERT INTO books (id, shelf) VALUES (7, 1)")
"""
REBUILD = """
revision = "0003"
down_revision = "0002"

def upgrade():
    with op.batch_alter_table("shelves") as shelves:
        shelves.add_column(sa.Column("name", sa.Text, nullable=False, server_default="upper"))
        shelves.create_unique_constraint("uq_shelves_name", ["name"])
"""
BROKEN = """
revision = "0004"
down_revision = "0003"

def upgrade():
    op.create_table("half_done", sa.Column("id", sa.Integer, primary_key=True))
    raise RuntimeError("power cut")
"""


class Library:
    """A module of somebody else's, in a package that exists in this test only."""

    def __init__(self, root: Path, package: str) -> None:
        self.folder = root / package / "migrations"
        self.folder.mkdir(parents=True)
        self.migrations = Migrations("acme.library", f"{package}:migrations")

    def release(self, *revisions: str) -> None:
        for number, revision in enumerate(revisions):
            source = f"import sqlalchemy as sa\nfrom alembic import op\n{revision}"
            (self.folder / f"{number:04}.py").write_text(source, encoding="utf-8")

    def withdraw(self) -> None:
        for revision in self.folder.glob("*.py"):
            revision.unlink()


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.syspath_prepend(str(tmp_path))
    return Library(tmp_path, f"library_{tmp_path.name}".replace("-", "_"))


async def tables(database: Database) -> set[str]:
    return set(await database.read(lambda c: inspect(c).get_table_names()))


async def test_an_empty_database_gets_all_revisions_in_order(database: Database, library: Library) -> None:
    library.release(FIRST, SECOND, REBUILD)

    applied = await upgrade(database, [library.migrations])

    assert applied == {"acme.library": ["0001", "0002", "0003"]}
    assert await tables(database) == {"shelves", "books", "alembic_version_acme_library"}
    assert await current(database, [library.migrations]) == {"acme.library": "0003"}


async def test_a_second_upgrade_changes_nothing(database: Database, library: Library) -> None:
    library.release(FIRST, SECOND)
    await upgrade(database, [library.migrations])

    assert await upgrade(database, [library.migrations]) == {"acme.library": []}


async def test_what_is_pending_is_known_without_touching_the_database(database: Database, library: Library) -> None:
    library.release(FIRST, SECOND)

    waiting = await pending(database, [library.migrations])

    assert waiting == {"acme.library": ["0001", "0002"]}
    assert await current(database, [library.migrations]) == {"acme.library": None}
    assert await tables(database) == set()


async def test_only_what_is_new_is_applied(database: Database, library: Library) -> None:
    library.release(FIRST)
    await upgrade(database, [library.migrations])
    library.release(FIRST, SECOND)

    assert await upgrade(database, [library.migrations]) == {"acme.library": ["0002"]}


async def test_rebuilding_a_table_keeps_the_rows_that_point_to_it(database: Database, library: Library) -> None:
    library.release(FIRST, SECOND)
    await upgrade(database, [library.migrations])
    library.release(FIRST, SECOND, REBUILD)

    await upgrade(database, [library.migrations])

    joined = text("SELECT books.id, shelves.name FROM books JOIN shelves ON shelves.id = books.shelf")
    assert [tuple(row) for row in await database.read(lambda c: c.execute(joined).all())] == [(7, "upper")]


async def test_foreign_keys_are_enforced_again_after_an_upgrade(database: Database, library: Library) -> None:
    library.release(FIRST)
    await upgrade(database, [library.migrations])

    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await database.write(lambda c: c.execute(text("INSERT INTO books (id, shelf) VALUES (1, 99)")))


async def test_an_upgrade_that_leaves_rows_pointing_to_nothing_is_undone(
    sqlite_database: Database, library: Library
) -> None:
    library.release(FIRST, SECOND.replace("VALUES (7, 1)", "VALUES (7, 99)"))

    with pytest.raises(RuntimeError, match="1 rows would point to nothing, the first in table 'books'"):
        await upgrade(sqlite_database, [library.migrations])

    assert await tables(sqlite_database) == set()


async def test_a_revision_that_fails_leaves_nothing_behind(database: Database, library: Library) -> None:
    library.release(FIRST, SECOND, REBUILD, BROKEN)

    with pytest.raises(RuntimeError, match="power cut"):
        await upgrade(database, [library.migrations])

    assert await tables(database) == set()


async def test_an_older_program_refuses_a_newer_schema_and_touches_nothing(
    database: Database, library: Library, tmp_path: Path
) -> None:
    library.release(FIRST, SECOND)
    await upgrade(database, [library.migrations])
    library.withdraw()
    library.release(FIRST)
    other = Library(tmp_path, f"other_{library.migrations.location.partition(':')[0]}")
    other.release(FIRST.replace("shelves", "racks").replace("books", "discs"))
    older_program = [Migrations("acme.other", other.migrations.location), library.migrations]

    with pytest.raises(
        SchemaTooNew, match=r"^the database is newer than this program: acme\.library is at revision '0002'"
    ):
        await upgrade(database, older_program)
    with pytest.raises(SchemaTooNew):
        await pending(database, older_program)

    assert await tables(database) == {"shelves", "books", "alembic_version_acme_library"}


async def test_each_module_has_a_version_of_its_own(database: Database, library: Library, tmp_path: Path) -> None:
    library.release(FIRST)
    other = Library(tmp_path, f"other_{library.migrations.location.partition(':')[0]}")
    other.release(FIRST.replace("shelves", "racks").replace("books", "discs"))
    both = [library.migrations, Migrations("acme.other", other.migrations.location)]

    await upgrade(database, both)

    assert await current(database, both) == {"acme.library": "0001", "acme.other": "0001"}


async def test_a_database_in_memory_is_upgraded_too(library: Library) -> None:
    library.release(FIRST, SECOND, REBUILD)
    database = Database("sqlite://")

    await upgrade(database, [library.migrations])

    assert "books" in await tables(database)
    await database.close()


async def test_two_databases_are_upgraded_side_by_side(database_url: str, tmp_path: Path, library: Library) -> None:
    library.release(FIRST, SECOND)
    databases = [Database(database_url), Database(f"sqlite:///{tmp_path / 'second.db'}")]

    applied = await asyncio.gather(*(upgrade(database, [library.migrations]) for database in databases))

    assert applied == [{"acme.library": ["0001", "0002"]}] * 2
    for database in databases:
        assert await tables(database) == {"shelves", "books", "alembic_version_acme_library"}
        await database.close()


def test_processes_that_start_at_once_upgrade_once(database_url: str, tmp_path: Path, library: Library) -> None:
    library.release(FIRST, SECOND, REBUILD)
    program = f"""
        import asyncio
        from framework.database import Database
        from framework.migrations import Migrations, upgrade

        async def main():
            database = Database({database_url!r})
            print(len((await upgrade(database, [{library.migrations!r}]))["acme.library"]))
            await database.close()

        asyncio.run(main())
    """

    answers = run_together(program, count=4, path=[tmp_path])

    assert sorted(answers) == ["0", "0", "0", "3"]


async def test_a_folder_that_is_not_there_is_named(sqlite_database: Database) -> None:
    with pytest.raises(
        MigrationsMissing, match=r"acme\.reports names its migrations 'framework:nowhere': no such folder"
    ):
        await upgrade(sqlite_database, [Migrations("acme.reports", "framework:nowhere")])
    with pytest.raises(MigrationsMissing, match="No module named 'acme_nowhere'"):
        await upgrade(sqlite_database, [Migrations("acme.reports", "acme_nowhere:migrations")])


def test_alembic_is_not_imported_before_it_is_needed() -> None:
    program = "import framework.migrations, sys; print('alembic' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False"
