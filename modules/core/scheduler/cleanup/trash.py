"""The trash of a root: what has lain there long enough is deleted."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from modules.core.scheduler.cleanup.depots import batches
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.guards import Allowance
from modules.core.scheduler.cleanup.moving import BLOCK
from modules.core.scheduler.cleanup.report import PURGED, Report, Tally
from modules.core.scheduler.cleanup.walk import (
    TRASH,
    Folder,
    RefusedDirectoryError,
    StoppedError,
    Walk,
    innermost_root,
    opened,
)


def purge(
    root: Path,
    now: datetime,
    tally: Tally,
    allowance: Allowance,
    *,
    dry_run: bool,
    should_stop: Callable[[], bool],
) -> None:
    """Delete the batches of a root's trash whose time is over, whichever policy they came from.

    Counts `purged` files and their bytes in the tally; raises `RefusedDirectoryError`, `StoppedError` and
    `GuardExceededError`.
    """
    purging = _Purging(tally, allowance, dry_run=dry_run)
    walk = Walk("*", recursive=True, should_stop=should_stop, tally=tally, remove_empty=purging.remove)
    try:
        with opened(root, root / TRASH) as fd:
            over = [batch.name for batch in batches(fd) if batch.expires_at is not None and batch.expires_at <= now]
            for name in over:
                for folder in walk.below(fd, root / TRASH / name):
                    purging.empty(folder)
    except FileNotFoundError:
        return


def trash_root(policy: FilesPolicy, roots: Sequence[Path]) -> Path | None:
    """Return the root in whose trash a policy's files lie; None where its directory lies below no root any more."""
    try:
        return innermost_root(policy.directory, tuple(roots))
    except RefusedDirectoryError:
        return None


def purge_roots(roots: Sequence[Path], now: datetime, *, dry_run: bool, should_stop: Callable[[], bool]) -> Report:
    """Delete what has lain long enough in the trash of each root, and report it; blocking."""
    tally = Tally()
    for root in roots:
        try:
            purge(root, now, tally, Allowance(), dry_run=dry_run, should_stop=should_stop)
        except StoppedError:
            tally.note = "stopped on request; the next run goes on"
            break
        except (RefusedDirectoryError, OSError) as error:
            tally.fail(f"the trash of {str(root)!r} cannot be looked at: {error}")
    return tally.report(FilesPolicy.kind, started_at=now, dry_run=dry_run)


class _Purging:
    def __init__(self, tally: Tally, allowance: Allowance, *, dry_run: bool) -> None:
        self._tally = tally
        self._allowance = allowance
        self._dry_run = dry_run

    def empty(self, folder: Folder) -> None:
        for entry in folder.entries:
            try:
                self._unlink(folder, entry)
            except OSError as error:
                self._tally.fail(f"cannot delete {str(folder.path / entry.name)!r}: {error.strerror}")

    def remove(self, outer: int, path: Path, before: os.stat_result) -> bool:
        del before
        try:
            if not self._dry_run:
                os.rmdir(path.name, dir_fd=outer)
        except OSError as error:
            self._tally.fail(f"cannot delete {str(path)!r}: {error.strerror}")
            return False
        return True

    def _unlink(self, folder: Folder, entry: os.DirEntry[str]) -> None:
        seen = entry.stat(follow_symlinks=False)
        if not stat.S_ISREG(seen.st_mode):
            self._tally.skip("not_a_file")
            return
        if not self._allowance.take(seen.st_size, from_trash=True):
            self._tally.keep("budget")
            return
        if not self._dry_run:
            os.unlink(entry.name, dir_fd=folder.fd)
        folder.level.left -= 1
        self._tally.done[PURGED] += 1
        self._tally.bytes += seen.st_size
        self._tally.freed_bytes += seen.st_blocks * BLOCK if seen.st_nlink == 1 else 0
