"""Cleanup policies: what may be deleted, as typed values that are checked when built."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from framework.duration import in_words, parse_duration
from framework.strict_json import dumps

MEGABYTE = 1_000_000
DEFAULT_RETENTION = timedelta(days=30)
DEFAULT_GRACE = timedelta(minutes=1)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PROTECTED = re.compile(r"(sqlite_|pg_|alembic_version|scheduler_)", re.IGNORECASE)


def _to_duration(value: object) -> timedelta:
    return parse_duration(value)


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("it must be longer than nothing")
    return duration


def _to_path(value: object) -> Path:
    text = str(value) if isinstance(value, (str, Path)) else ""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
        raise ValueError("a path holds no control characters")
    if not text.startswith("/") or text.startswith("//"):
        raise ValueError(f"it must be an absolute path, not {value!r:.60}")
    if ".." in text.split("/"):
        raise ValueError("'..' is not allowed in a path")
    return Path(text)


def _to_pattern(pattern: str) -> str:
    if "/" in pattern or ".." in pattern:
        raise ValueError("it is matched against file names: no '/' and no '..'; use 'directory' and 'recursive'")
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in pattern):
        raise ValueError("it holds no control characters")
    return pattern


def _to_identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r:.80} is not a plain name: letters, digits and '_', at most 63, no digit first")
    return name


def _to_table(name: str) -> str:
    if _PROTECTED.match(name):
        raise ValueError(f"{name!r} belongs to the database or to the scheduler and is never cleaned this way")
    return name


def _to_filter(value: object) -> object:
    if isinstance(value, list):
        if not value:
            raise ValueError("an empty list fits no row")
        return [_to_scalar(item) for item in value]
    return _to_scalar(value)


def _to_scalar(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number to compare with")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise ValueError("a number of more than 64 bits is in no column")
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise ValueError(f"text, a number, true, false, null or a list of them, not {value!r:.60}")


def _to_parameters(value: dict[str, Any]) -> dict[str, Any]:
    dumps(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_to_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_to_duration), AfterValidator(_positive)]
Identifier = Annotated[str, AfterValidator(_to_identifier)]


class Policy(BaseModel):
    """What all kinds of cleanup share: when they are due, and how they are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    kind: ClassVar[str]

    cleanup_interval: PositiveDuration | None = Field(None, description="Time between two runs.")
    cron: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        None, description="Cron expression that says when to run, instead of cleanup_interval."
    )
    priority: int = Field(0, description="Higher runs first.")
    description: str | None = Field(None, max_length=500, description="A sentence for people.")

    @field_validator("cron")
    @classmethod
    def _one_timetable(cls, cron: str | None, info: ValidationInfo) -> str | None:
        if cron is not None and info.data.get("cleanup_interval") is not None:
            raise ValueError("give cleanup_interval or cron, not both")
        return cron

    def to_config(self) -> dict[str, Any]:
        """Return the effective config as plain JSON, defaults shown; parsing it again gives an equal policy."""
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: _plain(value) for name, value in values if value is not None}


class RowsPolicy(Policy):
    """Rows of one table that are older than `max_age`, or past the expiry time that the column holds."""

    kind: ClassVar[str] = "rows"

    table_name: Annotated[Identifier, AfterValidator(_to_table)] = Field(description="Table to delete from.")
    date_column: Identifier = Field(description="Column that tells a row's age, or its expiry where max_age is absent.")
    max_age: PositiveDuration | None = Field(None, description="Age beyond which a row goes.")
    where: dict[Identifier, Annotated[Any, AfterValidator(_to_filter)]] | None = Field(
        None, min_length=1, description="Equality filters: column to value, to a list of values, or to null."
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="Rows deleted in one transaction.")
    database: Identifier | None = Field(None, description="Name of another configured database.")


class FilesPolicy(Policy):
    """Files of one directory; a file goes as soon as it breaks one of the limits."""

    kind: ClassVar[str] = "files"

    directory: Annotated[Path, BeforeValidator(_to_path)] = Field(description="Absolute path below an allowed root.")
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_to_pattern)] = Field(
        "*", description="Glob that a file's name must fit, hidden files too."
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

    @field_validator("directory")
    @classmethod
    def _allowed(cls, directory: Path, info: ValidationInfo) -> Path:
        roots = None if info.context is None else info.context.get("allowed_roots")
        if roots is not None and not any(root in directory.parents for root in roots):
            allowed = ", ".join(str(root) for root in roots) or "none"
            raise ValueError(f"{str(directory)!r} lies below no root of housekeeper_allowed_roots ({allowed})")
        return directory

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


class FunctionPolicy(Policy):
    """A function that the module registered, and that cleans up by itself."""

    kind: ClassVar[str] = "function"

    function_name: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="Registered function of the module."
    )
    parameters: Annotated[dict[str, Any], AfterValidator(_to_parameters)] = Field(
        default_factory=dict, description="JSON object handed to the function."
    )


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return in_words(value)
    return str(value) if isinstance(value, Path) else value
