"""The short road of files that go by their age alone: each is looked at once, and deleted at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from modules.core.scheduler.cleanup.moving import BLOCK
from modules.core.scheduler.cleanup.report import MAX_SAMPLES, Tally
from modules.core.scheduler.cleanup.walk import Folder, StoppedError

Fail = Callable[[Path, OSError], None]


class Old(NamedTuple):
    """Which files go: those that were last changed before a moment. Both functions tell nanoseconds since 1970."""

    changed: Callable[[os.stat_result], int]
    before: int
    told: Callable[[os.stat_result], int]
    """The moment that a report names."""


def left_alone(seen: os.stat_result, device: int) -> str | None:
    """Return why what was seen in a directory of this device is never touched; None for a file of its own."""
    if not stat.S_ISREG(seen.st_mode):
        return "symlink" if stat.S_ISLNK(seen.st_mode) else "not_a_file"
    if seen.st_dev != device:
        return "other_mount"
    return "hard_link" if seen.st_nlink > 1 else None


class OldFiles:
    """Deletes the files of folders that are old; what it did goes into the tally."""

    def __init__(self, old: Old, device: int, tally: Tally, should_stop: Callable[[], bool], fail: Fail) -> None:
        self._old = old
        self._device = device
        self._tally = tally
        self._should_stop = should_stop
        self._fail = fail

    def delete(self, folder: Folder) -> tuple[int, int] | None:
        """Go through a folder in its own order; return the first and the last moment of what went, if anything did.

        Nothing comes between the look at a file and its end, and little else is done: there may be a million.
        Raises `StoppedError`.
        """
        tally, fd, told = self._tally, folder.fd, self._old.told
        moments: set[int] = set()
        for entry in folder.entries:
            if self._should_stop():
                raise StoppedError
            tally.examined += 1
            try:
                seen = entry.stat(follow_symlinks=False)
                if not self._goes(seen):
                    continue
                tally.matched += 1
                if tally.matched <= MAX_SAMPLES:
                    tally.sample(str(folder.path / entry.name))
                moments.add(told(seen))
                os.unlink(entry.name, dir_fd=fd)
            except FileNotFoundError:
                tally.skip("vanished")
            except OSError as error:
                self._fail(folder.path / entry.name, error)
            else:
                tally.deleted += 1
                tally.bytes += seen.st_size
                tally.freed_bytes += seen.st_blocks * BLOCK
                folder.level.left -= 1
        return (min(moments), max(moments)) if moments else None

    def _goes(self, seen: os.stat_result) -> bool:
        if reason := left_alone(seen, self._device):
            self._tally.skip(reason)
        elif self._old.changed(seen) < self._old.before:
            return True
        else:
            self._tally.keep("young")
        return False
