"""Archive files: what `append` has returned from is on the disk, whatever happens next."""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from modules.core.scheduler.cleanup.archive_lines import MAX_LINE, ArchiveError
from modules.core.scheduler.cleanup.walk import RefusedDirectoryError, innermost_root, opened

PART = ".part"
NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.jsonl(\.gz)?(\.part)?")

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class ArchiveFile:
    """One file, made with its first batch as `name.part` and given its name when it is whole.

    With `compress`, each batch is a member of a gzip file (RFC 1952), so that a cut one spoils none before it.
    """

    def __init__(self, roots: tuple[Path, ...], folder: Path, name: str, head: bytes, *, compress: bool) -> None:
        self._roots = roots
        self._folder = folder
        self._name = f"{name}.jsonl.gz" if compress else f"{name}.jsonl"
        self._head = head
        self._compress = compress
        self._fd: int | None = None

    def append(self, lines: Iterable[bytes]) -> None:
        """Write the lines, durably when this returns; raises `OSError`."""
        data = b"".join(lines)
        if self._fd is None:
            self._fd = self._made()
            data = self._head + data
        _write(self._fd, gzip.compress(data, mtime=0) if self._compress else data)
        os.fsync(self._fd)

    def close(self) -> None:
        """Give the file its name; without a batch there is none. Raises `OSError`."""
        if self._fd is None:
            return
        os.close(self._fd)
        self._fd = None
        with _within(self._roots, self._folder) as folder:
            os.rename(self._name + PART, self._name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)

    def _made(self) -> int:
        _make(self._roots, self._folder)
        with _within(self._roots, self._folder) as folder:
            fd = os.open(self._name + PART, _NEW, 0o600, dir_fd=folder)
            os.fsync(folder)
            return fd


def names_in(roots: tuple[Path, ...], folder: Path) -> list[tuple[str, int]]:
    """Return the archives of a folder as (name, bytes), oldest first; none where there is no such folder."""
    found = []
    try:
        with _within(roots, folder) as fd, os.scandir(fd) as entries:
            for entry in entries:
                seen = entry.stat(follow_symlinks=False)
                if NAME.fullmatch(entry.name) and stat.S_ISREG(seen.st_mode):
                    found.append((entry.name, seen.st_size))
    except FileNotFoundError:
        return []
    return sorted(found)


def lines_of(roots: tuple[Path, ...], folder: Path, name: str) -> Generator[bytes]:
    """Yield the lines of an archive; of one that a crash left as `.part`, those that were written whole.

    Raises `ArchiveError` where a finished one is damaged, and `OSError`.
    """
    with _within(roots, folder) as fd:
        file = os.fdopen(os.open(name, _OLD, dir_fd=fd), "rb")
    with file:
        packed = name.removesuffix(PART).endswith(".gz")
        yield from _lines(gzip.GzipFile(fileobj=file) if packed else file, is_part=name.endswith(PART))


def _lines(file: IO[bytes] | gzip.GzipFile, *, is_part: bool) -> Iterator[bytes]:
    while True:
        try:
            line = file.readline(MAX_LINE + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            if is_part:  # its rows were never deleted
                return
            raise ArchiveError(f"the archive is damaged: {error}") from None
        if not line:
            return
        if not line.endswith(b"\n"):
            if is_part:
                return
            raise ArchiveError("the archive is damaged: its last line is cut")
        yield line


def _make(roots: tuple[Path, ...], folder: Path) -> None:
    root = _root(roots, folder)
    above = root
    for name in folder.relative_to(root).parts:
        with _within((root,), above) as fd:
            try:
                os.mkdir(name, 0o700, dir_fd=fd)
                os.fsync(fd)
            except FileExistsError:
                pass
        above /= name


@contextmanager
def _within(roots: tuple[Path, ...], folder: Path) -> Iterator[int]:
    try:
        with opened(folder if folder in roots else _root(roots, folder), folder) as fd:
            yield fd
    except RefusedDirectoryError as refusal:
        raise ArchiveError(str(refusal)) from None


def _root(roots: tuple[Path, ...], folder: Path) -> Path:
    try:
        return innermost_root(folder, roots)
    except RefusedDirectoryError as refusal:
        raise ArchiveError(str(refusal)) from None


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
