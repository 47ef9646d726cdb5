"""The ledger: what really ran, told by the functions themselves in files that no transaction can undo."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `what` happened (start, end, scheduled) in which process.

    `wall` is the machine's own clock in seconds since 1970, `tick` its monotonic clock in nanoseconds, the same for all
    processes of a machine.
    """

    what: str
    execution: str
    task: str
    scheduled_for: str
    attempt: int
    pid: int
    wall: float
    tick: int


class Ledger:
    """A folder with one file for each process, each line appended with one system call: kill -9 tears nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._file: tuple[int, int] | None = None
        self._read: dict[str, int] = {}
        self._entries: list[Entry] = []
        self._counts: Counter[str] = Counter()
        self._counted = 0

    def tell(self, what: str, *, task: str, execution: str = "", scheduled_for: str = "", attempt: int = 0) -> None:
        """Append one line."""
        moments = {"wall": time.time(), "tick": time.monotonic_ns()}
        line = {"what": what, "execution": execution, "task": task, "scheduled_for": scheduled_for, "attempt": attempt}
        os.write(self._own_file(), (json.dumps({**line, "pid": os.getpid(), **moments}) + "\n").encode())

    def _own_file(self) -> int:
        if self._file is None or self._file[0] != os.getpid():
            path = self._folder / f"{os.getpid()}-{time.monotonic_ns()}.jsonl"
            self._file = os.getpid(), os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return self._file[1]

    def entries(self) -> list[Entry]:
        """Return all lines of all processes so far; only what is new is read."""
        for item in os.scandir(self._folder):
            known = self._read.get(item.name, 0)
            if item.stat().st_size == known:
                continue
            with open(item.path, "rb") as file:  # noqa: PTH123  # hundreds of files, read many times a second
                file.seek(known)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[item.name] = known + len(whole)
            self._entries += [Entry(**_fields(line)) for line in whole.splitlines()]
        return self._entries

    def count(self, what: str) -> int:
        """Return how many such lines there are by now."""
        for entry in self.entries()[self._counted :]:
            self._counts[entry.what] += 1
        self._counted = len(self._entries)
        return self._counts[what]


def _fields(line: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(line)
    return fields
