"""What an alert is about, and the rules of whom it reaches: values, read from the settings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum, auto
from typing import Annotated, NamedTuple

from annotated_types import Gt, MinLen
from pydantic import BaseModel, ConfigDict, Field

from framework.duration import Seconds
from modules.core.scheduler.fields import HttpUrl, Text100


class Kind(StrEnum):
    """What can go wrong with a task."""

    FAILED = auto()
    """An attempt has failed; it may be tried again."""
    TIMED_OUT = auto()
    GAVE_UP = auto()
    """It has failed or timed out, and is not tried again."""
    LOST = auto()
    """Its node died."""
    MISSED = auto()
    OVERDUE = auto()
    """It has not succeeded within its `expected_by`."""
    CLEANUP_FAILED = auto()


class Incident(NamedTuple):
    """Something that went wrong, of one or several kinds, the most telling one first."""

    kinds: Sequence[Kind]
    task_id: str
    task_name: str
    module_id: str
    error: str | None = None
    times: int = 1


class AlertRule(BaseModel):
    """Which incidents are told, to whom, and how often: at most one alert in each window of `every`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text100
    on: Annotated[tuple[Kind, ...], MinLen(1)] = (Kind.GAVE_UP, Kind.LOST, Kind.MISSED, Kind.OVERDUE)
    modules: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    every: Annotated[Seconds, Gt(timedelta(0))] = timedelta(hours=1)
    webhook: HttpUrl | None = None
    command: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None

    def kind_of(self, incident: Incident) -> Kind | None:
        """Return as what this rule tells an incident, or None where it does not."""
        if self.modules and incident.module_id not in self.modules:
            return None
        if self.tasks and not {incident.task_name, incident.task_id} & set(self.tasks):
            return None
        return next((kind for kind in incident.kinds if kind in self.on), None)
