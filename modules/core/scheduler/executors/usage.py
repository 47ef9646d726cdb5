"""What a process uses, as its system counts it: seconds of CPU, and the most memory that it held."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU in seconds since a process began, with its ended children; its peak resident memory in bytes."""

    cpu_seconds: float
    memory_bytes: int | None


def own_usage() -> Usage:
    """Return what this process has used so far."""
    counted = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Linux passes the peak of the parent on through exec in ru_maxrss, so its own count in /proc comes first.
    peak = _peak_of("self") or counted[0].ru_maxrss * (1 if sys.platform == "darwin" else _KIB)
    return Usage(sum(each.ru_utime + each.ru_stime for each in counted), peak)


def usage_of(pid: int) -> Usage | None:
    """Return what another process has used, in steps of a hundredth of a second; None where the system does not say."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = sum(int(field) for field in fields[11:15])  # utime, stime, cutime, cstime: proc_pid_stat(5)
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), _peak_of(str(pid)))


def forget_peak() -> None:
    """Let the count of peak memory begin anew where the system can (Linux); elsewhere it is that of the process."""
    with contextlib.suppress(OSError):
        (_PROC / "self" / "clear_refs").write_text("5")


def limit_memory(megabytes: int | None) -> None:
    """Let this process hold at most so many megabytes of data; beyond them allocating raises `MemoryError`."""
    if megabytes is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * _KIB * _KIB, hard))


def _peak_of(process: str) -> int | None:
    try:
        lines = (_PROC / process / "status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * _KIB for line in lines if line.startswith("VmHWM:")), None)
