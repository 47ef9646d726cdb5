"""A table of cron expressions against croniter and cronsim on naive times."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

import pytest
from croniter import croniter
from cronsim import CronSim

from modules.core.scheduler.trigger import Cron

CRONITER = tuple(int(part) for part in version("croniter").split(".")[:2])


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


TABLE = """
* * * * *|*/5 * * * *|0 * * * *|30 * * * *|0,30 * * * *|0-10 * * * *|10-20/3 * * * *|5/20 * * * *|59/15 * * * *
0 0 * * *|0 12 * * *|15 14 * * *|0 */2 * * *|0 */6 * * *|0 9-17 * * *|0 9-17/2 * * *|*/15 9-17 * * *|0 22-23,0-4 * * *
50-59,0-10 * * * *|0 0,12 * * *|5,35 8-10,14 * * *|0 23/1 * * *|*/7 */5 * * *|1 2 3 4 *|0 0 1 * *|0 0 15 * *|0 0 31 * *
0 0 30 * *|0 0 29 2 *|0 0 28,29,30 2 *|0 0 1,15 * *|0 0 1-7 * *|0 0 */2 * *|0 0 */10 * *|0 0 10-20/5 * *|0 0 L * *
0 0 15,L * *|0 12 L 2 *|0 0 28-L * *|0 0 1 1 *|0 0 1 */3 *|0 0 1 1,7 *|0 0 1 jan *|0 0 1 jan,jul *|0 0 * mar-may *
0 0 * nov-dec,jan-feb *|0 0 1 jan-dec/2 *|0 0 * * 0|0 0 * * 7|0 0 * * 1|0 0 * * 1-5|0 0 * * 6,0|0 0 * * 5-7|0 0 * * sun
0 0 * * mon|0 0 * * mon-fri|0 0 * * MON-FRI|0 0 * * sat,sun|0 0 * * sat-sun|0 0 * * fri-sun,mon|0 0 * * 1,3,5
0 0 * * mon,wed,fri|*/30 9-17 * * mon-fri|0 0 * * 1#1|0 0 * * 5#2|0 0 * * mon#3|0 0 * * 7#1|0 0 * * 0#5
0 0 * * 1#1,1#3|0 0 * * L5|0 0 * * L0|0 0 * * L1,L4|0 0 13 * 5|0 0 13 * fri|0 0 1,15 * 1|0 0 31 4,6 mon
0 0 30 2 1|0 0 1-7 * 1|0 0 L * 0|30 2 * * *|59 23 31 12 *|0 0 29 2 1|0 17 * * 1-5|0 4 8-14 * *|5 0 * 8 *
23 0-20/2 * * *|0 0,12 1 */2 *|0 0 1,15 * 3|@hourly|@daily|@midnight|@weekly|@monthly|@yearly|@annually|*/59 * * * *
0 0 31 1-12/2 *
0 0 29-31 * *|45 23 * * 6|1,2,3 4,5,6 * * *|10-12,40-42 * * * *|0 8 * 6-8 1-5|*/20 0-6,18-23 * * *|0 0 */5 * *
"""
EXPRESSIONS = [expression for expression in TABLE.replace("\n", "|").split("|") if expression]


def test_the_table_holds_a_hundred_expressions() -> None:
    assert len(set(EXPRESSIONS)) >= 100


@pytest.mark.skipif(CRONITER < (7,), reason="older croniters expand alike but miss some of these times in their search")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_cron_in_utc_agrees_with_croniter_on_naive_times(expression: str) -> None:
    reference = croniter(expression, wall(2027, 11, 28, 21, 59))
    cron = Cron(expression, "UTC")
    moment = datetime(2027, 11, 28, 21, 59, tzinfo=UTC)

    for _ in range(30):
        expected = reference.get_next(datetime).replace(tzinfo=UTC)

        found = cron.next_after(moment)

        assert found == expected
        moment = expected


@pytest.mark.parametrize("year", [1899, 1999, 2099])
@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 L 2 *", "0 0 * 2 1#5", "59 23 31 12 *"])
def test_leap_days_of_1900_2000_and_2100_are_those_of_debian_cron_and_croniter(expression: str, year: int) -> None:
    start = wall(year, 6, 1)
    reference = croniter(expression, start, max_years_between_matches=60)

    found = Cron(expression, "UTC").next_after(start.replace(tzinfo=UTC))

    assert found == reference.get_next(datetime).replace(tzinfo=UTC)
    assert found == next(CronSim(expression, start)).replace(tzinfo=UTC)
