"""Free pages of a SQLite file given back to the disk: deleting rows alone makes no file smaller."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from framework.database import SQLITE, Database

STEP = 1_000  # pages given back in one transaction
WORTH = 256  # free pages below which a file is left as it is, unless it is asked for
SHARE = 10  # and it is left where less than one page in so many is free
MOST_REWRITTEN = 256_000_000  # bytes of content up to which a whole file is written anew

INCREMENTAL = 2


@dataclass(frozen=True, slots=True)
class Pages:
    """The pages of a SQLite file."""

    size: int
    count: int
    free: int
    can_shrink: bool
    """Whether the file was made so that free pages can be given back a few at a time."""

    @property
    def free_bytes(self) -> int:
        """What the free pages take."""
        return self.size * self.free


async def shrink(database: Database, *, asked: bool | None) -> tuple[int, str | None]:
    """Give free pages back; return the bytes by which the file became smaller, and what there is to say.

    `asked`: True for all of them, None where it is worth it, False for none. A file that was made without incremental
    vacuum is written anew where that is asked for, and it is small. Nothing happens on PostgreSQL, which uses the
    space of deleted rows again and returns it to the disk by VACUUM FULL only.
    """
    if asked is False or database.dialect != SQLITE or database.path is None:
        return 0, None
    before = await database.read(pages)
    if not before.free or (asked is None and not _is_worth_it(before)):
        return 0, None
    if not before.can_shrink:
        why_not = _why_not(before, database.path, asked=asked)
        if why_not is not None:
            return 0, why_not
        await database.upkeep(f"PRAGMA auto_vacuum = {INCREMENTAL}", "VACUUM")
    else:
        for _ in range(-(-before.free // STEP)):
            await database.upkeep(f"PRAGMA incremental_vacuum({STEP})")  # between two, other writers have their turns
    await database.upkeep("PRAGMA wal_checkpoint(PASSIVE)")
    after = await database.read(pages)
    return max(before.count - after.count, 0) * before.size, None


def pages(connection: Connection) -> Pages:
    """Return what the file consists of."""
    size, count, free, mode = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_size", "page_count", "freelist_count", "auto_vacuum")
    )
    return Pages(size, count, free, mode == INCREMENTAL)


def _is_worth_it(found: Pages) -> bool:
    return found.free >= WORTH and found.free * SHARE >= found.count


def _why_not(found: Pages, path: Path, *, asked: bool | None) -> str | None:
    content = (found.count - found.free) * found.size
    kept = f"the file keeps {found.free_bytes} free bytes: it was made without incremental vacuum"
    if not asked:
        return f"{kept}; shrink: true writes it anew"
    if content > MOST_REWRITTEN:
        return f"{kept}, and its {content} bytes of content are too many to write anew while others wait"
    if shutil.disk_usage(path.parent).free < 2 * content:
        return f"{kept}, and the disk has no room to write it anew"
    return None
