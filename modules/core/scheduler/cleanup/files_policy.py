"""The policy for files of a directory: which go, as typed values that are checked when built."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from modules.core.scheduler.cleanup.files_action import FilesAction
from modules.core.scheduler.cleanup.groups import NewestFiles, Per
from modules.core.scheduler.cleanup.paths import Pattern
from modules.core.scheduler.cleanup.policy import Duration, PositiveDuration
from modules.core.scheduler.cleanup.space import Space, in_bytes, is_part
from modules.core.scheduler.cleanup.tiers import Tiers

MEGABYTE = 1_000_000
DEFAULT_RETENTION = timedelta(days=30)
DEFAULT_GRACE = timedelta(minutes=1)


class FilesPolicy(FilesAction):
    """Files of one directory: which go.

    A file goes when a limit condemns it (its age, the number of files, their size, the free space of the disk) and no
    rule keeps it (exclude, min_age, keep_newest, tiers, min_kept, and what a run may take).
    """

    pattern: Pattern = Field("*", description="Glob that a file's name must fit, hidden files too.")
    exclude: list[Pattern] = Field(
        default_factory=list,
        max_length=100,
        description="Globs of names left alone: of files, and of directories that are not gone into.",
    )
    recursive: bool = Field(default=False, description="Go into the directories below, too.")
    max_age: PositiveDuration | None = Field(
        None, description="Age beyond which a file goes; 30 days if no limit is set."
    )
    max_age_hours: float | None = Field(None, gt=0, le=8_766_000, description="max_age in hours.")
    retention_days: float | None = Field(None, gt=0, le=365_250, description="max_age in days.")
    max_files: int | None = Field(None, ge=0, description="How many of the newest files stay; 0 keeps none.")
    max_size_mb: float | None = Field(
        None, ge=0, description="Megabytes (1,000,000 bytes) that the newest files may take."
    )
    start_below_free: Space | None = Field(
        None, description="The oldest files go as soon as the disk has less free: bytes, `10 GB`, or `15%`."
    )
    stop_at_free: Space | None = Field(
        None, description="And they go until so much is free; in bytes or percent like start_below_free, its default."
    )
    age_by: Literal["later", "mtime", "ctime"] = Field(
        "later", description="What age counts from: the last change of content, of the inode, or the later of both."
    )
    keep_newest: NewestFiles | None = Field(
        None, description="`count` newest files stay, of each group if `per` is folder, suffix, or a glob with one `*`."
    )
    tiers: Tiers | None = Field(
        None, description="Newest file of each of so many hours, days, weeks, months, years stays: `daily` and so on."
    )
    tiers_per: Per | None = Field(None, description="Group within which tiers count: folder, suffix, or a glob.")
    min_age: Duration | None = Field(
        None, description="A file younger than this stays, whatever the limits say; 1 minute, or a shorter max_age."
    )
    min_kept: int | None = Field(None, ge=1, description="The newest files stay while fewer than this would be left.")
    max_files_per_run: int | None = Field(None, ge=1, description="A run takes at most so many files, oldest first.")
    max_seconds: PositiveDuration | None = Field(
        None,
        description="A run takes no more files after this time, but always one; looking takes its own time.",
    )
    remove_empty: bool = Field(
        default=False,
        description="With recursive: directories that are empty, or will be, and unchanged for the age go, too.",
    )

    @model_validator(mode="before")
    @classmethod
    def _thirty_days(cls, values: Any) -> Any:
        limits = ("max_age", "max_age_hours", "retention_days", "max_files", "max_size_mb", "start_below_free")
        if isinstance(values, dict) and all(values.get(limit) is None for limit in limits):
            return {**values, "max_age": DEFAULT_RETENTION}
        return values

    @field_validator("max_age_hours", "retention_days")
    @classmethod
    def _one_age(cls, value: float | None, info: ValidationInfo) -> float | None:
        earlier = [name for name in ("max_age", "max_age_hours") if info.data.get(name) is not None]
        if value is not None and earlier:
            raise ValueError(f"give {earlier[0]} or {info.field_name}, not both")
        if value is not None and timedelta(hours=value) <= timedelta(0):
            raise ValueError("it must be longer than nothing")
        return value

    @field_validator("stop_at_free")
    @classmethod
    def _above_the_start(cls, stop: str | None, info: ValidationInfo) -> str | None:
        start = info.data.get("start_below_free")
        if stop is None:
            return None
        if start is None:
            raise ValueError("it needs start_below_free")
        if is_part(start) != is_part(stop):
            raise ValueError("give start_below_free and stop_at_free both in bytes or both in percent")
        if in_bytes(stop, 100) < in_bytes(start, 100):
            raise ValueError("it must not be less than start_below_free")
        return stop

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.start_below_free is not None and self.action == "trash":
            raise ValueError("start_below_free and the action 'trash' exclude each other: a trash frees nothing")
        if self.remove_empty and not self.recursive:
            raise ValueError("remove_empty needs recursive")
        if self.tiers_per is not None and self.tiers is None:
            raise ValueError("tiers_per needs tiers")
        return self

    @property
    def age_limit(self) -> timedelta | None:
        """The age beyond which a file goes, from whichever field sets it."""
        if self.max_age_hours is not None:
            return timedelta(hours=self.max_age_hours)
        if self.retention_days is not None:
            return timedelta(days=self.retention_days)
        return self.max_age

    @property
    def grace(self) -> timedelta:
        """The age below which a file is taken to be in use."""
        if self.min_age is not None:
            return self.min_age
        return min(DEFAULT_GRACE, self.age_limit or DEFAULT_GRACE)
