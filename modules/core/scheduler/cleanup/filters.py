"""Equality filters: of the rows themselves, and of rows of another table that they refer to."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from modules.core.scheduler.cleanup.names import Identifier, TableName


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


Filters = dict[Identifier, Annotated[Any, AfterValidator(_to_filter)]]


class Related(BaseModel):
    """Where the value of a column must be found: in a column of another table, in rows that fit filters there."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    table_name: TableName = Field(description="The other table.")
    column: Identifier = Field(description="Its column.")
    where: Filters | None = Field(None, min_length=1, description="Equality filters on its rows; by default all count.")
