"""The trash of a root: what has lain there long enough is deleted."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from modules.core.scheduler.cleanup.depots import batches
from modules.core.scheduler.cleanup.moving import BLOCK
from modules.core.scheduler.cleanup.report import Tally
from modules.core.scheduler.cleanup.walk import TRASH, Folder, Walk, opened


def purge(root: Path, now: datetime, tally: Tally, *, dry_run: bool, should_stop: Callable[[], bool]) -> None:
    """Delete the batches of a root's trash whose time is over, whichever policy they came from.

    Counts `purged` files and the bytes freed in the tally; raises `RefusedDirectoryError` and `StoppedError`.
    """
    purging = _Purging(tally, dry_run=dry_run)
    walk = Walk("*", recursive=True, should_stop=should_stop, tally=tally, remove_empty=purging.remove)
    try:
        with opened(root, root / TRASH) as fd:
            over = [batch.name for batch in batches(fd) if batch.expires_at is not None and batch.expires_at <= now]
            for name in over:
                for folder in walk.below(fd, root / TRASH / name):
                    purging.empty(folder)
    except FileNotFoundError:
        return


class _Purging:
    def __init__(self, tally: Tally, *, dry_run: bool) -> None:
        self._tally = tally
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
        if not self._dry_run:
            os.unlink(entry.name, dir_fd=folder.fd)
        folder.level.left -= 1
        self._tally.done["purged"] += 1
        self._tally.freed_bytes += seen.st_blocks * BLOCK if seen.st_nlink == 1 else 0
