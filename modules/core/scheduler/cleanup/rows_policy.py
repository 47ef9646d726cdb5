"""The policy for rows of a table: which go and which stay, as typed values that are checked when built."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from modules.core.scheduler.cleanup.names import Identifier, TableName
from modules.core.scheduler.cleanup.policy import Duration, PositiveDuration
from modules.core.scheduler.cleanup.rows_action import RowsAction


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


def _to_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"there is no time zone {name!r:.60}") from None
    return name


def _not_negative(duration: timedelta) -> timedelta:
    if duration < timedelta(0):
        raise ValueError("it cannot be shorter than nothing")
    return duration


_FEW = Annotated[int, Field(ge=1, le=500)]


class KeepNewest(BaseModel):
    """So many of the newest rows, of each group where columns are named."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    count: int = Field(ge=1, le=1_000_000_000, description="How many rows stay.")
    per: list[Identifier] = Field(default_factory=list, max_length=8, description="Columns that make a group.")


class RowTiers(BaseModel):
    """The newest row of each of the last so many hours, days, weeks, months and years that have rows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    hourly: _FEW | None = Field(None, description="Hours of which the newest row stays.")
    daily: _FEW | None = Field(None, description="Days of which the newest row stays.")
    weekly: _FEW | None = Field(None, description="Weeks, beginning on Monday, of which the newest row stays.")
    monthly: _FEW | None = Field(None, description="Months of which the newest row stays.")
    yearly: _FEW | None = Field(None, description="Years of which the newest row stays.")

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of hourly, daily, weekly, monthly and yearly")
        return self


class RowsPolicy(RowsAction):
    """Rows of one table: a limit condemns a row, and a keep rule saves it.

    Only rows that fit `where`, and whose date can be read, are judged. The limits are `max_age` and `max_rows`; either
    condemns; without both, the column holds an expiry time. What the limits condemn stays all the same where
    `hold_column`, `min_age`, `keep_newest`, `tiers` or `min_kept` says so, and is counted under the first of these.
    """

    kind: ClassVar[str] = "rows"

    table_name: TableName = Field(description="Table to delete from.")
    date_column: Identifier = Field(
        description="Column that tells a row's age, or its expiry where neither max_age nor max_rows is given."
    )
    max_age: PositiveDuration | None = Field(None, description="Age beyond which a row goes.")
    max_rows: int | None = Field(None, ge=1, le=1_000_000_000, description="Rows beyond the newest so many go.")
    where: dict[Identifier, Annotated[Any, AfterValidator(_to_filter)]] | None = Field(
        None, min_length=1, description="Equality filters: column to value, to a list of values, or to null."
    )
    hold_column: Identifier | None = Field(
        None, description="A row stays while this column is true, not 0, not empty: null holds nothing."
    )
    min_age: PositiveDuration | None = Field(
        None, description="A row younger than this stays, whatever the limits say."
    )
    keep_newest: KeepNewest | None = Field(
        None, description='The newest `count` rows stay, of each group of the columns `per`: `{"count", "per": []}`.'
    )
    tiers: RowTiers | None = Field(
        None,
        description="The newest row stays of each of the last so many periods that have rows: "
        '`{"hourly", "daily", "weekly", "monthly", "yearly"}`.',
    )
    timezone: Annotated[str, AfterValidator(_to_zone)] | None = Field(
        None, description="Zone in which the periods of tiers begin; by default UTC."
    )
    min_kept: int | None = Field(
        None, ge=1, le=1_000_000_000, description="Of the rows that fit where, never fewer than so many are left."
    )
    children: Literal["refuse", "delete"] = Field(
        "refuse",
        description="What becomes of rows that refer to condemned ones and that the database would not let go: "
        "`refuse` the run, or `delete` them first.",
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="Rows deleted in one transaction, the first of a run.")
    batch_seconds: float | None = Field(
        None, gt=0, le=60, description="Seconds that a batch shall take: batches grow and shrink to it."
    )
    pause: Annotated[Duration, AfterValidator(_not_negative)] | None = Field(
        None, description="Time between two batches."
    )
    max_seconds: float | None = Field(
        None, gt=0, le=86_400, description="Seconds after which a run ends; the next one goes on where it stopped."
    )
    max_rows_per_run: int | None = Field(
        None, ge=1, description="Rows after which a run ends; the next one goes on where it stopped."
    )
    count_kept: bool = Field(
        True,  # noqa: FBT003  # a default, not an argument
        description="Count the rows that stay, by reason, which reads the whole table once; a dry run always does.",
    )
    database: Identifier | None = Field(None, description="Name of another configured database.")

    @property
    def ranks(self) -> bool:
        """Whether rows are told newer from older, which needs a primary key."""
        return any(rule is not None for rule in (self.max_rows, self.keep_newest, self.tiers, self.min_kept))

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are named, by the field that names them."""
        named = {"date_column": self.date_column}
        if self.hold_column is not None:
            named["hold_column"] = self.hold_column
        named |= {f"where.{name}": name for name in self.where or {}}
        per = [] if self.keep_newest is None else self.keep_newest.per
        return named | {f"keep_newest.per.{place}": name for place, name in enumerate(per)}
