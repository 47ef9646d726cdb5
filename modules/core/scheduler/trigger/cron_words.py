"""The times of a cron expression in plain words: told from what it means, not from how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise

from modules.core.scheduler.trigger.days import LAST, Days
from modules.core.scheduler.trigger.timetable import Timetable
from modules.core.scheduler.trigger.weekdays import EVERY_DAY, MONTHS, ORDINALS, WEEKDAYS, clock, listed, run_text
from modules.core.scheduler.trigger.words import every

MOST_TIMES, MOST_DAYS = 4, 4  # that are listed
SURE_DAY = 28  # of a month, or back from its last: every month has so many
DAY = 86_400
HOUR = 3_600
MIDNIGHT = datetime.combine(date.min, time())


@lru_cache(maxsize=2048)
def cron_words(times: Timetable) -> str | None:
    """Return "every 10 minutes from 09:00 to 17:50 on Monday to Friday"; None where plain words would not be exact."""
    if times.years is not None or not _has_words(times.days):
        return None
    minutes = [hour * HOUR + minute * 60 for hour in times.hours for minute in times.minutes]
    seconds = [minute + second for minute in minutes for second in times.seconds]
    if len(seconds) <= MOST_TIMES:
        *others, last = (_each(days) for days in _either(times.days))
        which = "".join(f"{day}, and " for day in others) + last + ("," if others else "")
        return f"{which} at {listed(_clock(second) for second in seconds)}"
    rhythm = _rhythm(seconds)
    return None if rhythm is None else rhythm + ", and".join(_on(days) for days in _either(times.days))


def _either(days: Days) -> tuple[Days, ...]:
    """Return the weekdays and the days of the month apart, where either will do."""
    if days.days is None or days.weekdays is None or days.both:
        return (days,)
    by_weekday = replace(days, days=None, from_last=frozenset(), nearest=frozenset())
    return by_weekday, replace(days, weekdays=None, nth=frozenset())


def _has_words(days: Days) -> bool:
    either = _either(days)
    if len(either) > 1:
        return all(_has_words(each) for each in either)
    if (days.days is not None and days.weekdays is not None) or days.nearest or days.weeks is not None:
        return False
    if days.nth and days.weekdays:
        return False
    return len(days.days or ()) + len(days.from_last) <= MOST_DAYS or _is_run(sorted(days.days or ()))


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
        return f"every year in {months} on {of_month}" if months else f"every month on {of_month}"
    weekdays = _weekdays(days)
    which = f"on {run_text(weekdays, WEEKDAYS)}" if len(weekdays) > 1 else f"every {WEEKDAYS[weekdays[0]]}"
    return ("every day" if weekdays == EVERY_DAY else which) + (f" in {months}" if months else "")


def _on(days: Days) -> str:
    """Return the days behind a rhythm; nothing for every day."""
    months = _months(days)
    of_month = _of_month(days)
    if of_month is not None:
        return f" on {of_month} of {months or 'every month'}"
    weekdays = _weekdays(days)
    which = "" if weekdays == EVERY_DAY else f" on {run_text(weekdays, WEEKDAYS)}"
    return which + (f" in {months}" if months else "")


def _months(days: Days) -> str:
    months = sorted(month - 1 for month in days.months)
    return "" if len(months) == len(MONTHS) else run_text(months, MONTHS)


def _weekdays(days: Days) -> tuple[int, ...]:
    """Return the days of the week, Monday = 0; all where nothing restricts them."""
    return EVERY_DAY if days.weekdays is None else tuple(sorted({(day - 1) % 7 for day in days.weekdays}))


def _of_month(days: Days) -> str | None:
    """Return "day 1 and day 15", "the last day", "the second Friday"; None where the weekday alone decides."""
    if days.days is not None:
        numbers = sorted(days.days)
        told = [_where_there_is_one(f"day {day}", day) for day in numbers]
        told = [f"day {numbers[0]} to day {numbers[-1]}"] if _is_run(numbers) else told
        last = ((back, f"the last day but {back}" if back else "the last day") for back in days.from_last)
        return listed([*told, *(_where_there_is_one(text, back + 1) for back, text in sorted(last, reverse=True))])
    if not days.nth:
        return None
    names = {LAST: "last", 5: "fifth"} | {week + 1: name for week, name in enumerate(ORDINALS)}
    return listed(f"the {names[week]} {WEEKDAYS[(day - 1) % 7]}" for day, week in sorted(days.nth))


def _where_there_is_one(day: str, number: int) -> str:
    return f"{day} (where there is one)" if number > SURE_DAY else day


def _is_run(days: Sequence[int]) -> bool:
    return len(days) > 2 and days[-1] - days[0] == len(days) - 1


def _clock(second: int) -> str:
    return clock(MIDNIGHT + timedelta(seconds=second))
