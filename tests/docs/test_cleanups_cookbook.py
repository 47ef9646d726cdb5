"""Every recipe of docs/how-to/cleanups.md is registered as it is written, and does what the page says of it."""

from __future__ import annotations

import gzip
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aged_files import names
from aged_rows import create, fill, values
from cooking import Cook, Put, Shop
from sqlalchemy import Boolean, Column, DateTime, Integer, String, Table, select

from framework.database import Database
from framework.result import ResultError
from modules.core.scheduler.cleanup import files
from modules.core.scheduler.cleanup.space import Disk

SIZE = 64 * 1024  # of a file of which the disk takes as much as it has
BEYOND = 600_000_000  # of a file that has more than the logs may have; the disk has little of it


async def put_rows(database: Database, table: Table, now: datetime, column: str, *rows: dict[str, Any]) -> None:
    """Fill a table; the column is given as an age in days."""
    await fill(database, table, [row | {column: now - timedelta(days=row[column])} for row in rows])


def number() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def date(name: str) -> Column[datetime]:
    return Column(name, DateTime(timezone=True))


async def test_sessions_that_are_over_go(cook: Cook, database: Database, database_url: str, now: datetime) -> None:
    table = await create(database, number(), date("expires_at"), name="sessions")
    await put_rows(database, table, now, "expires_at", {"id": 1, "expires_at": 0.01}, {"id": 2, "expires_at": -0.01})

    await cook("sessions", database_url)

    assert await values(database, table.c.id) == [2]


async def test_closed_accounts_forget_whose_they_were(
    cook: Cook, database: Database, database_url: str, now: datetime
) -> None:
    texts = [Column(name, String(100)) for name in ("status", "name", "phone", "mail")]
    columns = (number(), date("closed_at"), *texts, Column("legal_hold", Boolean), date("erased_at"))
    table = await create(database, *columns, name="accounts")
    ann = {"name": "Ann", "phone": "1", "mail": "ann@example.org", "status": "closed", "legal_hold": False}
    closed = [ann | {"id": 1, "closed_at": 1100}, ann | {"id": 2, "closed_at": 1090}]
    kept = [
        ann | {"id": 3, "closed_at": 1100, "legal_hold": True},
        ann | {"id": 4, "closed_at": 1100, "status": "open"},
    ]
    await put_rows(database, table, now, "closed_at", *closed, *kept)

    scheduler = await cook("forgotten", database_url)
    untouched = await values(database, table.c.name)
    (cleanup,) = (await scheduler.list_cleanups(module_id=Shop.id)).unwrap()
    plan = (await scheduler.preview_cleanup(cleanup["id"])).unwrap()
    (await scheduler.apply_cleanup(plan["plan_id"])).unwrap()

    (erased,) = await database.read(lambda c: c.execute(select(table).where(table.c.id == 1)).all())
    assert untouched == ["Ann"] * 4
    assert (erased.name, erased.phone, len(erased.mail), erased.erased_at is None) == ("erased", "", 32, False)
    assert await values(database, table.c.name) == ["Ann", "Ann", "Ann", "erased"]


async def test_audit_rows_go_to_an_archive_and_come_back(
    cook: Cook, database: Database, database_url: str, data: Path, now: datetime
) -> None:
    table = await create(database, number(), date("at"), Column("what", String(50)), name="audit")
    rows = [{"id": each, "at": days, "what": f"n{each}"} for each, days in enumerate((400, 370, 300, 1), 1)]
    await put_rows(database, table, now, "at", *rows)

    scheduler = await cook("audit", database_url)
    left = await values(database, table.c.id)
    (cleanup,) = (await scheduler.list_cleanups(module_id=Shop.id)).unwrap()
    (archive,) = (await scheduler.list_archives(cleanup["id"])).unwrap()
    (file,) = (path for path in (data / "audit").rglob("*") if path.is_file())
    (await scheduler.restore_cleanup(cleanup["id"], archive["archive"])).unwrap()

    assert (left, file.suffix, len(gzip.decompress(file.read_bytes()).splitlines()) >= 2) == ([3, 4], ".gz", True)
    assert await values(database, table.c.what) == ["n1", "n2", "n3", "n4"]


async def test_temporary_files_go_with_their_folders(cook: Cook, sqlite_url: str, data: Path, put: Put) -> None:
    for path, days in {"tmp/a/old": 2, "tmp/new": 0.5, "tmp/x.lock": 9, "tmp/keep/old": 9, "elsewhere/old": 9}.items():
        put(path, days)

    await cook("temporary", sqlite_url)

    assert names(data) >= {"tmp/new", "tmp/x.lock", "tmp/keep/old", "elsewhere/old"}
    assert not (data / "tmp" / "a").exists()


async def test_uploads_go_to_the_trash_and_unfinished_ones_at_once(
    cook: Cook, sqlite_url: str, data: Path, put: Put
) -> None:
    put_uploads = {"jan/dead.part": 2, "going.part": 0.5, "jan/old": 100, **{f"new{n}": 80 for n in range(19)}}
    for path, days in put_uploads.items():
        put(f"uploads/{path}", days)

    await cook("uploads", sqlite_url)

    left = names(data / "uploads")
    assert (len(left), left & {"jan/dead.part", "going.part", "jan/old"}) == (20, {"going.part"})
    assert [path.name for path in (data / ".trash").rglob("*") if path.is_file()] == ["old"]


async def test_more_than_a_tenth_of_the_uploads_does_not_go_at_once(
    cook: Cook, sqlite_url: str, data: Path, put: Put
) -> None:
    for number in range(10):
        put(f"uploads/{number}", 100 if number < 2 else 1)

    with pytest.raises(ResultError, match="CLEANUP_FAILED"):
        await cook("uploads", sqlite_url)

    assert len(names(data / "uploads")) == 10


async def test_seven_rotated_logs_stay_however_old_they_are(cook: Cook, sqlite_url: str, data: Path, put: Put) -> None:
    for days in range(40, 50):
        put(f"logs/app.log.{days}", days)

    await cook("logs", sqlite_url)

    assert names(data / "logs") == {f"app.log.{days}.gz" for days in range(40, 47)}


async def test_rotated_logs_are_compressed_and_then_go(cook: Cook, sqlite_url: str, data: Path, put: Put) -> None:
    put("logs/app.log", 99)
    for days in (0.5, *range(2, 9), 40, 50):
        put(f"logs/app.log.{days}", days)
    put("logs/app.log.9.gz", 9, BEYOND)

    await cook("logs", sqlite_url)

    compressed = {f"app.log.{days}.gz" for days in range(2, 9)}
    assert names(data / "logs") == {"app.log", "app.log.0.5", *compressed}
    assert gzip.decompress((data / "logs" / "app.log.2.gz").read_bytes()) == b"x" * 10


async def test_backups_are_kept_by_day_by_week_and_by_month(
    cook: Cook, sqlite_url: str, data: Path, put: Put, now: datetime
) -> None:
    dates = {f"shop-{now - timedelta(days=days):%Y%m%d}.dump": days for days in range(500)}
    for name, days in {**dates, "other.dump": 450, "README": 499}.items():
        put(f"backups/{name}", days)

    await cook("backups", sqlite_url)

    left = {name: dates.get(name) for name in names(data / "backups")}
    kept = sorted(days for days in left.values() if days is not None)
    months = {(now - timedelta(days=days)).strftime("%Y%m") for days in kept}
    assert kept[:7] == list(range(7))
    assert len(months) == 12
    assert len(kept) <= 7 + 4 + 12
    assert {"other.dump", "README"} <= left.keys()


async def test_a_full_disk_gets_room_by_the_oldest_thumbnails(
    cook: Cook, sqlite_url: str, data: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in range(20):
        put(f"thumbnails/a/{days:02}.png", days + 1, SIZE)
    taken = (data / "thumbnails" / "a" / "00.png").stat().st_blocks * 512
    monkeypatch.setattr(files, "disk_of", lambda _fd: Disk(total=100 * taken, free=8 * taken))

    await cook("disk", sqlite_url)

    assert names(data / "thumbnails") == {f"a/{days:02}.png" for days in range(10)}
