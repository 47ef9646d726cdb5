"""The watched folder on disk: its files by name below open directories, so that no path and no link is followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from modules.standard.inbox.reading import FileRefused, is_readable

DONE, FAILED = "done", "failed"
AT_REST = timedelta(seconds=1)  # a file that was written later than this ago may not be complete
LONGEST_STEM = 150  # bytes; leaves room for a moment and an ending within the 255 of a name

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not hold the reader up
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def prepare(folder: Path) -> None:
    """Make the folder, and in it `done` and `failed`."""
    for each in (folder, folder / DONE, folder / FAILED):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)


def waiting(folder: Path, now: datetime) -> list[str]:
    """Return the names of the files to ingest, oldest first: of a known kind, regular, and not being written."""
    with _opened(folder) as inbox, os.scandir(inbox) as entries:
        files = [each for each in entries if is_readable(each.name) and each.is_file(follow_symlinks=False)]
        written = {each.name: each.stat(follow_symlinks=False).st_mtime for each in files}
    at_rest = [name for name, moment in written.items() if _is_at_rest(moment, now)]
    return sorted(at_rest, key=lambda name: (written[name], name))


def read(folder: Path, name: str, max_bytes: int) -> bytes:
    """Return the content of a file; raises `FileRefused` for one that is too large or cannot be read."""
    try:
        with _opened(folder) as inbox, os.fdopen(os.open(name, _READING, dir_fd=inbox), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise FileRefused("it is no regular file")
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise FileRefused(f"it cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise FileRefused(f"it is larger than {max_bytes:,} bytes")
    return content


def move(folder: Path, name: str, into: str, now: datetime, why: str | None = None) -> str:
    """Move a file into `done` or `failed`, with `why` in an `.error` file beside it; return the name it has there."""
    with _opened(folder) as inbox, _opened(into, inbox) as target:
        kept = _free_name(name, target, now)
        if why is not None:
            with os.fdopen(os.open(f"{kept}.error", _WRITING, 0o600, dir_fd=target), "w") as note:
                note.write(f"{why}\n")
        os.replace(name, kept, src_dir_fd=inbox, dst_dir_fd=target)
    return kept


def _is_at_rest(written: float, now: datetime) -> bool:
    """A moment in the future is a wrong clock, and waiting for it could last for ever."""
    return abs(now - datetime.fromtimestamp(written, UTC)) >= AT_REST


def _free_name(name: str, target: int, now: datetime) -> str:
    """The same name, so that people find it; with the moment where it is taken, for nothing is overwritten."""
    path = PurePath(name)
    stem = os.fsdecode(os.fsencode(path.stem)[:LONGEST_STEM])
    plain = f"{stem}{path.suffix}"
    if not _exists(plain, target):
        return plain
    return f"{stem}-{now:%Y%m%dT%H%M%S.%fZ}{path.suffix}"


def _exists(name: str, target: int) -> bool:
    try:
        os.stat(name, dir_fd=target, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _opened(folder: Path | str, inside: int | None = None) -> Iterator[int]:
    fd = os.open(folder, _DIRECTORY, dir_fd=inside)
    try:
        yield fd
    finally:
        os.close(fd)
