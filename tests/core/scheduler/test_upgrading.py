"""A database of the revision before this one, with live tasks in it, is upgraded by whoever starts, and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from nodes import Stuck, kill, release_all
from sqlalchemy import Connection, MetaData, insert, inspect, select

from framework.database import Database
from framework.migrations import Migrations, SchemaTooNew, current, upgrade
from modules.core import scheduler

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None

def upgrade() -> None:
    for table in ("executions", "nodes"):
        op.add_column(f"scheduler_{{table}}", sa.Column("added_later", sa.Text()))
    op.create_table("scheduler_added_later", sa.Column("id", sa.Integer(), primary_key=True))
"""
FOLDER = Path(scheduler.__file__).parent / "migrations"
LEASE = 60.0


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrations:
    """The scheduler's revisions as the program before this one knows them: all but the newest."""
    package = f"before_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / package / "migrations"
    folder.mkdir(parents=True)
    for revision in sorted(FOLDER.glob("0*.py"))[:-1]:
        shutil.copy(revision, folder)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Migrations("core.scheduler", f"{package}:migrations")


@pytest.fixture
def after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the program after this one has its revisions: this one's, and one that adds, as every new one must."""
    package = f"after_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / package / "migrations"
    shutil.copytree(FOLDER, folder)
    newest = sorted(FOLDER.glob("0*.py"))[-1].name[:4]
    (folder / "9999_more.py").write_text(NEXT.format(newest=newest))
    monkeypatch.syspath_prepend(str(tmp_path))
    return f"{package}:migrations"


def rows_of(c: Connection) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the scheduler's tables, those that others point to first."""
    known = MetaData()
    known.reflect(c, only=lambda name, _: name.startswith("scheduler_"))
    return {table.name: [dict(row._mapping) for row in c.execute(select(table))] for table in known.sorted_tables}


def insert_as_it_was(c: Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Insert rows into the tables that there are, by the columns that they have."""
    known = MetaData()
    known.reflect(c, only=lambda name, _: name.startswith("scheduler_"))
    for table in known.sorted_tables:
        for row in rows.get(table.name, []):
            c.execute(insert(table).values({name: row[name] for name in table.columns.keys() & row.keys()}))


async def live_rows(start_node: Any) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Let a node die in the midst of its work; return what it leaves, and the ids of its tasks."""
    node, stuck = await start_node(), Stuck()
    node.register("work", stuck.run)
    ids = {"cut off": await node.add("work"), "recurring": await node.add_every(10)}
    await node.scheduler.turn()
    await stuck.started.wait()
    ids |= {"due": await node.add(), "later": await node.add(delay=300), "paused": await node.add()}
    (await node.scheduler.pause_task(ids["paused"])).unwrap()
    kill(node)
    rows = await node.app_context.database.read(rows_of)
    release_all()
    return rows, ids


async def empty(database: Database) -> None:
    """Drop every table."""

    def work(c: Connection) -> None:
        known = MetaData()
        known.reflect(c)
        known.drop_all(c)

    await database.alter(work)


async def test_live_tasks_of_the_revision_before_are_carried_out_after_the_upgrade(
    start_node: Any, database: Database, before: Migrations
) -> None:
    rows, ids = await live_rows(start_node)
    await empty(database)
    await upgrade(database, [before])
    await database.write(lambda c: insert_as_it_was(c, rows))

    node = await start_node()
    node.register("work", lambda: "done")
    await node.pass_time(LEASE + 1)
    await node.pass_time(300)

    assert await node.states(ids["cut off"]) == ["lost", "succeeded"]
    assert await node.states(ids["due"]) == await node.states(ids["later"]) == ["succeeded"]
    assert (await node.task(ids["paused"]))["status"] == "paused"
    recurring = await node.history(ids["recurring"])
    assert {row["state"] for row in recurring} == {"succeeded"}
    assert sum(1 + row["missed_count"] for row in recurring) == int((LEASE + 1 + 300) // 10)


async def test_the_program_before_refuses_the_upgraded_database_and_touches_nothing(
    node: Any, database: Database, before: Migrations
) -> None:
    task_id = await node.add()
    tables = await database.read(lambda c: sorted(inspect(c).get_table_names()))

    with pytest.raises(SchemaTooNew, match="the database is newer than this program"):
        await upgrade(database, [before])

    assert await database.read(lambda c: sorted(inspect(c).get_table_names())) == tables
    newest = sorted(FOLDER.glob("0*.py"))[-1].name[:4]
    assert await current(database, [before]) == {"core.scheduler": newest}
    await node.scheduler.run_due()
    assert await node.states(task_id) == ["succeeded"]


async def test_nodes_of_the_program_before_go_on_beside_those_of_the_new_one(
    start_node: Any, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = await start_node()
    shared = await older.add_every(10)
    monkeypatch.setattr("modules.core.scheduler.module.SchedulerModule.migrations", after)

    newer = await start_node()
    for _ in range(30):
        newer.clock.advance(10)
        await older.scheduler.run_due()
        await newer.scheduler.run_due()
    mine = await older.add()
    await older.scheduler.run_due()

    assert await newer.states(shared) == ["succeeded"] * 30
    assert older.runs
    assert await newer.states(mine) == ["succeeded"]
    assert len((await newer.scheduler.list_nodes()).unwrap()) == 2
