"""What other modules keep in columns of other types comes over, too, or is refused by name."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from framework import Application, Module
from framework.database import Database
from framework.database.copying import CopyRefused
from framework.moving import move

REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("zz_parents", sa.Column("id", sa.Integer, primary_key=True))
    op.create_table(
        "kept",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("parent", sa.Integer, sa.ForeignKey("zz_parents.id")),
        sa.Column("said", sa.JSON, nullable=True),
        sa.Column("price", sa.Numeric(20, 6)),
        sa.Column("picture", sa.LargeBinary),
        sa.Column("day", sa.Date),
    )
    if "{more}" and op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE kept ADD COLUMN words text[]")
    elif "{more}":
        op.add_column("kept", sa.Column("words", sa.Text))
"""
KEPT = sa.table(
    "kept",
    sa.column("id", sa.Integer),
    sa.column("parent", sa.Integer),
    sa.column("said", sa.JSON),
    sa.column("price", sa.Text),
    sa.column("picture", sa.LargeBinary),
    sa.column("day", sa.Date),
)
SAID: list[Any] = [{"b": 1.10, "a": [None, True, 12345678901234567890]}, "text", None]


class Keeper(Module):
    id = "acme.keeper"


def application(url: str, folder: Path) -> Application:
    return Application([Keeper()], {"framework": {"database_url": url, "data_dir": str(folder / "data")}})


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def write(more: str = "") -> None:
        package = f"keeper_{tmp_path.name}".replace("-", "_")
        folder = tmp_path / package / "migrations"
        folder.mkdir(parents=True)
        (folder / "0001.py").write_text(REVISION.replace("{more}", more))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(Keeper, "migrations", f"{package}:migrations", raising=False)

    return write


async def store(url: str) -> None:
    database = Database(url)
    rows = [
        {
            "id": 7 + number,
            "parent": 1,
            "said": said,
            "price": "1.100001",
            "picture": b"\x00\xff",
            "day": date(2026, 2, 28),
        }
        for number, said in enumerate(SAID)
    ]
    await database.write(lambda c: c.execute(sa.text("INSERT INTO zz_parents VALUES (1)")))
    await database.write(lambda c: c.execute(sa.insert(KEPT), rows))
    await database.write(lambda c: c.execute(sa.text("INSERT INTO kept (id) VALUES (1)")))  # said is no JSON at all
    await database.close()


async def carry(source: Application, target: Application) -> dict[str, dict[str, Any]]:
    return (await move(source, target, in_use=(), told=lambda *_: None)).tables


@pytest.mark.postgres
async def test_columns_of_any_usual_type_go_to_postgresql_and_back(
    sqlite_url: str, postgres_url: str, tmp_path: Path, release: Any
) -> None:
    release()
    back_url = f"sqlite:///{tmp_path / 'back.db'}"
    here, there, back = (application(url, tmp_path) for url in (sqlite_url, postgres_url, back_url))
    await here.upgrade()
    await store(sqlite_url)

    assert await carry(here, there) == await carry(there, back)

    on_server, returned = Database(postgres_url), Database(back_url)
    query = sa.text(
        "SELECT CAST(said AS TEXT) AS said, CAST(price AS TEXT) AS price, picture, day FROM kept ORDER BY id"
    )
    rows = await returned.read(lambda c: c.execute(query).all())
    assert [row.said and json.loads(row.said) for row in rows] == [None, *SAID]
    assert rows[0].said is None
    assert rows[3].said == "null"
    assert Decimal(rows[1].price) == Decimal("1.100001")
    assert (rows[1].picture, rows[1].day) == (b"\x00\xff", "2026-02-28")
    following = sa.text("INSERT INTO kept (parent) VALUES (1) RETURNING id")
    assert await on_server.write(lambda c: c.execute(following).scalar()) == 7 + len(SAID)
    await on_server.close()
    await returned.close()


@pytest.mark.postgres
async def test_a_column_that_only_one_of_them_knows_is_refused_by_name(
    sqlite_url: str, postgres_url: str, tmp_path: Path, release: Any
) -> None:
    release("more")
    here, there = application(sqlite_url, tmp_path), application(postgres_url, tmp_path)
    await here.upgrade()

    with pytest.raises(CopyRefused, match=r"kept\.words has the type .*, which cannot be carried over"):
        await carry(here, there)
