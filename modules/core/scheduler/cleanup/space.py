"""Amounts of disk space: bytes, or a part of the whole."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

_AMOUNT = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?(%|B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?")
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}


def _to_amount(value: object) -> str:
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"bytes, such as 5000000 or '10 GB', or a part of the disk, such as '15%', not {value!r:.60}")
    if found[2] == "%" and float(found[1]) > 100:
        raise ValueError("a disk has no more than 100%")
    return text


Space = Annotated[str, BeforeValidator(_to_amount)]


def is_part(space: str) -> bool:
    """Tell whether the amount is a part of the disk rather than bytes."""
    return space.endswith("%")


def in_bytes(space: str, total: int) -> float:
    """Return the amount in bytes, on a disk of so many."""
    found = _AMOUNT.fullmatch(space)
    if found is None:
        raise ValueError(f"{space!r} is no amount of space")
    number = float(found[1])
    return number * total / 100 if found[2] == "%" else number * _UNITS[found[2] or "B"]


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes of a file system: all, and those that are free for this process."""

    total: int
    free: int


def disk_of(fd: int) -> Disk:
    """Return the file system of an open directory."""
    found = os.fstatvfs(fd)
    return Disk(total=found.f_blocks * found.f_frsize, free=found.f_bavail * found.f_frsize)


def bytes_needed(disk: Disk, start_below: str | None, stop_at: str | None) -> float:
    """Return the bytes to be freed until `stop_at` are free; 0 while at least `start_below` are."""
    if start_below is None or disk.free >= in_bytes(start_below, disk.total):
        return 0
    return in_bytes(stop_at or start_below, disk.total) - disk.free
