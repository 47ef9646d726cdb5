"""The policy for rows of a table: which go, as typed values that are checked when built."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from modules.core.scheduler.cleanup.guards import Guarded
from modules.core.scheduler.cleanup.policy import PositiveDuration

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PROTECTED = re.compile(r"(sqlite_|pg_|alembic_version|scheduler_)", re.IGNORECASE)


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


Identifier = Annotated[str, AfterValidator(_to_identifier)]


class RowsPolicy(Guarded):
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
