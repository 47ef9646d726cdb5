"""What fires on each of many days: days that are alike share one integer, and several triggers meet in its bits."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial, reduce
from operator import and_, or_
from typing import NamedTuple

from modules.core.scheduler.trigger.protocol import DAY, TICK

WHOLE_DAY = 86_400  # seconds
HOUR, MINUTE, SECOND = 3_600, 60, 1
SECOND_TICKS = 1_000_000
BYTES = 256


class TooCoarse(Exception):  # noqa: N818  # asked again in seconds
    """Times cannot be told in a unit: they do not all lie equally long after the beginning of one."""


class Grid(NamedTuple):
    """So many UTC days from the one of the ordinal `first` on, in units of so many seconds."""

    first: int
    days: int
    unit: int

    @property
    def width(self) -> int:
        """How many units a day has."""
        return WHOLE_DAY // self.unit

    @property
    def full(self) -> int:
        """The mask of a day that has all of its units."""
        return (1 << self.width) - 1

    def midnight(self, number: int = 0) -> datetime:
        """Return when a day begins."""
        return datetime.combine(date.fromordinal(self.first + number), time(), UTC)

    def slot(self, since: timedelta, rest: int = 0) -> int:
        """Return the first unit whose moment, `rest` after its beginning, is not earlier than so long after one."""
        return -((rest - since // TICK) // (self.unit * SECOND_TICKS))


Kinds = Sequence[int]  # bytes, where so few are told apart


class Row(NamedTuple):
    """Of each day its kind, and of each kind its mask: bit n stands for the unit n of the day."""

    kinds: Kinds
    masks: Sequence[int]


Rows = Mapping[int, Row]  # by how many microseconds after the beginning of a unit


def nothing(grid: Grid) -> Row:
    """Return a row of days without any time."""
    return Row(bytes(grid.days), [0])


def row_of(kinds: Sequence[Hashable], masks: Mapping[Hashable, int]) -> Row:
    """Return the row of these kinds of days, given the mask of each; kinds with the same mask are one."""
    known: dict[int, int] = {}
    numbers = {kind: known.setdefault(mask, len(known)) for kind, mask in masks.items()}
    if isinstance(kinds, bytes):
        return Row(kinds.translate(bytes(numbers.get(kind, 0) for kind in range(BYTES))), list(known))
    return Row(_packed([numbers[kind] for kind in kinds], len(known)), list(known))


def first_of_each(kinds: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return of each kind one of the days that are of it."""
    if isinstance(kinds, bytes):
        return {kind: kinds.index(kind) for kind in set(kinds)}
    return dict(zip(kinds, range(len(kinds)), strict=True))


def paired(left: Kinds, right: Kinds, sizes: tuple[int, int]) -> tuple[Kinds, list[tuple[int, int]]]:
    """Return a number for each pair of kinds, day by day, and the pairs by their numbers; `sizes` are how many kinds.

    Where all fit into bytes they are added as one integer, without a step for each day.
    """
    if isinstance(left, bytes) and isinstance(right, bytes) and sizes[0] * sizes[1] <= BYTES:
        both = int.from_bytes(left.translate(_times(sizes[1])), "little") + int.from_bytes(right, "little")
        codes = both.to_bytes(len(left), "little")
        found = sorted(set(codes))
        dense = bytearray(BYTES)
        for number, code in enumerate(found):
            dense[code] = number
        return codes.translate(dense), [divmod(code, sizes[1]) for code in found]
    together = list(zip(left, right, strict=True))
    numbers = {pair: number for number, pair in enumerate(dict.fromkeys(together))}
    return _packed([numbers[pair] for pair in together], len(numbers)), list(numbers)


def combined(join: Callable[[int, int], int], left: Row, right: Row) -> Row:
    """Return what `join` makes of the masks of two rows, day by day; done once for each kind of day."""
    kinds, pairs = paired(left.kinds, right.kinds, (len(left.masks), len(right.masks)))
    return renumbered(kinds, [join(left.masks[one], right.masks[two]) for one, two in pairs])


def renumbered(kinds: Kinds, masks: Sequence[int]) -> Row:
    """Return the row of these kinds and their masks; kinds with the same mask are one."""
    known: dict[int, int] = {}
    numbers = [known.setdefault(mask, len(known)) for mask in masks]
    if isinstance(kinds, bytes):
        return Row(kinds.translate(bytes(numbers).ljust(BYTES, b"\0")), list(known))
    return Row(_packed([numbers[kind] for kind in kinds], len(known)), list(known))


def joined(rows: Sequence[Row]) -> Row:
    """Return one row of several, the days of each after those of the one before."""
    if len(rows) == 1:
        return rows[0]
    known: dict[int, int] = {}
    numbers = [[known.setdefault(mask, len(known)) for mask in row.masks] for row in rows]
    if len(known) <= BYTES:
        tables = [bytes(each).ljust(BYTES, b"\0") for each in numbers]
        parts = [bytes(row.kinds).translate(table) for row, table in zip(rows, tables, strict=True)]
        return Row(b"".join(parts), list(known))
    both = zip(rows, numbers, strict=True)
    return Row([each[kind] for row, each in both for kind in row.kinds], list(known))


def any_of(rows: Sequence[Row]) -> Row:
    """Return what any of several rows has."""
    return reduce(partial(combined, or_), rows)


def all_of(rows: Sequence[Row]) -> Row:
    """Return what all of several rows have."""
    return reduce(partial(combined, and_), rows)


def without(row: Row, *others: Row) -> Row:
    """Return what a row has and no other one."""
    return reduce(partial(combined, lambda one, other: one ^ (one & other)), others, row)


def merged(several: Iterable[Rows]) -> dict[int, Row]:
    """Return what any of several triggers has."""
    found: dict[int, list[Row]] = {}
    for rows in several:
        for rest, row in rows.items():
            found.setdefault(rest, []).append(row)
    return {rest: any_of(rows) for rest, rows in found.items()}


def repainted(row: Row, masks: Mapping[int, int]) -> Row:
    """Return the row with these masks instead on some days."""
    if not masks:
        return row
    every = {mask: kind for kind, mask in enumerate(row.masks)}
    kinds = list(row.kinds)
    for day, mask in masks.items():
        kinds[day] = every.setdefault(mask, len(every))
    return Row(_packed(kinds, len(every)), list(every))


def within(rows: Rows, grid: Grid, after: datetime, until: datetime) -> Rows:
    """Return what lies in `(after, until]`."""
    start = grid.midnight()
    low, high = (after - start) // DAY, (until - start) // DAY  # the days on which it begins and ends
    if low < 0 and high >= grid.days:
        return rows
    return {rest: _within(row, grid, rest, after, until) for rest, row in rows.items()}


def _within(row: Row, grid: Grid, rest: int, after: datetime, until: datetime) -> Row:
    start = grid.midnight()
    low, high = max((after - start) // DAY, -1), min((until - start) // DAY, grid.days)
    if low > 0 or high < grid.days - 1:
        first, stop = min(max(low, 0), grid.days), min(max(high + 1, 0), grid.days)
        inside = bytes(first) + b"\1" * (stop - first) + bytes(grid.days - max(stop, first))
        row = combined(lambda mask, is_inside: mask * is_inside, row, Row(inside[: grid.days], [0, 1]))
    ends = {}
    for day in {low, high} & set(range(grid.days)):
        begin = grid.midnight(day)
        first, stop = (min(max(grid.slot(at + TICK - begin, rest), 0), grid.width) for at in (after, until))
        ends[day] = row.masks[row.kinds[day]] & ((1 << stop) - (1 << first) if first < stop else 0)
    return repainted(row, ends)


def _packed(kinds: Sequence[int], number: int) -> Kinds:
    return bytes(kinds) if number <= BYTES else kinds


@lru_cache(maxsize=BYTES)
def _times(factor: int) -> bytes:
    return bytes(min(kind * factor, BYTES - 1) for kind in range(BYTES))
