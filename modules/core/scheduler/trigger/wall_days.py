"""What the wall clock has on its days, told by the days of UTC."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from modules.core.scheduler.trigger import wall_clock
from modules.core.scheduler.trigger.day_masks import (
    Grid,
    Row,
    Rows,
    TooCoarse,
    joined,
    nothing,
    paired,
    renumbered,
    repainted,
)
from modules.core.scheduler.trigger.protocol import DAY, FIRST, LAST, TICK
from modules.core.scheduler.trigger.wall_clock import Dst
from modules.core.scheduler.trigger.zones import offset_at, transitions

NEAR = 2 * DAY  # no change of the clocks leaves out or repeats more than a day
SECONDS = timedelta(seconds=1)


def wall_dates(grid: Grid) -> tuple[date, int]:
    """Return the first of the wall clock's days that the days of a grid have a part of, and how many these are."""
    return date.fromordinal(grid.first - 1), grid.days + 2


def on_utc_days(walls: Row, rest: int, place: ZoneInfo, dst: Dst, grid: Grid) -> Rows:
    """Return the row of UTC days, given that of the days `wall_dates`, each of whose times lies `rest` after a unit."""
    days = _Days(walls, rest, place, dst, grid)
    row = days.plain()
    changed = days.changed()
    found = {rest: repainted(row, {day: masks[0] for day, masks in changed.items()})}
    shifted = {day: masks[1] for day, masks in changed.items() if masks[1]}
    if shifted:
        at_change = repainted(nothing(grid), shifted)
        found[0] = at_change if rest else repainted(row, {day: sum(changed[day]) for day in changed})
    return found


class _Days:
    def __init__(self, walls: Row, rest: int, place: ZoneInfo, dst: Dst, grid: Grid) -> None:
        self._walls, self._rest, self._place, self._dst, self._grid = walls, rest, place, dst, grid
        self._start, self._stop = grid.midnight(), grid.midnight(grid.days)
        years = range(max((self._start - NEAR).year, 1), min((self._stop + NEAR).year, LAST.year) + 1)
        self._changes = [change for year in years for change in transitions(place, year)]

    def plain(self) -> Row:
        """Return the row as if the clocks changed at the beginnings of days."""
        grid, walls, several = self._grid, self._walls, list[Row]()
        for first, stop, offset in self._stretches():
            days, ahead = divmod(self._units(offset), grid.width)
            today, following = (walls.kinds[at + days + first : at + days + stop] for at in (1, 2))
            kinds, pairs = paired(today, following, (len(walls.masks), len(walls.masks)))
            masks = [
                walls.masks[one] >> ahead | walls.masks[two] << grid.width - ahead & grid.full for one, two in pairs
            ]
            several.append(renumbered(kinds, masks))
        return joined(several)

    def changed(self) -> dict[int, tuple[int, int]]:
        """Return, of days that a change touches, what fires `rest` after units, and what that change itself fires."""
        known: dict[object, tuple[int, int]] = {}
        found: dict[int, tuple[int, int]] = {}
        for day, number in self._touched().items():
            begin = self._grid.midnight(day)
            near = self._changes[max(number - 1, 0) : number + 2]  # no two lie within three days
            kind = (
                *self._walls.kinds[day : day + 3],
                tuple((each.at - begin, each.before, each.after) for each in near if abs(each.at - begin) < 2 * NEAR),
            )
            if kind not in known:
                known[kind] = self._look(day, begin)
            found[day] = known[kind]
        return found

    def _stretches(self) -> list[tuple[int, int, timedelta]]:
        """Return from which day to which the clocks are how far ahead, changes taken as if at beginnings of days."""
        inside = [change for change in self._changes if self._start < change.at < self._stop]
        cuts = [-((self._start - change.at) // DAY) for change in inside]
        at_start = offset_at(self._place, max(self._start, FIRST))
        offsets = [at_start, *(change.after for change in inside)]
        return list(zip([0, *cuts], [*cuts, self._grid.days], offsets, strict=True))

    def _touched(self) -> dict[int, int]:
        found = dict[int, int]()
        for number, change in enumerate(self._changes):
            reach = abs(change.after - change.before)
            first, last = ((at - self._start) // DAY for at in (change.at - reach, change.at + reach))
            found.update(dict.fromkeys(range(max(first, 0), min(last + 1, self._grid.days)), number))
        return found

    def _look(self, day: int, begin: datetime) -> tuple[int, int]:
        grid, regular, at_change = self._grid, 0, 0
        several = [self._walls.masks[kind] for kind in self._walls.kinds[day : day + 3]]
        whole = several[0] | several[1] << grid.width | several[2] << 2 * grid.width
        base = datetime.combine(begin.date(), time()) - DAY
        for stretch in wall_clock.stretches(self._place, begin - TICK, begin + DAY - TICK, self._dst):
            low, high = (max(grid.slot(wall - base, self._rest), 0) for wall in (stretch.first, stretch.stop))
            part = whole & ((1 << high) - (1 << low)) if low < high else 0
            if stretch.at is None:
                regular |= part >> grid.width + self._units(stretch.offset)
            elif part:
                at_change |= 1 << self._units(stretch.at - begin)
        return regular, at_change & ~regular if not self._rest else at_change

    def _units(self, span: timedelta) -> int:
        units, left = divmod(span // SECONDS, self._grid.unit)
        if left:
            raise TooCoarse
        return units
