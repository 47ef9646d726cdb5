"""Backup: one verified copy a run, named after its moment; older ones go only after it has succeeded."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from framework import Clock, Result
from framework.database.file_copy import BackupDamaged, copy_verified
from modules.core.scheduler import ExecutionContext

Answer = Result[dict[str, str | int]]


class Backup:
    """Keeps the newest `keep` copies of one SQLite file in a folder; other files in it are never touched."""

    def __init__(self, source: Path, folder: Path, keep: int, clock: Clock) -> None:
        self._source = source
        self._folder = folder
        self._keep = keep
        self._clock = clock

    def run(self, context: ExecutionContext) -> Answer:
        """Make a backup: `{"file", "bytes", "pruned"}`. Blocking, so the scheduler runs it in a thread."""

        def tell(done: int, total: int) -> None:
            context.raise_if_cancelled()
            context.progress(done, total, "pages copied")

        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._folder / self._name(self._clock.now())
        try:
            copy_verified(self._source, target, tell)
        except BackupDamaged as error:
            return Result.error("BACKUP_DAMAGED", f"{error}; the older backups stay")
        pruned = self._prune(target)
        return Result.success({"file": target.name, "bytes": target.stat().st_size, "pruned": pruned})

    def _name(self, moment: datetime) -> str:
        return f"{self._source.stem}-{moment:%Y%m%dT%H%M%SZ}.db"

    def _prune(self, newest: Path) -> int:
        """Delete all but the newest by name, which sorts by time; never the one just made, whatever the clock says."""
        name = re.compile(rf"{re.escape(self._source.stem)}-\d{{8}}T\d{{6}}Z\.db")
        ours = sorted(path for path in self._folder.iterdir() if name.fullmatch(path.name) and path != newest)
        too_many = ours[: max(len(ours) + 1 - self._keep, 0)]
        for path in too_many:
            path.unlink()
        return len(too_many)
