"""Who this process is, and whether another process of the same host is gone."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Row


@cache
def host() -> str:
    """Return this host's name, boot and process namespace: where they agree, a process id means the same.

    Where the system does not tell (no /proc), the text is never equal to another node's, and leases alone decide.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return f"{socket.gethostname()}/{os.urandom(8).hex()}"
    return f"{socket.gethostname()}/{boot}/{namespace}"


def identity() -> dict[str, Any]:
    """Return `{"host", "pid", "process_started"}` of this process, by which `is_gone` knows it."""
    return {"host": host(), "pid": os.getpid(), "process_started": started(os.getpid())}


def started(pid: int) -> str | None:
    """Return when a process started, in clock ticks since boot (proc(5), field 22 of stat); None when it is gone."""
    with suppress(OSError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    return None


def is_gone(node: Row[Any]) -> bool:
    """Tell whether a node's process ran on this host and is no more; a reused process id does not fool it."""
    if node.host != host() or node.process_started is None:
        return False
    return bool(started(node.pid) != node.process_started)
