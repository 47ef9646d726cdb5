"""Depots: where files are moved instead of being deleted, a batch for each run; the archive, and the trash of a root.

A batch is a folder named after the moment of its run, in a trash with the moment when it may be deleted behind it.
Within it a file has the path that it had below its allowed root.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.moving import move
from modules.core.scheduler.cleanup.walk import TRASH, innermost_root, opened

_NAME = re.compile(r"(\d{8}T\d{12}Z)(?:-(\d{8}T\d{12}Z))?")
_FORMAT = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one run moved into a depot; `expires_at` is None in an archive."""

    moved_at: datetime
    expires_at: datetime | None = None

    @property
    def name(self) -> str:
        """The name of its folder, by which it is restored."""
        moments = (self.moved_at, self.expires_at)
        return "-".join(moment.astimezone(UTC).strftime(_FORMAT) for moment in moments if moment is not None)

    @classmethod
    def read(cls, name: str) -> Batch | None:
        """Return the batch of a folder's name, or None where it is something else."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            moments = [datetime.strptime(text, _FORMAT).replace(tzinfo=UTC) for text in found.groups() if text]
        except ValueError:
            return None
        return cls(*moments)


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of a depot, and the allowed root that it lies below."""

    root: Path
    folder: Path


def depot_of(policy: FilesPolicy, roots: tuple[Path, ...]) -> Place | None:
    """Return where the policy moves files, or None where it does not; raises `RefusedDirectoryError`."""
    if policy.action == "trash":
        root = innermost_root(policy.directory, roots)
        return Place(root, root / TRASH)
    if policy.archive_directory is not None:
        return Place(innermost_root(policy.archive_directory, roots), policy.archive_directory)
    return None


def depots_of(policy: FilesPolicy, roots: tuple[Path, ...]) -> list[Place]:
    """Return where files of the policy's directory may lie: its archive, and the trash of its root.

    What another action put into the trash comes back from there, too. Raises `RefusedDirectoryError`.
    """
    root = innermost_root(policy.directory, roots)
    archive = None if policy.archive_directory is None else depot_of(policy, roots)
    return [place for place in (archive, Place(root, root / TRASH)) if place is not None]


class Depot:
    """Takes in the files of one run; folders are made when the first file needs them, and made durable when left."""

    def __init__(self, place: Place, batch: Batch, root: Path) -> None:
        self._place = place
        self._batch = batch
        self._root = root
        self._open = ExitStack()
        self._folder: Path | None = None
        self._fd = -1

    def put(self, fd: int, folder: Path, name: str, seen: os.stat_result) -> int:
        """Move a file in, and return the bytes that its file system got back; raises what `move` does, and
        `RefusedDirectoryError` where the depot is not to be trusted.
        """
        if folder != self._folder:
            self.close()
            self._fd = self._open.enter_context(self._opened(folder.relative_to(self._root)))
            self._folder = folder
        return move(fd, name, seen, self._fd, name)

    def close(self) -> None:
        """Close the folder that is open; whatever was moved into it is durable then."""
        self._folder = None
        self._open.close()

    @contextmanager
    def _opened(self, below: Path) -> Iterator[int]:
        folder = self._place.folder / self._batch.name / below
        with opened(self._place.root, folder, create=True) as fd:
            try:
                yield fd
            finally:
                os.fsync(fd)


def batches(fd: int) -> list[Batch]:
    """Return the batches of an open depot, the oldest first."""
    with os.scandir(fd) as entries:
        found = (Batch.read(entry.name) for entry in entries if entry.is_dir(follow_symlinks=False))
        return sorted((batch for batch in found if batch is not None), key=lambda batch: batch.name)
