"""Guards: how much one run may take at most, judged from an exact count before anything goes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

from pydantic import BaseModel, Field

from modules.core.scheduler.cleanup.policy import Policy
from modules.core.scheduler.cleanup.report import Report

_SLACK = 1e-6  # 0.29 of 100 is 28.999999999999996


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
    preview_first: bool = Field(
        default=False, description="Delete nothing until a plan of exactly this policy was applied or confirmed."
    )


class GuardedFiles(Guarded):
    """The same, and a limit on bytes, which only files have."""

    max_bytes: int | None = Field(None, ge=1, description="Refuse a run that would take more bytes.")


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

    def ceiling(self, population: int) -> int | None:
        """Return how much may go at most of so many, should more come while a run goes on; None: no limit."""
        share = None if self.max_fraction is None else int(self.max_fraction * population + _SLACK)
        spare = None if self.min_left is None else max(population - self.min_left, 0)
        return min((each for each in (share, spare, self.max_deletions) if each is not None), default=None)

    def judge(self, counted: Report, population: int) -> list[str]:
        """Return a sentence for every limit that a run would break.

        `counted` is the report of a dry run; `population` is how many rows the table, or files the directory, has.
        """
        matched = counted.matched
        going, left = matched + sum(counted.cascades.values()), max(population - matched, 0)
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
