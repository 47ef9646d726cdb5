"""Inbox: takes dropped files in, one transaction a file, and moves each away once its records are stored."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from functools import partial
from pathlib import Path

from framework import AppContext
from modules.core.scheduler import ExecutionContext
from modules.standard.inbox import folder as files
from modules.standard.inbox.reading import FileRefused, records_of
from modules.standard.inbox.store import add_records

log = logging.getLogger(__name__)


class Inbox:
    """A folder of dropped files. Where many nodes share one database, the folder must be one they share, too."""

    def __init__(self, app_context: AppContext, folder: Path, max_file_bytes: int) -> None:
        self._database = app_context.database
        self._clock = app_context.clock
        self._folder = folder
        self._max_file_bytes = max_file_bytes

    async def prepare(self) -> None:
        """Make the folders that are missing."""
        await asyncio.to_thread(files.prepare, self._folder)

    async def ingest(self, context: ExecutionContext) -> dict[str, int]:
        """Take in every file that waits: `{"files", "records", "failed"}`, files counting those that did not fail."""
        await self.prepare()
        names = await asyncio.to_thread(files.waiting, self._folder, self._clock.now())
        counts = {"files": 0, "records": 0, "failed": 0}
        for number, name in enumerate(names, start=1):
            try:
                counts["records"] += await self._take_in(name)
                counts["files"] += 1
            except FileRefused as refusal:
                await self._refuse(name, str(refusal))
                counts["failed"] += 1
            context.progress(number, len(names), name)
        return counts

    async def _take_in(self, name: str) -> int:
        """Store first, move then: killed in between, the next run finds the content known and only moves the file."""
        content = await asyncio.to_thread(files.read, self._folder, name, self._max_file_bytes)
        records = await asyncio.to_thread(records_of, name, content)
        content_hash = hashlib.sha256(content).hexdigest()
        add = partial(add_records, content_hash=content_hash, file_name=_storable(name), records=records)
        stored = await self._database.write(lambda c: add(c, now=self._clock.now()))
        await asyncio.to_thread(files.move, self._folder, name, files.DONE, self._clock.now())
        log.info("%s came in: %d records, %d of them new", name, len(records), stored)
        return stored

    async def _refuse(self, name: str, why: str) -> None:
        kept = await asyncio.to_thread(files.move, self._folder, name, files.FAILED, self._clock.now(), why)
        log.warning("%s was refused: %s (it is now %s/%s)", name, why, files.FAILED, kept)


def _storable(name: str) -> str:
    """A file name is any bytes, and a database takes text only."""
    return name.encode(errors="replace").decode()
