"""Whether other processes have a SQLite file open, by the locks that SQLite keeps on a file's index of its log."""

from __future__ import annotations

import os
from pathlib import Path

LOCKS = Path("/proc/locks")


def is_shared(path: str | Path) -> bool:
    """Return whether another process has this SQLite file open; False where the system does not tell, as Linux does.

    The list of all locks is read, never the index itself: a process that closes it would lose its own locks on it.
    """
    try:
        index = f":{Path(f'{path}-shm').stat().st_ino}"
        locks = [line.split() for line in LOCKS.read_text().splitlines()]
    except OSError:
        return False
    own = str(os.getpid())
    return any(len(lock) > 5 and lock[5].endswith(index) and lock[4] != own for lock in locks)
