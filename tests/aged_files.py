"""Files of a chosen age, for tests of cleanups."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest


def write(path: Path, size: int = 10) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def aged(path: Path, by: timedelta, size: int = 10) -> Path:
    """Write a file whose mtime lies so far back; its ctime cannot be set, so `later` moves the run's moment."""
    write(path, size)
    past = path.stat().st_mtime_ns - by // timedelta(microseconds=1) * 1000
    os.utime(path, ns=(past, past))
    return path


def later(folder: Path, by: timedelta) -> datetime:
    """Return the moment so long after now, by the file system's clock."""
    return datetime.fromtimestamp(folder.stat().st_mtime, UTC) + timedelta(seconds=1) + by


def names(folder: Path) -> set[str]:
    """Return the relative paths of all that is no directory."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def synced_before_deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that comes to tell, in order, what was made durable and which names were deleted."""
    fsync, unlink, told = os.fsync, os.unlink, list[str]()

    def telling_fsync(fd: int) -> None:
        told.append("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        fsync(fd)

    def telling_unlink(name: str, **options: Any) -> None:
        unlink(name, **options)
        told.append(name)

    monkeypatch.setattr(os, "fsync", telling_fsync)
    monkeypatch.setattr(os, "unlink", telling_unlink)
    return told
