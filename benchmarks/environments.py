"""An environment of its own for each peer, made when it is first needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.errors import NoEnvironmentError

ROOT = Path(__file__).parents[1]
CACHE = ROOT / "build" / "benchmarks"
OURS = "chamberlain"
RAW = "raw"
CLEANERS = ("os.walk", "find", "systemd-tmpfiles")  # what is not installed is skipped
AT_HOME = {OURS, RAW, *CLEANERS}  # they run in the environment that the suite itself runs in
PINS = {
    "apscheduler3": ("apscheduler==3.11.3", "sqlalchemy==2.1.9", "psycopg[binary]==3.3.9"),
    "apscheduler4": (
        "apscheduler==4.0.0a6",
        "anyio==4.9.0",  # with a newer one it stalls after the first batch on asyncpg
        "sniffio",
        "sqlalchemy[asyncio]==2.1.9",
        "aiosqlite==0.22.1",
        "asyncpg==0.32.0",
    ),
    "croniter": ("croniter==7.0.0", "tzdata"),
    "cronsim": ("cronsim==2.8", "tzdata"),
    "dbos": ("dbos==3.4.0",),
    "flowrra": ("flowrra==0.1.8", "aiosqlite==0.22.1"),
    "huey": ("huey==3.5.4",),
    "pgqueuer": ("pgqueuer==1.6.0", "asyncpg==0.32.0"),
    "procrastinate": ("procrastinate==3.10.0", "psycopg[binary]==3.3.9"),
}


def interpreter(peer: str) -> Path:
    """Return the Python that runs a peer; raise `NoEnvironmentError` when it cannot be made."""
    if peer in AT_HOME:
        return Path(sys.executable)
    pins = PINS[peer]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    mark = hashlib.sha256(" ".join((version, *pins)).encode()).hexdigest()[:8]
    folder = CACHE / f"{peer}-{mark}"
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _call("sh", str(ROOT / ".ci" / "make-venv"), str(folder), PYTHON=sys.executable)
        _call("sh", str(ROOT / ".ci" / "add"), str(folder), *pins)
        done.touch()
    return python


def _call(*command: str, **variables: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **variables})
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise NoEnvironmentError(lines[-1])
