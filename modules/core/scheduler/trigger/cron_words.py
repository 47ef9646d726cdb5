"""The times of a cron expression in plain words: told from what it means, not from how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise, product

from modules.core.scheduler.trigger.bits import numbers_of
from modules.core.scheduler.trigger.days import LAST, LENGTHS, Days
from modules.core.scheduler.trigger.timetable import Timetable
from modules.core.scheduler.trigger.weekdays import (
    EVERY_DAY,
    MONTHS,
    ORDINALS,
    WEEKDAYS,
    clock,
    is_run,
    listed,
    run_text,
)
from modules.core.scheduler.trigger.words import clock_text, every, numbers_text, ordinal, runs_of, step_of, units_text

FEW_TIMES, MOST_TIMES = 4, 12  # that are listed: even where they have a rhythm, and where they have none
MOST_DAYS = 4  # that are listed though they have a rhythm
FEBRUARY, SURE_DAY = 2, 28  # which every one of them has
DAY = 86_400
HOUR = 3_600
MIDNIGHT = datetime.combine(date.min, time())


@lru_cache(maxsize=2048)
def cron_words(times: Timetable) -> str:
    """Return "every 10 minutes from 09:00 to 17:50 on Monday to Friday": exactly the times, in plain words."""
    fields = [numbers_of(mask) for mask in (times.hours, times.minutes, times.seconds)]
    seconds = [hour * HOUR + minute * 60 + second for hour, minute, second in product(*fields)]
    rhythm = None if len(seconds) <= FEW_TIMES else _rhythm(seconds)
    if rhythm is None and len(seconds) <= MOST_TIMES:
        *others, last = (_each(days) for days in _either(times.days))
        which = "".join(f"{day}, and " for day in others) + last + ("," if others else "")
        told = f"{which} at {listed(_clock(second) for second in seconds)}"
    else:
        rhythm = rhythm or f"at {clock_text(*fields)}"
        told = rhythm + ", and".join(_on(days) for days in _either(times.days))
    return told if times.years is None else f"{told}, only in {_years(sorted(times.years))}"


def _years(years: Sequence[int]) -> str:
    step = step_of(years)
    return numbers_text(years) if step is None else f"every {ordinal(step)} year from {years[0]} to {years[-1]}"


def _either(days: Days) -> tuple[Days, ...]:
    """Return apart what each will do: days of the week, those that are counted in the month, days of the month."""
    if days.both or days.weekdays is None:
        return (days,)
    no_days = replace(days, days=None, from_last=frozenset(), nearest=frozenset())
    found = [replace(no_days, nth=frozenset())] if days.weekdays else []
    found += [replace(no_days, weekdays=frozenset())] if days.nth else []
    return (*found, *([replace(days, weekdays=None, nth=frozenset())] if days.days is not None else []))


def _rhythm(seconds: Sequence[int]) -> str | None:
    step = seconds[1] - seconds[0]
    if any(later - earlier != step for earlier, later in pairwise(seconds)):
        return None
    pace = every(timedelta(seconds=step))
    if seconds[0] + DAY - seconds[-1] == step:  # on from one day into the next
        if seconds[0] == 0:
            return pace
        if step == HOUR and seconds[0] % 60 == 0:
            return f"{pace} at minute {seconds[0] // 60}"
    return f"{pace} from {_clock(seconds[0])} to {_clock(seconds[-1])}"


def _each(days: Days) -> str:
    """Return the days before a time: "every day", "every month on day 1"."""
    months = _months(days)
    of_month = _of_month(days)
    if of_month is not None:
        which = f"every year in {months} on {of_month}" if months else f"every month on {of_month}"
        return which + _weeks(days)
    weekdays = _weekdays(days)
    which = f"on {run_text(weekdays, WEEKDAYS)}" if len(weekdays) > 1 else f"every {WEEKDAYS[weekdays[0]]}"
    which = "every day" if weekdays == EVERY_DAY else which
    return which + (f" in {months}" if months else "") + _weeks(days)


def _on(days: Days) -> str:
    """Return the days behind a rhythm; nothing for every day."""
    months = _months(days)
    of_month = _of_month(days)
    if of_month is not None:
        return f" on {of_month} of {months or 'every month'}{_weeks(days)}"
    weekdays = _weekdays(days)
    which = "" if weekdays == EVERY_DAY else f" on {run_text(weekdays, WEEKDAYS)}"
    return which + (f" in {months}" if months else "") + _weeks(days)


def _months(days: Days) -> str:
    months = sorted(month - 1 for month in days.months)
    return "" if len(months) == len(MONTHS) else run_text(months, MONTHS)


def _weeks(days: Days) -> str:
    if days.weeks is None:
        return ""
    return f" in {units_text(sorted(days.weeks), 'ISO week', 53)}"


def _weekdays(days: Days) -> tuple[int, ...]:
    """Return the days of the week, Monday = 0; all where nothing restricts them."""
    return EVERY_DAY if days.weekdays is None else tuple(sorted({(day - 1) % 7 for day in days.weekdays}))


def _of_month(days: Days) -> str | None:
    """Return "day 1 and day 15", "the last day", "the second Friday"; None where the weekday alone decides."""
    counted = _counted_weekdays(days)
    if days.days is None:
        return listed(counted) if counted else None
    told = [*_numbered(sorted(days.days), _sure_day(days)), *_from_last(days), *_nearest(days)]
    if not days.both:
        return listed(told)
    weekdays = _weekdays(days) if days.weekdays else ()
    names = [run_text(weekdays, WEEKDAYS)] if is_run(weekdays) else [WEEKDAYS[weekday] for weekday in weekdays]
    return f"{listed(told)} (where it is {' or '.join([*names, *counted])})"


def _numbered(days: Sequence[int], sure: int) -> list[str]:
    step = step_of(days)
    if step is not None and len(days) > MOST_DAYS:
        return [f"every {ordinal(step)} day from day {days[0]} to day {days[-1]}"]
    return [
        f"day {low} to day {high}" if low < high else _where_there_is_one(f"day {low}", low, sure)
        for low, high in runs_of(days)
    ]


def _from_last(days: Days) -> list[str]:
    backs = sorted(days.from_last, reverse=True)
    sure = _sure_day(days)
    return [
        _where_there_is_one(f"the last day but {back}" if back else "the last day", back + 1, sure) for back in backs
    ]


def _nearest(days: Days) -> list[str]:
    sure = _sure_day(days)
    near = [
        _where_there_is_one(f"the working day nearest to day {day}", day, sure) for day in sorted(days.nearest - {LAST})
    ]
    return [*near, *(["the last working day"] if LAST in days.nearest else [])]


def _counted_weekdays(days: Days) -> list[str]:
    names = {LAST: "last", 5: "fifth"} | {week + 1: name for week, name in enumerate(ORDINALS)}
    return [f"the {names[week]} {WEEKDAYS[(day - 1) % 7]}" for day, week in sorted(days.nth)]


def _sure_day(days: Days) -> int:
    """Return the last day of a month, or back from its last, that all of its months have."""
    return min(SURE_DAY if month == FEBRUARY else LENGTHS[month - 1] for month in days.months)


def _where_there_is_one(day: str, number: int, sure: int) -> str:
    return f"{day} (where there is one)" if number > sure else day


def _clock(second: int) -> str:
    return clock(MIDNIGHT + timedelta(seconds=second))
