"""Deletes the files that a policy no longer allows, without ever leaving the directory."""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modules.core.scheduler.cleanup.files_policy import MEGABYTE, FilesPolicy
from modules.core.scheduler.cleanup.report import Report, Tally
from modules.core.scheduler.cleanup.walk import Folder, RefusedDirectoryError, Walk, innermost_root, opened

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Rank = tuple[int, int, int]


def clean_files(
    policy: FilesPolicy,
    *,
    roots: Sequence[Path],
    now: datetime,
    dry_run: bool,
    should_stop: Callable[[], bool] = lambda: False,
    max_deletions: int | None = None,
) -> Report:
    """Delete, or in a dry run count, the files that break a limit of the policy; blocking, so call it in a thread.

    A file's age counts from the later of mtime and ctime; the newest files of the count and size limits are those of
    the latest mtime. Within a directory the oldest go first. Files with other hard links, links, and whatever is no
    regular file are never touched and never counted towards a limit. `roots` are absolute. A refused directory and a
    file that cannot be deleted are errors of the report; a missing directory is a note.
    """
    run = _Run(policy, now, dry_run, should_stop, max_deletions)
    try:
        root = innermost_root(policy.directory, tuple(roots))
        with opened(root, policy.directory) as fd:
            run.clean(fd)
    except FileNotFoundError:
        run.tally.note = f"there is no directory {str(policy.directory)!r}"
    except RefusedDirectoryError as refusal:
        run.tally.fail(str(refusal))
    return run.tally.report(policy.kind, started_at=now, dry_run=dry_run)


class _Newest:
    """Finds the newest files that the count and size limits allow, holding no more than those in memory."""

    def __init__(self, max_files: int | None, max_size_mb: float | None) -> None:
        self._max_files = max_files
        self._max_bytes = None if max_size_mb is None else max_size_mb * MEGABYTE
        self._kept: list[tuple[Rank, int]] = []
        self._bytes = 0
        self.cut: Rank | None = None
        """The newest file that is too many; it and all older ones go."""

    def add(self, rank: Rank, size: int) -> None:
        if self.cut is not None and rank <= self.cut:
            return
        heapq.heappush(self._kept, (rank, size))
        self._bytes += size
        while self._kept and self._too_much():
            self.cut, size = heapq.heappop(self._kept)
            self._bytes -= size

    def _too_much(self) -> bool:
        too_many = self._max_files is not None and len(self._kept) > self._max_files
        return too_many or (self._max_bytes is not None and self._bytes > self._max_bytes)


class _Run:
    """One pass over the directory that deletes, after one that ranks where count or size is limited."""

    def __init__(
        self,
        policy: FilesPolicy,
        now: datetime,
        dry_run: bool,
        should_stop: Callable[[], bool],
        max_deletions: int | None,
    ) -> None:
        self.tally = Tally()
        self._policy = policy
        self._dry_run = dry_run
        self._should_stop = should_stop
        self._max_deletions = max_deletions
        self._now = _nanoseconds(now - _EPOCH)
        self._age_limit = None if policy.age_limit is None else _nanoseconds(policy.age_limit)
        self._grace = _nanoseconds(policy.grace)
        self._cut: Rank | None = None
        self._device = -1

    def clean(self, fd: int) -> None:
        self._device = os.fstat(fd).st_dev
        if self._policy.max_files is not None or self._policy.max_size_mb is not None:
            self._cut = self._rank_all(fd)
        for folder in self._folders(fd, self.tally):
            for name, seen in sorted(self._condemned(folder), key=lambda found: _rank(found[1])):
                if self._is_over():
                    return
                self._take(folder, name, seen)

    def _rank_all(self, fd: int) -> Rank | None:
        newest = _Newest(self._policy.max_files, self._policy.max_size_mb)
        for folder in self._folders(fd, Tally()):  # the second pass counts; what it cannot see, it tells
            for entry in folder.entries:
                with suppress(OSError):
                    seen = entry.stat(follow_symlinks=False)
                    if self._left_alone(seen) is None:
                        newest.add(_rank(seen), seen.st_size)
        return newest.cut

    def _folders(self, fd: int, tally: Tally) -> Iterator[Folder]:
        policy = self._policy
        walk = Walk(policy.pattern, recursive=policy.recursive, should_stop=self._should_stop, tally=tally)
        return walk.folders(fd, policy.directory)

    def _condemned(self, folder: Folder) -> Iterator[tuple[str, os.stat_result]]:
        for entry in folder.entries:
            self.tally.examined += 1
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                self.tally.skip("vanished")
                continue
            except OSError as error:
                self._fail(folder, entry.name, error)
                continue
            reason = self._left_alone(seen)
            if reason is not None:
                self.tally.skip(reason)
            elif self._breaks_a_limit(seen):
                if self._age(seen) < self._grace:
                    self.tally.keep("min_age")
                else:
                    yield entry.name, seen

    def _left_alone(self, seen: os.stat_result) -> str | None:
        if stat.S_ISLNK(seen.st_mode):
            return "symlink"
        if not stat.S_ISREG(seen.st_mode):
            return "not_a_file"
        if seen.st_dev != self._device:
            return "other_mount"
        return "hard_link" if seen.st_nlink > 1 else None

    def _breaks_a_limit(self, seen: os.stat_result) -> bool:
        too_old = self._age_limit is not None and self._age(seen) > self._age_limit
        return too_old or (self._cut is not None and _rank(seen) <= self._cut)

    def _age(self, seen: os.stat_result) -> int:
        return self._now - max(seen.st_mtime_ns, seen.st_ctime_ns)

    def _is_over(self) -> bool:
        if self._max_deletions is not None and self.tally.matched >= self._max_deletions:
            self.tally.note = f"stopped after {self._max_deletions} files; the next run goes on"
            return True
        if self._should_stop():
            self.tally.note = "stopped on request; the next run goes on"
            return True
        return False

    def _take(self, folder: Folder, name: str, seen: os.stat_result) -> None:
        self.tally.matched += 1
        if self._dry_run:
            self.tally.bytes += seen.st_size
            return
        try:
            self._unlink(folder.fd, name, seen)
        except FileNotFoundError:
            self.tally.skip("vanished")
        except OSError as error:
            self._fail(folder, name, error)

    def _unlink(self, fd: int, name: str, seen: os.stat_result) -> None:
        if _identity(os.stat(name, dir_fd=fd, follow_symlinks=False)) != _identity(seen):
            self.tally.skip("changed")
            return
        os.unlink(name, dir_fd=fd)
        self.tally.deleted += 1
        self.tally.bytes += seen.st_size

    def _fail(self, folder: Folder, name: str, error: OSError) -> None:
        self.tally.fail(f"cannot delete {str(folder.path / name)!r}: {error.strerror}")


def _rank(seen: os.stat_result) -> Rank:
    return seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino


def _identity(seen: os.stat_result) -> tuple[int, ...]:
    return seen.st_dev, seen.st_ino, seen.st_mode, seen.st_nlink, seen.st_mtime_ns, seen.st_ctime_ns


def _nanoseconds(duration: timedelta) -> int:
    return duration // _MICROSECOND * 1000
