"""The policy for rows of a table: which go and which stay, as typed values that are checked when built."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from framework.duration import in_words
from modules.core.scheduler.cleanup.filters import Filters, Related
from modules.core.scheduler.cleanup.names import Identifier, TableName
from modules.core.scheduler.cleanup.policy import Duration, PositiveDuration
from modules.core.scheduler.cleanup.rows_action import WHOLE_PARTITIONS, RowsAction


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


def _at_most(longest: timedelta) -> Callable[[timedelta], timedelta]:
    def check(duration: timedelta) -> timedelta:
        if duration > longest:
            raise ValueError(f"it cannot be longer than {in_words(longest)}")
        return duration

    return check


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

    Only rows that fit `where` and `where_in`, and whose date can be read, are judged. The limits are `max_age`,
    `max_rows` and `max_size_mb`; each condemns; without any, the column holds an expiry time. What the limits condemn
    stays all the same where `hold_column`, `keep_where`, `min_age`, `keep_newest`, `tiers` or `min_kept` says so, and
    is counted under the first of these.
    """

    kind: ClassVar[str] = "rows"

    table_name: TableName = Field(description="Table to delete from.")
    date_column: Identifier = Field(description="Column that tells a row's age, or its expiry where no limit is given.")
    max_age: PositiveDuration | None = Field(None, description="Age beyond which a row goes.")
    max_rows: int | None = Field(None, ge=1, le=1_000_000_000, description="Rows beyond the newest so many go.")
    max_size_mb: float | None = Field(
        None, ge=0, description="Megabytes (1,000,000 bytes) that the newest rows may take, by size_column."
    )
    size_column: Identifier | None = Field(
        None,
        validate_default=True,
        description="Column with the bytes of a row; null is none. Reports sum them; for `max_size_mb`, `max_bytes`.",
    )
    where: Filters | None = Field(
        None, min_length=1, description="Equality filters: column to value, to a list of values, or to null."
    )
    where_in: dict[Identifier, Related] | None = Field(
        None,
        min_length=1,
        max_length=8,
        description="Filters of other tables: column to where its value must be found, "
        '`{"table_name", "column", "where": {}}`.',
    )
    hold_column: Identifier | None = Field(
        None, description="A row stays while this column is true, not 0, not empty: null holds nothing."
    )
    keep_where: Filters | None = Field(
        None, min_length=1, description="Tags: a row that fits all of these equality filters stays."
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
    batch_seconds: Annotated[PositiveDuration, AfterValidator(_at_most(timedelta(minutes=1)))] | None = Field(
        None, description="Time that a batch shall take, at most a minute: batches grow and shrink to it."
    )
    pause: Annotated[Duration, AfterValidator(_not_negative)] | None = Field(
        None, description="Time between two batches."
    )
    max_seconds: Annotated[PositiveDuration, AfterValidator(_at_most(timedelta(days=1)))] | None = Field(
        None, description="Time after which a run ends; the next one goes on where it stopped."
    )
    max_rows_per_run: int | None = Field(
        None, ge=1, description="Rows after which a run ends; the next one goes on where it stopped."
    )
    count_kept: bool = Field(
        True,  # noqa: FBT003  # a default, not an argument
        description="Count the rows that stay, by reason, which reads the whole table once; a dry run always does.",
    )
    database: Identifier | None = Field(None, description="Name of another configured database.")

    @field_validator("size_column")
    @classmethod
    def _tells_sizes(cls, column: str | None, info: ValidationInfo) -> str | None:
        given = [name for name in ("max_size_mb", "max_bytes") if info.data.get(name) is not None]
        if given and column is None and info.data.get("action") not in WHOLE_PARTITIONS:
            raise ValueError(f"{given[0]} needs it: nothing else tells how large a row is")
        return column

    @property
    def by_number(self) -> bool:
        """Whether a row goes because there are too many or too much, and for no age."""
        return self.max_age is None and (self.max_rows is not None or self.max_size_mb is not None)

    @property
    def ranks(self) -> bool:
        """Whether rows are told newer from older, which needs a primary key."""
        return any(
            rule is not None for rule in (self.max_rows, self.max_size_mb, self.keep_newest, self.tiers, self.min_kept)
        )

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are named, by the field that names them."""
        named = {"date_column": self.date_column}
        if self.hold_column is not None:
            named["hold_column"] = self.hold_column
        if self.size_column is not None:
            named["size_column"] = self.size_column
        named |= {field: name for field, name, _ in self.compared}
        named |= {f"where_in.{name}": name for name in self.where_in or {}}
        per = [] if self.keep_newest is None else self.keep_newest.per
        return named | {f"keep_newest.per.{place}": name for place, name in enumerate(per)}

    @property
    def compared(self) -> list[tuple[str, str, Any]]:
        """The equality filters: field, column, and the value or values that it is compared with."""
        filters = (("where", self.where), ("keep_where", self.keep_where))
        return [(f"{key}.{name}", name, value) for key, some in filters for name, value in (some or {}).items()]
