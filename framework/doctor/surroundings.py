"""What can be found without the database: settings, modules, the data folder, the disk, the port."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from framework.errors import FrameworkError
from framework.finding import Finding
from framework.inventory import inventory
from framework.loader import discover
from framework.settings import FrameworkSettings

LEAST_FREE = 500_000_000  # bytes
SECONDS = 2.0  # that whoever has the port may take to say who it is


@contextmanager
def warnings_as(check: str) -> Iterator[list[Finding]]:
    """Collect what is logged as a warning inside as findings, instead of showing it."""
    collected = _Collected(check)
    before, logging.root.handlers[:] = logging.root.handlers[:], [collected]
    try:
        yield collected.findings
    finally:
        logging.root.handlers[:] = before


class _Collected(logging.Handler):
    def __init__(self, check: str) -> None:
        super().__init__(logging.WARNING)
        self._check = check
        self.findings: list[Finding] = []

    def emit(self, record: logging.LogRecord) -> None:
        problem, _, cure = record.getMessage().partition("; ")
        found = Finding(self._check, problem, cure or "correct it, or take it away")
        if found not in self.findings:
            self.findings.append(found)


def told(check: str, error: Exception) -> list[Finding]:
    """Return a finding for each sentence of an error: what is wrong, and behind the semicolon what to do."""
    parts = (sentence.partition("; ") for sentence in str(error).splitlines())
    return [Finding(check, problem, cure or "correct it") for problem, _, cure in parts]


def modules(own: FrameworkSettings) -> list[Finding]:
    """Find modules that cannot be imported, that lack another one, or that something else hides."""
    with warnings_as("modules") as found:
        try:
            entries, failure = inventory(own.modules, discover())
        except FrameworkError as error:
            return [*found, *told("modules", error)]
    if failure is not None:
        found += told("modules", failure)
    for entry in entries:
        if entry.state == "broken" and not any(entry.id in each.problem for each in found):
            found.append(Finding("modules", entry.why, f"mend it, or put a file .disabled beside it ({entry.id})"))
    return found


def data_dir(own: FrameworkSettings) -> list[Finding]:
    """Find a data folder that cannot be written, or that others can look into."""
    folder = own.data_dir.absolute()
    place = _existing(folder)
    if not place.is_dir():
        return [Finding("data_dir", f"{place} is no folder", "set FRAMEWORK_DATA_DIR to another place")]
    if not os.access(place, os.W_OK | os.X_OK):
        cure = "give this user the right to, or set FRAMEWORK_DATA_DIR"
        return [Finding("data_dir", f"{place} cannot be written by this user", cure)]
    if place == folder and folder.stat().st_mode & 0o007:
        return [Finding("data_dir", f"{folder} is open to every user of this machine", f"chmod 700 {folder}")]
    return []


def disk(own: FrameworkSettings) -> list[Finding]:
    """Find a disk that is nearly full."""
    folder = _existing(own.data_dir.absolute())
    free = shutil.disk_usage(folder).free
    if free >= LEAST_FREE:
        return []
    cure = "make room; `chamberlain db stats` and `chamberlain cleanups list` show what is kept"
    return [Finding("disk", f"only {free // 1_000_000:,} MB are free where {folder} is", cure)]


def port(own: FrameworkSettings) -> list[Finding]:
    """Find a port that something else than an application of ours listens on."""
    where = f"{own.http_host}:{own.http_port}"
    try:
        family = socket.getaddrinfo(own.http_host, own.http_port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((own.http_host, own.http_port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE and _is_ours(where):
            return []
        cure = "stop what listens there, or set FRAMEWORK_HTTP_HOST and FRAMEWORK_HTTP_PORT"
        return [Finding("port", f"{where} cannot be listened on: {error.strerror}", cure)]
    return []


def _is_ours(where: str) -> bool:
    try:
        with urlopen(f"http://{where}/health/live", timeout=SECONDS) as answer:
            return isinstance(json.load(answer), dict)
    except (URLError, OSError, ValueError):
        return False


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
