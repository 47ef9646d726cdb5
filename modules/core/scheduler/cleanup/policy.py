"""Cleanup policies: what may be deleted, as typed values that are checked when built."""

from __future__ import annotations

import re
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
)

from framework.duration import in_words, parse_duration
from framework.strict_json import dumps


def _to_duration(value: object) -> timedelta:
    return parse_duration(value)


def _positive(duration: timedelta) -> timedelta:
    if duration <= timedelta(0):
        raise ValueError("it must be longer than nothing")
    return duration


def _to_window(text: str) -> str:
    if not _WINDOW.fullmatch(text):
        raise ValueError(f"two times of the day such as '22:00-05:00', not {text!r:.40}")
    return text


def _to_parameters(value: dict[str, Any]) -> dict[str, Any]:
    dumps(value)
    return value


_WINDOW = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")

Duration = Annotated[timedelta, BeforeValidator(_to_duration)]
PositiveDuration = Annotated[timedelta, BeforeValidator(_to_duration), AfterValidator(_positive)]


class Policy(BaseModel):
    """What all kinds of cleanup share: when they are due, and how they are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    kind: ClassVar[str]

    cleanup_interval: PositiveDuration | None = Field(None, description="Time between two runs.")
    cron: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = Field(
        None, description="Cron expression that says when to run, instead of cleanup_interval."
    )
    window: Annotated[str, AfterValidator(_to_window)] | None = Field(
        None, description="Times of the day between which it runs, such as 22:00-05:00; what is due outside waits."
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
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, Path) else value
