"""The cron trigger: the wall-clock times of an expression, found in a zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from modules.core.scheduler.trigger.cron_words import cron_words
from modules.core.scheduler.trigger.expression import normal_text, timetable
from modules.core.scheduler.trigger.on_wall_clock import OnWallClock
from modules.core.scheduler.trigger.protocol import TriggerError, moment_text
from modules.core.scheduler.trigger.timetable import Timetable
from modules.core.scheduler.trigger.wall_clock import BY_DEFAULT, Dst
from modules.core.scheduler.trigger.words import window_text

ROUND_THE_CLOCK = {sum(1 << hour for hour in range(0, 24, step)) for step in (1, 2, 3, 4)}  # told as a rhythm


@dataclass(frozen=True, slots=True)
class Cron(OnWallClock):
    """A cron expression of 5 to 7 fields in a zone, within `[start, end]`; raises `TriggerError` when built wrong.

    Where the expression restricts day and weekday, `day_match` says whether `any` or `all` must match; `week` is one
    more field, of ISO weeks. Two are equal when they mean the same times, however they are written.
    Daylight saving: with a fixed hour as `dst` says. An hour that begins with `*` follows elapsed time: the times of
    the fold fire in both passes, those of the gap do not exist.
    """

    expression: str = field(compare=False)
    zone: str
    start: datetime | None = None
    end: datetime | None = None
    dst: Dst = BY_DEFAULT
    week: str = field(default="*", compare=False)
    day_match: str = field(default="any", compare=False)
    times: Timetable = field(init=False, repr=False)
    recurring: ClassVar[bool] = True

    def __post_init__(self) -> None:
        normal = normal_text(self.expression)
        written = " ".join(self.expression.split())  # which is what a refusal quotes
        object.__setattr__(self, "expression", normal)
        week: object = self.week
        if not isinstance(week, str) or not isinstance(self.day_match, str):
            raise TriggerError(f"week and day_match are text, not {week!r} and {self.day_match!r}", "week")
        object.__setattr__(self, "times", timetable(written, self.week, self.day_match))
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
            "week": self.week,
            "day_match": self.day_match,
        }

    def describe(self, place: str | None = None) -> str:  # noqa: ARG002  # it has a zone of its own
        is_once = self.times.fixed_hour and self.dst.fold != "both" and self.times.hours in ROUND_THE_CLOCK
        once = ", each time of the clock once" if is_once else ""  # where `*` follows elapsed time
        return f"{cron_words(self.times)} ({self.zone}){once}{window_text(self.start, self.end, self.zone)}"
