"""The cron trigger: the wall-clock times of an expression, found in a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from modules.core.scheduler.trigger.expression import normal_text, timetable
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock
from modules.core.scheduler.trigger.protocol import moment_text
from modules.core.scheduler.trigger.timetable import Timetable
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.words import until_text


@dataclass(frozen=True, slots=True)
class Cron(OnWallClock):
    """A five-field cron expression in a zone, within `[start, end]`; raises `TriggerError` when built wrong.

    Daylight saving as in Debian's cron, decided by the hour field alone. A fixed hour: a time in the gap fires at the
    first valid instant after it, a time in the fold fires once, the first time. An hour that begins with `*` follows
    elapsed time: the times of the fold fire in both passes, those of the gap do not exist.
    """

    expression: str
    zone: str
    start: datetime | None = None
    end: datetime | None = None
    dst: Dst = BY_DEFAULT
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "expression", normal_text(self.expression))
        timetable(self.expression)
        self._check_window()

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "type": "cron",
            "expression": self.expression,
            "zone": self.zone,
            "start": self.start and moment_text(self.start),
            "end": self.end and moment_text(self.end),
            "gap": self.dst.gap,
            "fold": self.dst.fold,
        }

    def describe(self) -> str:
        return f"cron {self.expression} ({self.zone}){until_text(self.end)}"

    @property
    def times(self) -> Timetable:
        return timetable(self.expression)
