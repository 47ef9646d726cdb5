"""The policy for files of a directory: which go, as typed values that are checked when built."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from modules.core.scheduler.cleanup.guards import GuardedFiles
from modules.core.scheduler.cleanup.paths import AllowedPath, Pattern
from modules.core.scheduler.cleanup.policy import Duration, PositiveDuration

MEGABYTE = 1_000_000
DEFAULT_RETENTION = timedelta(days=30)
DEFAULT_GRACE = timedelta(minutes=1)


class FilesPolicy(GuardedFiles):
    """Files of one directory; a file goes as soon as it breaks one of the limits."""

    kind: ClassVar[str] = "files"

    directory: AllowedPath = Field(description="Absolute path below an allowed root.")
    pattern: Pattern = Field("*", description="Glob that a file's name must fit, hidden files too.")
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
    min_age: Duration | None = Field(
        None, description="A file younger than this stays, whatever the limits say; 1 minute, or a shorter max_age."
    )

    @model_validator(mode="before")
    @classmethod
    def _thirty_days(cls, values: Any) -> Any:
        limits = ("max_age", "max_age_hours", "retention_days", "max_files", "max_size_mb")
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
