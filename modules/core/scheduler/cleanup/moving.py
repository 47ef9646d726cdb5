"""One file from one open directory to another: never over another file, and never less than whole."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

BLOCK = 512  # the unit of st_blocks, whatever the file system's own (see stat(2))
_COPY = 1 << 20
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a pipe put there meanwhile must not block
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ChangedError(Exception):
    """The file is not the one that was judged; it was left alone."""


def identity(seen: os.stat_result) -> tuple[int, ...]:
    """Return what is the same as long as nobody touches a file."""
    return seen.st_dev, seen.st_ino, seen.st_mode, seen.st_nlink, seen.st_mtime_ns, seen.st_ctime_ns


def check_unchanged(fd: int, name: str, seen: os.stat_result) -> None:
    """Raise `ChangedError` where the entry of the directory is not what was seen, and OSError where it is gone."""
    if identity(os.stat(name, dir_fd=fd, follow_symlinks=False)) != identity(seen):
        raise ChangedError


def move(fd: int, name: str, seen: os.stat_result, to: int, new_name: str) -> int:
    """Move a file into another open directory, and return the bytes that its file system got back.

    Raises `FileExistsError` where the name is taken, any other OSError, and `ChangedError`; the file is then where it
    was. On another file system it is copied, made durable, and only then taken away.
    """
    with _reserved(to, new_name):
        check_unchanged(fd, name, seen)
        try:
            os.rename(name, new_name, src_dir_fd=fd, dst_dir_fd=to)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return 0
        with opened_unchanged(fd, name, seen) as source:
            _copy(source, seen, to, new_name)
        check_unchanged(fd, name, seen)
        os.unlink(name, dir_fd=fd)
    return seen.st_blocks * BLOCK


@contextmanager
def opened_for_reading(fd: int, name: str) -> Iterator[int]:
    """Open a file of the directory, no link, for reading; raises OSError."""
    source = os.open(name, _READ, dir_fd=fd)
    try:
        yield source
    finally:
        os.close(source)


@contextmanager
def opened_unchanged(fd: int, name: str, seen: os.stat_result) -> Iterator[int]:
    """Open the file that was seen, and no other, for reading; raises `ChangedError` or OSError."""
    with opened_for_reading(fd, name) as source:
        if identity(os.fstat(source)) != identity(seen):
            raise ChangedError
        yield source


def create(fd: int, name: str) -> int:
    """Make a new, empty file for the owner alone and return its descriptor; raises `FileExistsError`."""
    return os.open(name, _NEW, 0o600, dir_fd=fd)


def dress(target: int, seen: os.stat_result) -> None:
    """Give an open file the mode and the times of another one, and make it durable."""
    os.fchmod(target, seen.st_mode & 0o777)
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    os.fsync(target)


@contextmanager
def _reserved(fd: int, name: str) -> Iterator[None]:
    """Hold a name by an empty file, which whoever comes may be put over; take it away again where that fails."""
    os.close(create(fd, name))
    try:
        yield
    except BaseException:
        os.unlink(name, dir_fd=fd)
        raise


def _copy(source: int, seen: os.stat_result, to: int, new_name: str) -> None:
    target = os.open(new_name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=to)
    with os.fdopen(source, "rb", closefd=False) as reading, os.fdopen(target, "wb") as writing:
        shutil.copyfileobj(reading, writing, _COPY)
        writing.flush()
        dress(target, seen)
    os.fsync(to)
