"""Files put back where they were, out of the trash or an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from modules.core.scheduler.cleanup.depots import Batch, Place, batches, depots_of
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.moving import ChangedError, move
from modules.core.scheduler.cleanup.report import Report, Tally
from modules.core.scheduler.cleanup.walk import (
    Folder,
    RefusedDirectoryError,
    StoppedError,
    Walk,
    innermost_root,
    opened,
)


def restore_files(
    policy: FilesPolicy,
    *,
    roots: Sequence[Path],
    now: datetime,
    archive: str | None = None,
    path: Path | None = None,
    dry_run: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Put files of a policy's directory back, out of its trash or archive; blocking, so call it in a thread.

    `archive` is the id of one run's files, `path` the absolute path that one file had; without them all come back, of
    several with one path the latest. A file is never put over another one: that is skipped as `exists`. The report
    counts `restored` files. An id that is not there is an error of the report.
    """
    tally = Tally()
    try:
        _Restoring(policy, tuple(roots), tally, dry_run=dry_run, should_stop=should_stop).restore(archive, path)
    except StoppedError:
        tally.note = "stopped on request"
    except RefusedDirectoryError as refusal:
        tally.fail(str(refusal))
    return tally.report(policy.kind, started_at=now, dry_run=dry_run)


def restorable_files(policy: FilesPolicy, *, roots: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what of a policy's directory can be put back, the latest first; blocking.

    `[{"archive", "moved_at", "expires_at", "files", "bytes"}]`: the id, aware moments, the second None in an archive.
    Raises `RefusedDirectoryError`.
    """
    run = _Restoring(policy, tuple(roots), Tally(), dry_run=True, should_stop=lambda: False)
    found = []
    for place, batch in run.batches():
        sizes = [seen.st_size for folder in run.folders(place, batch) for _, seen in run.files(folder)]
        if sizes:
            times = {"moved_at": batch.moved_at, "expires_at": batch.expires_at}
            found.append({"archive": batch.name, **times, "files": len(sizes), "bytes": sum(sizes)})
    return found


class _Restoring:
    def __init__(
        self,
        policy: FilesPolicy,
        roots: tuple[Path, ...],
        tally: Tally,
        *,
        dry_run: bool,
        should_stop: Callable[[], bool],
    ) -> None:
        self._places = depots_of(policy, roots)
        self._root = innermost_root(policy.directory, roots)
        self._below = policy.directory.relative_to(self._root)
        self._tally = tally
        self._dry_run = dry_run
        self._should_stop = should_stop
        self._returned: set[Path] = set()
        """What a dry run would have put back by now, so that an older one of that path is not counted, too."""

    def restore(self, name: str | None, path: Path | None) -> None:
        chosen = [(place, batch) for place, batch in self.batches() if name in (None, batch.name)]
        if name is not None and not chosen:
            folders = " or ".join(repr(str(place.folder)) for place in self._places)
            self._tally.fail(f"there is no archive {name!r} in {folders}")
        for place, batch in chosen:
            top = place.folder / batch.name
            for folder in self.folders(place, batch):
                home = self._root / folder.path.relative_to(top)
                names = [(name, seen) for name, seen in self.files(folder) if path in (None, home / name)]
                self._tally.matched += len(names)
                self._return_all(folder, home, names)

    def batches(self) -> list[tuple[Place, Batch]]:
        """Return what there is, the latest first."""
        found = []
        for place in self._places:
            with suppress(FileNotFoundError), opened(place.root, place.folder) as fd:
                found += [(place, batch) for batch in batches(fd)]
        return sorted(found, key=lambda each: each[1].name, reverse=True)

    def folders(self, place: Place, batch: Batch) -> Iterator[Folder]:
        walk = Walk(
            "*", recursive=True, should_stop=self._should_stop, tally=self._tally, remove_empty=self._remove_empty
        )
        folder = place.folder / batch.name / self._below
        try:
            with opened(place.root, folder) as fd:
                yield from walk.folders(fd, folder)
        except FileNotFoundError:
            return

    def files(self, folder: Folder) -> Iterator[tuple[str, os.stat_result]]:
        for entry in folder.entries:
            self._tally.examined += 1
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                self._tally.skip("vanished")
                continue
            if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1:
                yield entry.name, seen
            else:
                self._tally.skip("not_a_file")

    def _return_all(self, folder: Folder, home: Path, names: Sequence[tuple[str, os.stat_result]]) -> None:
        if self._dry_run:
            for name, seen in names:
                self._count(home / name, seen, is_free=not os.path.lexists(home / name))
        elif names:
            self._return_into(home, folder, names)

    def _return_into(self, home: Path, folder: Folder, names: Sequence[tuple[str, os.stat_result]]) -> None:
        """Put files into their directory; one that cannot be had any more keeps its files in the depot, no others."""
        try:
            with opened(self._root, home, create=True) as to:
                for name, seen in names:
                    self._return(folder, home, to, name, seen)
        except OSError as error:
            self._tally.fail(f"cannot restore {len(names)} files to {str(home)!r}: {error.strerror}")
        except RefusedDirectoryError as refusal:
            self._tally.fail(f"cannot restore {len(names)} files: {refusal}")

    def _return(self, folder: Folder, home: Path, to: int, name: str, seen: os.stat_result) -> None:
        try:
            move(folder.fd, name, seen, to, name)
        except FileExistsError:
            self._tally.skip("exists")
        except ChangedError:
            self._tally.skip("changed")
        except OSError as error:
            self._tally.fail(f"cannot restore {str(home / name)!r}: {error.strerror}")
        else:
            folder.level.left -= 1
            self._count(home / name, seen, is_free=True)

    def _count(self, path: Path, seen: os.stat_result, *, is_free: bool) -> None:
        if not is_free or path in self._returned:
            self._tally.skip("exists")
            return
        if self._dry_run:
            self._returned.add(path)
        self._tally.done["restored"] += 1
        self._tally.bytes += seen.st_size
        self._tally.sample(str(path))

    def _remove_empty(self, outer: int, path: Path, before: os.stat_result) -> bool:
        del before
        if self._dry_run:
            return False
        try:
            os.rmdir(path.name, dir_fd=outer)
        except OSError:
            return False
        return True
