"""What the pages say of systemd-tmpfiles and logrotate is registered as it is written, and does what it says."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from aged_files import names
from cooking import Cook, Put


async def test_what_came_from_tmpfiles_goes_by_its_age(cook: Cook, sqlite_url: str, data: Path, put: Put) -> None:
    put("tmp/b/old", 29)
    for days in (9, 11, 27, 29):
        put(f"tmp/a/{days}", days)
        put(f"tmp/keep/{days}", days)
        put(f"exports/{days}/file", days)

    await cook("tmpfiles", sqlite_url)

    exports, kept = {"exports/9/file", "exports/11/file", "exports/27/file"}, {f"tmp/keep/{n}" for n in (9, 11, 27, 29)}
    assert names(data) == {"tmp/a/9", *kept, *exports}
    assert not (data / "exports" / "29").exists()
    assert not (data / "tmp" / "b").exists()


async def test_what_came_from_logrotate_keeps_seven_of_each_log(
    cook: Cook, sqlite_url: str, data: Path, put: Put, now: datetime
) -> None:
    put("logs/app.log", 0)
    for days in (0.5, *range(2, 12)):
        put(f"logs/app.log.{now - timedelta(days=days):%Y-%m-%d}", days)
    for days in range(28, 35):
        put(f"logs/gone.log.{now - timedelta(days=days):%Y-%m-%d}.gz", days + 0.5)

    await cook("logrotate", sqlite_url)

    left = names(data / "logs")
    of = {log: {name for name in left if name.startswith(f"{log}.log.")} for log in ("app", "gone")}
    wanted = {f"gone.log.{now - timedelta(days=days):%Y-%m-%d}.gz" for days in (28, 29)}
    assert (len(of["app"]), len({name for name in of["app"] if name.endswith(".gz")})) == (8, 7)
    assert (of["gone"], "app.log" in left) == (wanted, True)
