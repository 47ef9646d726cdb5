"""Directories opened one component at a time, so that no link and no mount is ever followed (see openat(2))."""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from modules.core.scheduler.cleanup.report import Tally

MAX_DEPTH = 64  # each level holds two file descriptors; a process has 1,024 by default
CHUNK = 10_000
TRASH = ".trash"

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Mount = tuple[int, str | None]


class RefusedDirectoryError(Exception):
    """The directory is not walked; the message says why."""


class StoppedError(Exception):
    """The walk was told to stop; what was learnt so far is not the whole."""


@dataclass(slots=True)
class Level:
    """How many entries of a directory are left, those of the walk's next chunks not yet counted."""

    left: int = 0


@dataclass(frozen=True, slots=True)
class Folder:
    """An open directory below the cleaned one, `path` for messages, and some of the entries whose names fit."""

    fd: int
    path: Path
    entries: list[os.DirEntry[str]]
    level: Level = field(default_factory=Level)
    """Whoever takes an entry away counts it down here."""


RemoveEmpty = Callable[[int, Path, os.stat_result], bool]
"""Told of a directory with no entry left: its parent's descriptor, its path, what it was before; True if it went."""


def mount_of(fd: int) -> Mount:
    """Return the device and the mount id of an open directory; the id tells bind mounts apart and is None on macOS."""
    return os.fstat(fd).st_dev, _mount_id(fd)


def innermost_root(directory: Path, roots: tuple[Path, ...]) -> Path:
    """Return the allowed root nearest above the directory, by whole components, or raise `RefusedDirectoryError`."""
    above = [root for root in roots if root in directory.parents]
    if not above or ".." in directory.parts:
        raise RefusedDirectoryError(f"{str(directory)!r} lies below no allowed root")
    return max(above, key=lambda root: len(root.parts))


@contextmanager
def opened(root: Path, directory: Path, *, create: bool = False) -> Iterator[int]:
    """Open the directory below the root, component by component, and yield its file descriptor.

    `create` makes what is missing below the root, for the owner alone. Raises `FileNotFoundError` where it is missing,
    and `RefusedDirectoryError` where a component, the root's last one included, is a link or no directory, or lies on
    another mount than the root.
    """
    fd = _open(root.name, os.fspath(root), None)
    mount = mount_of(fd)
    try:
        for name in directory.relative_to(root).parts:
            if create:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=fd)
            below = _open(name, name, fd)
            os.close(fd)
            fd = below
            if mount_of(fd) != mount:
                raise RefusedDirectoryError(f"{name!r} of {str(directory)!r} is on another mount than {str(root)!r}")
        yield fd
    finally:
        os.close(fd)


class Walk:
    """The entries of a directory whose names fit a pattern, in chunks; errors and refusals go to the tally.

    Raises `StoppedError` as soon as it should stop. A directory whose name fits `exclude`, and the trash, are not gone
    into.
    """

    def __init__(
        self,
        pattern: str,
        *,
        recursive: bool,
        should_stop: Callable[[], bool],
        tally: Tally,
        exclude: Sequence[str] = (),
        remove_empty: RemoveEmpty | None = None,
    ) -> None:
        self._fits = None if pattern == "*" else re.compile(fnmatch.translate(pattern)).match
        self._recursive = recursive
        self._should_stop = should_stop
        self._tally = tally
        self._exclude = (TRASH, *exclude)
        self._remove_empty = remove_empty

    def folders(self, fd: int, path: Path) -> Iterator[Folder]:
        """Yield folders with at most `CHUNK` entries each, directories left out; a folder stays open while in use."""
        yield from self._walk(fd, path, mount_of(fd), 0)

    def below(self, fd: int, path: Path) -> Iterator[Folder]:
        """Yield the folders of one directory of an open one, which then may go itself as `remove_empty` says."""
        yield from self._below(fd, path, mount_of(fd), 1)

    def _walk(self, fd: int, path: Path, mount: Mount, depth: int) -> Generator[Folder, None, bool]:
        """Return whether nothing is left in the directory."""
        level, chunk, fits = Level(), [], self._fits
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    if self._should_stop():
                        raise StoppedError
                    level.left += 1
                    if entry.is_dir(follow_symlinks=False):
                        if (yield from self._below(fd, path / entry.name, mount, depth + 1)):
                            level.left -= 1
                    elif fits is None or fits(entry.name):
                        chunk.append(entry)
                    if len(chunk) == CHUNK:
                        yield Folder(fd, path, chunk, level)
                        chunk = []
        except OSError as error:
            level.left += 1
            self._tally.fail(f"cannot list {str(path)!r}: {error.strerror}")
        if chunk:
            yield Folder(fd, path, chunk, level)
        return level.left == 0

    def _below(self, outer: int, path: Path, mount: Mount, depth: int) -> Generator[Folder, None, bool]:
        """Return whether the directory went."""
        if not self._recursive or any(fnmatch.fnmatchcase(path.name, pattern) for pattern in self._exclude):
            return False
        if depth > MAX_DEPTH:
            self._tally.fail(f"{str(path)!r} lies more than {MAX_DEPTH} directories deep; it was left alone")
            return False
        fd = self._opened(outer, path)
        if fd is None:
            return False
        try:
            if mount_of(fd) != mount:
                self._tally.skip("other_mount")
                return False
            before = os.fstat(fd)
            is_empty = yield from self._walk(fd, path, mount, depth)
        finally:
            os.close(fd)
        return is_empty and self._remove_empty is not None and self._remove_empty(outer, path, before)

    def _opened(self, outer: int, path: Path) -> int | None:
        try:
            return os.open(path.name, _FLAGS, dir_fd=outer)
        except FileNotFoundError:
            self._tally.skip("vanished")
        except OSError as error:
            self._tally.fail(f"cannot open {str(path)!r}: {error.strerror}")
        return None


def _open(name: str, path: str, outer: int | None) -> int:
    try:
        return os.open(path, _FLAGS, dir_fd=outer)
    except FileNotFoundError:
        raise
    except OSError as error:
        if _is_link(path, outer):
            raise RefusedDirectoryError(f"{name!r} is a symbolic link and is not followed") from error
        raise RefusedDirectoryError(f"cannot open {name!r}: {error.strerror}") from error


def _is_link(path: str, outer: int | None) -> bool:
    try:
        return stat.S_ISLNK(os.stat(path, dir_fd=outer, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _mount_id(fd: int) -> str | None:
    try:
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((line.split()[1] for line in lines if line.startswith("mnt_id:")), None)
