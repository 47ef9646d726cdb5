"""A tool opens an application beside a running one: phase one only, and nothing is made or changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_modules import Recorder

from framework import Application, Module
from framework.context import Phase
from framework.errors import DatabaseMissing, SchemaBehind

MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("parcels", sa.Column("id", sa.Integer, primary_key=True))
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    folder = tmp_path / "parcel_service" / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "0001_parcels.py").write_text(MIGRATION)
    return tmp_path


class Parcels(Recorder):
    id = "acme.parcels"
    migrations = "parcel_service:migrations"


def contents(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def application(*modules: Module, url: str) -> Application:
    return Application(modules=modules, settings={"framework": {"database_url": url}})


async def test_opening_registers_the_modules_and_starts_none(sqlite_url: str) -> None:
    events: list[str] = []
    app = application(Parcels(events), url=sqlite_url)
    await app.upgrade()

    async with app.open() as app_context:
        service = app_context.get_service("acme.parcels.service")
        phase = app_context.phase

    assert isinstance(service, Parcels)
    assert phase is Phase.RUNNING
    assert events == ["acme.parcels register"]


async def test_an_upgrade_is_told_beforehand_and_happens_once(sqlite_url: str, tmp_path: Path) -> None:
    app = application(Parcels([]), url=sqlite_url)
    (tmp_path / "test.db").touch()

    told, applied, again = await app.pending(), await app.upgrade(), await app.upgrade()

    assert told == applied == {"acme.parcels": ["0001"]}
    assert again == await app.pending() == {}


async def test_opening_with_old_tables_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    (tmp_path / "test.db").touch()

    with pytest.raises(SchemaBehind, match=r"acme\.parcels are not up to date; run `chamberlain db upgrade`"):
        async with application(Parcels([]), url=sqlite_url).open():
            pass


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///nowhere/my.db", r"there is no database at nowhere/my\.db yet"),
        ("sqlite:///:memory:", "the database is in memory"),
    ],
)
async def test_opening_without_a_database_is_refused_and_makes_none(tmp_path: Path, url: str, reason: str) -> None:
    with pytest.raises(DatabaseMissing, match=reason):
        async with application(Parcels([]), url=url).open():
            pass

    assert contents(tmp_path) == ["parcel_service"]
