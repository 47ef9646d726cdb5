"""Deletes the files that a policy no longer allows, or does with them what it says, without leaving the directory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from framework.duration import in_words
from modules.core.scheduler.cleanup.carrying_out import FileAction, file_action
from modules.core.scheduler.cleanup.files_by_age import OldFiles, left_alone
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.fingerprint import wanted
from modules.core.scheduler.cleanup.groups import TooManyGroupsError
from modules.core.scheduler.cleanup.guards import (
    GUARD_EXCEEDED,
    NO_CEILING,
    Allowance,
    Ceiling,
    GuardExceededError,
)
from modules.core.scheduler.cleanup.judging import Found, Judge, moment_of
from modules.core.scheduler.cleanup.moving import ChangedError
from modules.core.scheduler.cleanup.report import MAX_SAMPLES, Report, Tally
from modules.core.scheduler.cleanup.space import bytes_needed, disk_of
from modules.core.scheduler.cleanup.trash import purge
from modules.core.scheduler.cleanup.walk import (
    Folder,
    RefusedDirectoryError,
    StoppedError,
    Walk,
    innermost_root,
    opened,
)

Seconds = Callable[[], float]


def clean_files(
    policy: FilesPolicy,
    *,
    roots: Sequence[Path],
    now: datetime,
    dry_run: bool,
    should_stop: Callable[[], bool] = lambda: False,
    monotonic: Seconds = lambda: 0.0,
    max_deletions: int | None = None,
    ceiling: Ceiling = NO_CEILING,
) -> Report:
    """Carry out a policy of files, or in a dry run count what would go; blocking, so call it in a thread.

    The directory is walked once, and before that as often as rules need to know all of its files. Within a chunk of a
    directory the oldest go first, unless all that are old go. Files with other hard links, links, and whatever is no
    regular file are never touched and never counted towards a limit. `roots` are absolute; `monotonic` returns seconds,
    for `max_seconds`; no more than `max_deletions` files go, those of the trash included; a run that comes to its
    `ceiling` while there is more fails with the code `GUARD_EXCEEDED`. A refused directory and a file that nothing can
    be done with are errors of the report; a missing directory is a note.
    """
    allowance = Allowance(max_deletions, ceiling)
    run = _Run(policy, Judge(policy, now, max_deletions), dry_run, should_stop, monotonic, allowance)
    try:
        run.clean(tuple(roots), now)
    except StoppedError:
        run.tally.note = "stopped on request; the next run goes on"
    except FileNotFoundError:
        run.tally.note = f"there is no directory {str(policy.directory)!r}"
    except (RefusedDirectoryError, TooManyGroupsError) as refusal:
        run.tally.fail(str(refusal))
    except GuardExceededError as refusal:
        run.tally.code = GUARD_EXCEEDED
        run.tally.fail(str(refusal))
    return run.report(now)


class _Run:
    """One walk that acts, after those by which the judge learns."""

    def __init__(
        self,
        policy: FilesPolicy,
        judge: Judge,
        dry_run: bool,
        should_stop: Callable[[], bool],
        monotonic: Seconds,
        allowance: Allowance,
    ) -> None:
        self.tally = Tally()
        self._policy = policy
        self._judge = judge
        self._dry_run = dry_run
        self._should_stop = should_stop
        self._monotonic = monotonic
        self._allowance = allowance
        self._fingerprint = wanted()
        self._device = -1
        self._ends: list[int] = []

    def clean(self, roots: tuple[Path, ...], now: datetime) -> None:
        policy = self._policy
        root = innermost_root(policy.directory, roots)
        with opened(root, policy.directory) as fd, file_action(policy, roots, now) as action:
            self._device = os.fstat(fd).st_dev
            needed = bytes_needed(disk_of(fd), policy.start_below_free, policy.stop_at_free)
            self._judge.learn(lambda: self._look(fd), needed)
            self._act(fd, action)
        if policy.action == "trash":
            purge(root, now, self.tally, self._allowance, dry_run=self._dry_run, should_stop=self._should_stop)

    def report(self, now: datetime) -> Report:
        if self._ends:
            self.tally.span(*map(moment_of, self._ends))
        return self.tally.report(self._policy.kind, started_at=now, dry_run=self._dry_run)

    def _act(self, fd: int, action: FileAction) -> None:
        started = self._monotonic()
        old = self._by_age_alone(action)
        for folder in self._walk(fd, self.tally, acting=True):
            if old is not None:
                self._widen(*(old.delete(folder) or ()))
                continue
            for _, found in sorted((self._judge.rank(found.seen), found) for found in self._going(folder)):
                if self._is_over(started):
                    return
                if not self._allowance.take(found.seen.st_size):  # it came after the judge had looked
                    self.tally.keep("budget")
                    continue
                self._widen(self._judge.told(found.seen))
                self._take(folder, found, action)

    def _by_age_alone(self, action: FileAction) -> OldFiles | None:
        """Return what deletes files as it comes upon them, where no order and no number matters."""
        old = self._judge.by_age_alone()
        bounded = self._allowance.is_bounded or self._policy.max_seconds is not None
        if old is None or bounded or self._dry_run or self._fingerprint is not None or type(action) is not FileAction:
            return None
        return OldFiles(old, self._device, self.tally, self._should_stop, self._fail)

    def _widen(self, *moments: int) -> None:
        self._ends = [pick([*self._ends, *moments]) for pick in (min, max)] if moments else self._ends

    def _look(self, fd: int) -> Iterator[Found]:
        for folder in self._walk(fd, Tally()):  # the walk that acts counts; what this one cannot see, that one tells
            for entry in folder.entries:
                with suppress(OSError):
                    seen = entry.stat(follow_symlinks=False)
                    if left_alone(seen, self._device) is None:
                        yield Found(folder.path, entry.name, seen)

    def _walk(self, fd: int, tally: Tally, *, acting: bool = False) -> Iterator[Folder]:
        policy = self._policy
        walk = Walk(
            policy.pattern,
            recursive=policy.recursive,
            should_stop=self._should_stop,
            tally=tally,
            exclude=policy.exclude,
            remove_empty=self._remove_directory if acting and policy.remove_empty else None,
        )
        return walk.folders(fd, policy.directory)

    def _going(self, folder: Folder) -> Iterator[Found]:
        for entry in folder.entries:
            self.tally.examined += 1
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                self.tally.skip("vanished")
                continue
            except OSError as error:
                self._fail(folder.path / entry.name, error)
                continue
            found = Found(folder.path, entry.name, seen)
            if reason := left_alone(seen, self._device):
                self.tally.skip(reason)
            elif reason := self._judge.verdict(found):
                self.tally.keep(reason)
            else:
                yield found

    def _is_over(self, started: float) -> bool:
        limit = self._policy.max_seconds
        if limit is not None and self.tally.matched and self._monotonic() - started >= limit.total_seconds():
            self.tally.note = f"stopped after {in_words(limit)}; the next run goes on"
            return True
        if self._should_stop():
            raise StoppedError
        return False

    def _take(self, folder: Folder, found: Found, action: FileAction) -> None:
        self.tally.matched += 1
        if self._fingerprint is not None:
            self._fingerprint.add(f"{folder.path / found.name}\0{found.seen.st_mtime_ns}\0{found.seen.st_size}")
        if self.tally.matched <= MAX_SAMPLES:
            self.tally.sample(str(folder.path / found.name))
        try:
            freed = action.would_free(found) if self._dry_run else action.take(folder.fd, found)
        except FileNotFoundError:
            self.tally.skip("vanished")
        except ChangedError:
            self.tally.skip("changed")
        except OSError as error:
            self._fail(folder.path / found.name, error)
        else:
            self._record(folder, found, action, freed)

    def _record(self, folder: Folder, found: Found, action: FileAction, freed: int) -> None:
        self.tally.deleted += not self._dry_run
        self.tally.bytes += found.seen.st_size
        self.tally.freed_bytes += freed
        if action.done is not None:
            self.tally.done[action.done] += 1
        folder.level.left -= action.empties

    def _remove_directory(self, outer: int, path: Path, before: os.stat_result) -> bool:
        if not self._judge.is_old(before):
            return False
        try:
            if not self._dry_run:
                os.rmdir(path.name, dir_fd=outer)
        except OSError as error:
            self._fail(path, error)
            return False
        self.tally.done["directories"] += 1
        return True

    def _fail(self, path: Path, error: OSError) -> None:
        verb = {"archive": "move", "trash": "move", "compress": "compress"}.get(self._policy.action, "delete")
        self.tally.fail(f"cannot {verb} {str(path)!r}: {error.strerror}")
