"""Guards: how much one run may take at most, judged from an exact count before anything goes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from pydantic import BaseModel, Field

from modules.core.scheduler.cleanup.policy import Policy
from modules.core.scheduler.cleanup.report import PURGED, Report

GUARD_EXCEEDED = "GUARD_EXCEEDED"

_SLACK = 1e-6  # 0.29 of 100 is 28.999999999999996


class GuardExceededError(Exception):
    """A run would take more than a guard allows, and ends; what it did before stays done."""


class Guarded(Policy):
    """What rows and files share: limits on what one run may take, and whether a person looks first.

    A run that would break a limit is refused as a whole. Without a limit of its own, that of the settings holds.
    """

    max_fraction: float | None = Field(
        None, gt=0, le=1, description="Refuse a run that would take more than this part of the table or directory."
    )
    max_deletions: int | None = Field(
        None, ge=1, description="Refuse a run that would take more rows or files, rows of other tables included."
    )
    min_left: int | None = Field(
        None, ge=1, description="Refuse a run that would leave fewer rows in the table, or files in the directory."
    )
    max_bytes: int | None = Field(
        None, ge=1, description="Refuse a run that would take more bytes; rows need size_column for it."
    )
    preview_first: bool = Field(
        default=False, description="Delete nothing until a plan of exactly this policy was applied or confirmed."
    )


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What a run may take, should more come while it goes on; None where there is no limit."""

    own: int | None = None
    """Rows of the table, or files of the directory."""
    together: int | None = None
    """The same with what goes along: rows of other tables, files of the trash."""
    bytes: int | None = None

    def room(self, own: int, along: int = 0) -> int | None:
        """Return how many more may go, when so many are gone; None: no limit."""
        own_room = None if self.own is None else self.own - own
        room = None if self.together is None else self.together - own - along
        return min((max(each, 0) for each in (own_room, room) if each is not None), default=None)

    def check(self, own: int, along: int = 0, size: int = 0) -> None:
        """Raise `GuardExceededError` where so many, or so many bytes, are more than may go."""
        for going, most, what in (
            (own, self.own, "a guard lets go of its own"),
            (own + along, self.together, "max_deletions lets go"),
            (size, self.bytes, "bytes that max_bytes lets go"),
        ):
            if most is not None and going > most:
                raise GuardExceededError(f"broken off: more would have gone by now than the {most} {what}")

    def less(self, gone: Report) -> Ceiling:
        """Return what the rest of a run may take, after so much is gone."""
        own, along = gone.matched, sum(gone.cascades.values())
        pairs = ((self.own, own), (self.together, own + along), (self.bytes, gone.bytes))
        return Ceiling(*(None if most is None else max(most - taken, 0) for most, taken in pairs))


NO_CEILING = Ceiling()


class Allowance:
    """What is left for one run of files: so many until the next one goes on, and what a guard allows."""

    def __init__(self, most: int | None = None, ceiling: Ceiling = NO_CEILING) -> None:
        self._most, self._ceiling = most, ceiling
        self._own = self._along = self._bytes = 0

    @property
    def is_bounded(self) -> bool:
        """Whether anything is ever refused."""
        return self._most is not None or self._ceiling != NO_CEILING

    def take(self, size: int, *, from_trash: bool = False) -> bool:
        """Count one more file; False where the next run goes on with it, `GuardExceededError` where it may not go."""
        if self._most is not None and self._own + self._along >= self._most:
            return False
        own, along = self._own + (not from_trash), self._along + from_trash
        self._ceiling.check(own, along, self._bytes + size)
        self._own, self._along, self._bytes = own, along, self._bytes + size
        return True


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take; None where nothing is set."""

    max_fraction: float | None = None
    max_deletions: int | None = None
    max_bytes: int | None = None
    min_left: int | None = None

    @classmethod
    def read(cls, values: BaseModel, prefix: str = "") -> Self:
        """Return those that a policy, or with a prefix the settings, hold."""
        return cls(*(getattr(values, prefix + each.name, None) for each in fields(cls)))

    def or_else(self, defaults: Limits) -> Limits:
        """Return these, and where one is not set the default."""
        mine = ((getattr(self, each.name), getattr(defaults, each.name)) for each in fields(self))
        return Limits(*(default if value is None else value for value, default in mine))

    @property
    def any(self) -> bool:
        """True where there is anything to judge."""
        return self != Limits()

    def ceiling(self, population: int) -> Ceiling:
        """Return how much may go of so many rows or files, should more come while a run goes on."""
        share = None if self.max_fraction is None else int(self.max_fraction * population + _SLACK)
        spare = None if self.min_left is None else max(population - self.min_left, 0)
        own = min((each for each in (share, spare) if each is not None), default=None)
        return Ceiling(own, self.max_deletions, self.max_bytes)

    def judge(self, counted: Report, population: int) -> list[str]:
        """Return a sentence for every limit that a run would break.

        `counted` is the report of a dry run; `population` is how many rows the table, or files the directory, has.
        """
        matched = counted.matched
        along = sum(counted.cascades.values()) + counted.done.get(PURGED, 0)
        going, left = matched + along, max(population - matched, 0)
        broken = []
        if self.max_fraction is not None and matched > 0 and matched / max(population, 1) > self.max_fraction:
            share = f"{matched} of {population}, more than max_fraction {self.max_fraction:g}"
            broken.append(f"it would take {share}")
        if self.max_deletions is not None and going > self.max_deletions:
            broken.append(f"it would take {going}, more than max_deletions {self.max_deletions}")
        if self.max_bytes is not None and counted.bytes > self.max_bytes:
            broken.append(f"it would take {counted.bytes} bytes, more than max_bytes {self.max_bytes}")
        if self.min_left is not None and matched and left < self.min_left:
            broken.append(f"it would leave {left} of {population}, fewer than min_left {self.min_left}")
        return broken
