"""What a calendar closes, told by the day: each kind of day is looked at once, however many years are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, date, datetime

from modules.core.scheduler.trigger.closed import Span
from modules.core.scheduler.trigger.day_masks import SECOND_TICKS, WHOLE_DAY, Grid, Row, TooCoarse, repainted, row_of
from modules.core.scheduler.trigger.protocol import TICK

Place = tuple[int, int]  # a month and a day
Hours = tuple[int, int, frozenset[int]]  # seconds of the day from and to, over midnight, on the weekdays of their start
WEEK = 7


def walls_closed(
    weekdays: Iterable[int], ranges: Iterable[tuple[date, date]], hours: Sequence[Hours], first: date, grid: Grid
) -> Row:
    """Return what is closed on the wall clock from the day `first` on, two days more than the grid has."""
    days, begin = grid.days + 2, first.toordinal()
    whole = bytearray(days)
    for weekday in weekdays:
        at = (weekday - first.weekday()) % WEEK
        whole[at::WEEK] = b"\1" * len(range(at, days, WEEK))
    for low, high in ranges:
        start, stop = max(low.toordinal() - begin, 0), min(high.toordinal() - begin + 1, days)
        if start < stop:
            whole[start:stop] = b"\1" * (stop - start)
    if not hours:
        return row_of(whole, {0: 0, 1: grid.full})
    masks: dict[object, int] = {weekday: _of_weekday(hours, weekday, grid) for weekday in range(WEEK)}
    masks |= {WEEK + weekday: masks[weekday] | grid.full for weekday in range(WEEK)}
    week = [(first.weekday() + day) % WEEK for day in range(WEEK)] * (days // WEEK + 1)
    return row_of([weekday + WEEK * closed for weekday, closed in zip(week, whole, strict=False)], masks)


def in_years(first: Place, last: Place, years: range) -> Iterator[tuple[date, date]]:
    """Yield from which day to which a part of every year goes, over the new year where `last` is the earlier one."""
    for year in years:
        until = year if first <= last else year + 1
        if year >= MINYEAR and until <= MAXYEAR:
            yield _at(year, first, is_last=False), _at(until, last, is_last=True)


def with_spans(row: Row, spans: Sequence[Span[datetime]], grid: Grid) -> Row:
    """Return a row of UTC days with these spans of time closed as well."""
    begin, end, masks = grid.midnight(), grid.midnight(grid.days), dict[int, int]()
    for span in spans:
        if span.stop <= begin or span.start >= end:
            continue
        start, stop = (_unit_at(at, begin, grid) for at in (span.start, span.stop))
        start, stop = max(start, 0), min(stop, grid.days * grid.width)
        for day in range(start // grid.width, -(-stop // grid.width)):
            low, high = max(start - day * grid.width, 0), min(stop - day * grid.width, grid.width)
            masks[day] = masks.get(day, row.masks[row.kinds[day]]) | (1 << high) - (1 << low)
    return repainted(row, masks)


def _of_weekday(hours: Sequence[Hours], weekday: int, grid: Grid) -> int:
    mask = 0
    for start, stop, weekdays in hours:
        if start % grid.unit or stop % grid.unit:
            raise TooCoarse
        length = (stop - start - 1) % WHOLE_DAY + 1
        bits = (1 << length // grid.unit) - 1 << start // grid.unit
        mask |= bits & grid.full if weekday in weekdays else 0
        mask |= bits >> grid.width if (weekday - 1) % WEEK in weekdays else 0
    return mask


def _unit_at(moment: datetime, begin: datetime, grid: Grid) -> int:
    units, left = divmod((moment - begin) // TICK, grid.unit * SECOND_TICKS)
    if left:
        raise TooCoarse
    return units


def _at(year: int, place: Place, *, is_last: bool) -> date:
    try:
        return date(year, *place)
    except ValueError:  # 29 February
        return date(year, 2, 28) if is_last else date(year, 3, 1)
