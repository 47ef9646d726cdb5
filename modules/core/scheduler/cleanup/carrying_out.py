"""What is done with one file that goes: deleted, moved to a depot, or compressed where it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from modules.core.scheduler.cleanup.compressing import compress
from modules.core.scheduler.cleanup.depots import Batch, Depot, depot_of
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.judging import Found
from modules.core.scheduler.cleanup.moving import BLOCK, check_unchanged
from modules.core.scheduler.cleanup.walk import RefusedDirectoryError, innermost_root


class FileAction:
    """Deletes, the default; other actions do something instead."""

    done: str | None = None
    """Under which word a report counts what was done."""
    empties: ClassVar[bool] = True
    """Whether its directory has an entry less then."""

    def take(self, fd: int, found: Found) -> int:
        """Do it with a file of the open directory, and return the bytes that the disk got back.

        Raises OSError and `ChangedError`; the file is then where it was.
        """
        check_unchanged(fd, found.name, found.seen)
        os.unlink(found.name, dir_fd=fd)
        return self.would_free(found)

    def would_free(self, found: Found) -> int:
        """Return what `take` is expected to return, as far as it can be known beforehand."""
        return found.seen.st_blocks * BLOCK


class _Compress(FileAction):
    done = "compressed"
    empties = False

    def take(self, fd: int, found: Found) -> int:
        return compress(fd, found.name, found.seen)

    def would_free(self, found: Found) -> int:
        del found
        return 0


class _Move(FileAction):
    def __init__(self, depot: Depot, done: str, device: int) -> None:
        self._depot = depot
        self._device = device
        self.done = done

    def take(self, fd: int, found: Found) -> int:
        return self._depot.put(fd, found.folder, found.name, found.seen)

    def would_free(self, found: Found) -> int:
        return 0 if found.seen.st_dev == self._device else found.seen.st_blocks * BLOCK


@contextmanager
def file_action(policy: FilesPolicy, roots: tuple[Path, ...], now: datetime) -> Iterator[FileAction]:
    """Yield what a run of the policy at this moment does with each file; raises `RefusedDirectoryError`."""
    place = depot_of(policy, roots)
    if place is None:
        yield _Compress() if policy.action == "compress" else FileAction()
        return
    expires = None if policy.trash_for is None else now + policy.trash_for
    root = innermost_root(policy.directory, roots)
    device = place.root.stat().st_dev
    if policy.start_below_free is not None and device == root.stat().st_dev:
        raise RefusedDirectoryError(f"{str(place.folder)!r} is on the disk that is to become free: nothing would be")
    with closing(Depot(place, Batch(now, expires), root)) as depot:
        yield _Move(depot, "trashed" if policy.action == "trash" else "archived", device)
