"""One file compressed next to itself, so that a kill at any point leaves the file or its whole copy."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import zlib
from collections.abc import Callable
from contextlib import suppress

from modules.core.scheduler.cleanup.moving import (
    BLOCK,
    check_unchanged,
    create,
    dress,
    opened_for_reading,
    opened_unchanged,
)

_PIECE = 1 << 20


def compress(fd: int, name: str, seen: os.stat_result) -> int:
    """Put `name.gz` in the place of a file, its mode and mtime kept, and return the bytes that the disk got back.

    Where `name.gz` is there already, whole and with the same content, as a kill leaves it, the file goes. With other
    content that is `FileExistsError`. Raises any other OSError, and `ChangedError`; the file is then where it was.
    """
    final, partial = f"{name}.gz", f".{name}.gz.partial"
    with suppress(FileNotFoundError):
        os.unlink(partial, dir_fd=fd)
    if _exists(fd, final):
        _compare(fd, name, seen, final)
    else:
        _write(fd, name, seen, partial)
        os.link(partial, final, src_dir_fd=fd, dst_dir_fd=fd, follow_symlinks=False)
        os.unlink(partial, dir_fd=fd)
        os.fsync(fd)
    check_unchanged(fd, name, seen)
    os.unlink(name, dir_fd=fd)
    return (seen.st_blocks - os.stat(final, dir_fd=fd, follow_symlinks=False).st_blocks) * BLOCK


def _write(fd: int, name: str, seen: os.stat_result, partial: str) -> None:
    target = create(fd, partial)
    try:
        with opened_unchanged(fd, name, seen) as source, os.fdopen(target, "wb") as raw:
            with (
                os.fdopen(source, "rb", closefd=False) as reading,
                gzip.GzipFile(name, "wb", fileobj=raw, mtime=seen.st_mtime) as writing,
            ):
                shutil.copyfileobj(reading, writing, _PIECE)
            raw.flush()
            dress(target, seen)
        check_unchanged(fd, name, seen)
    except BaseException:
        os.unlink(partial, dir_fd=fd)
        raise


def _compare(fd: int, name: str, seen: os.stat_result, final: str) -> None:
    with (
        opened_unchanged(fd, name, seen) as source,
        opened_for_reading(fd, final) as there,
        os.fdopen(source, "rb", closefd=False) as reading,
        os.fdopen(there, "rb", closefd=False) as packed,
        gzip.GzipFile(fileobj=packed) as unpacked,
    ):
        if not _are_equal(lambda: reading.read(_PIECE), lambda: unpacked.read(_PIECE)):
            raise FileExistsError(errno.EEXIST, f"{final!r} is there already and holds something else")


def _are_equal(one: Callable[[], bytes], other: Callable[[], bytes]) -> bool:
    try:
        while (piece := one()) == other():
            if not piece:
                return True
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return False
    return False


def _exists(fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
