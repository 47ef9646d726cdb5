"""Storage: the disk is full, or somebody holds the database locked, while tasks fire and run."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.torture.arena import Arena, Verdict
from benchmarks.torture.explained import OVERLAPPED
from benchmarks.torture.holding import held_open
from benchmarks.torture.worker import every, one_time

SMALL = "32m"
PAGE = 4_096
EVERY_TABLE = "LOCK TABLE scheduler_events, scheduler_executions IN ACCESS EXCLUSIVE MODE"
PRODUCED = 50  # tasks that each process schedules in a second meanwhile, and that need room


def fill_the_disk(arena: Arena, *, times: int, seconds: float, tasks: int = 200) -> Verdict:
    """Let the database find no room to grow for a while, and give it room again: SQLite, in the midst of work."""
    full = arena.folder / "full"
    arena.schedule(_load(tasks * (times + 1), seconds * times))
    with arena.herd(full_disk=full, produce=round(PRODUCED * times * (seconds + 1))) as herd:
        herd.start(2)
        for number in range(times):
            arena.until_begun(tasks * number + tasks // 2)
            full.touch()
            time.sleep(seconds)
            full.unlink()
        unclean = arena.finish(herd)
    refused = (arena.folder / "log").read_text(errors="replace").count("database or disk is full")
    return arena.verdict(allowed={OVERLAPPED}, fills=times, refused=refused, unclean_exits=unclean)


def fill_the_filesystem(arena: Arena, *, times: int, seconds: float, tasks: int = 200) -> Verdict:
    """The same with a real file system that another file fills (ENOSPC); it takes the right to mount one."""
    small = arena.folder / "small"
    small.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "none", small], check=False)
    if mount.returncode:
        return Verdict([], {"not_tested_for_lack_of_rights": 1})
    try:
        arena.life = replace(arena.life, url=f"sqlite+aiosqlite:///{small / 'torture.db'}")
        arena.schedule(_load(tasks * (times + 1), seconds * times))
        with arena.herd(produce=round(PRODUCED * times * (seconds + 1))) as herd:
            herd.start(2)
            for number in range(times):
                arena.until_begun(tasks * number + tasks // 2)
                _take_all_there_is(small / "ballast")
                time.sleep(seconds)
                (small / "ballast").unlink()
            unclean = arena.finish(herd)
        refused = (arena.folder / "log").read_text(errors="replace").count("database or disk is full")
        return arena.verdict(allowed={OVERLAPPED}, fills=times, refused=refused, unclean_exits=unclean)
    finally:
        subprocess.run(["umount", "--lazy", small], check=False)


def _take_all_there_is(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(PAGE))


def lock_the_database(arena: Arena, *, times: int, seconds: float, tasks: int = 200) -> Verdict:
    """Hold the write lock for so long, more than a lease or even the busy timeout, while two nodes work."""
    arena.schedule(_load(tasks * (times + 1), seconds * times))
    with arena.herd() as herd:
        herd.start(2)
        for number in range(times):
            arena.until_begun(tasks * number + tasks // 2)
            with _locked(arena.url):
                time.sleep(seconds)
        unclean = arena.finish(herd)
    return arena.verdict(allowed={OVERLAPPED}, locks=times, unclean_exits=unclean)


def _load(tasks: int, seconds: float) -> list[dict[str, object]]:
    recurring = [every(f"recurring {number}", 0.25, max(round(4 * seconds), 8)) for number in range(3)]
    return [*recurring, *[one_time(f"task {number}", parameters={"seconds": 0.02}) for number in range(tasks)]]


@contextmanager
def _locked(url: str) -> Iterator[None]:
    if url.startswith("sqlite"):
        db = sqlite3.connect(url.split(":///", 1)[1], timeout=30, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            db.execute("ROLLBACK")
            db.close()
        return
    with held_open(url, EVERY_TABLE):
        yield
