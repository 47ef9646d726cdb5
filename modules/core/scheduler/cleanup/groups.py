"""Groups of files: by folder, by suffix, or by the part of the name that the star of a glob stands for."""

from __future__ import annotations

import fnmatch
import heapq
import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from modules.core.scheduler.cleanup.paths import to_pattern

MOST_TRACKED = 200_000

GroupOf = Callable[[Path, str], str | None]


class TooManyGroupsError(Exception):
    """More is to be remembered than memory should hold; nothing was deleted."""

    def __init__(self) -> None:
        super().__init__(f"its groups of files are more than {MOST_TRACKED:,} to remember; nothing was deleted")


def _to_per(per: str) -> str:
    if per in ("folder", "suffix"):
        return per
    if to_pattern(per).count("*") != 1 or "[" in per:
        raise ValueError(
            "'folder', 'suffix', or a glob with one '*' for the group and any '?', such as '*-????????.gz'"
        )
    return per


Per = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_to_per)]


class NewestFiles(BaseModel):
    """The newest files of each group, which stay whatever the limits say."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    count: int = Field(ge=1, le=10_000, description="How many of each group stay.")
    per: Per | None = Field(None, description="What makes a group: folder, suffix, a glob; all files if absent.")


def group_of(per: str | None) -> GroupOf:
    """Return the function that names a file's group; None, where the glob does not fit, means a group of its own."""
    if per is None:
        return lambda _folder, _name: ""
    if per == "folder":
        return lambda folder, _name: os.fspath(folder)
    if per == "suffix":
        return lambda _folder, name: PurePath(name).suffix
    before, after = per.split("*")
    return lambda _folder, name: _starred(name, before, after)


class NewestKeeper:
    """Learns all files, in any order, and then says which are among the newest `count` of their group."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._newest: dict[str, list[int]] = {}
        self._tracked = 0

    def add(self, group: str | None, rank: int) -> None:
        """Learn a file; raises `TooManyGroupsError`."""
        if group is None:
            return
        newest = self._newest.setdefault(group, [])
        if len(newest) == self._count:
            heapq.heappushpop(newest, rank)
            return
        heapq.heappush(newest, rank)
        self._tracked += 1
        if self._tracked > MOST_TRACKED:
            raise TooManyGroupsError

    def keeps(self, group: str | None, rank: int) -> bool:
        """Tell whether the file stays; one of an unknown group, or newer than all that was learnt, does."""
        newest = self._newest.get(group, []) if group is not None else []
        return len(newest) < self._count or rank >= newest[0]


def _starred(name: str, before: str, after: str) -> str | None:
    end = len(name) - len(after)
    if end < len(before):
        return None
    fits = fnmatch.fnmatchcase(name[: len(before)], before) and fnmatch.fnmatchcase(name[end:], after)
    return name[len(before) : end] if fits else None
