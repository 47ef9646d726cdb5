"""The page lists every spelling that cronsim or croniter reads in another way, with the reason, and no other one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice

import pytest
from cron_oracle import Meaning
from croniter import croniter
from cronsim import CronSim
from documents import ROOT

from modules.core.scheduler.trigger import Cron, TriggerError

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
NAIVE = START.replace(tzinfo=None)
END = datetime(2060, 1, 1, tzinfo=UTC)
LOOKED_AT = 8  # times of each
ALIKE = 400 * 9  # days in which so many times of the rarest are
SPELLINGS = {
    "{} 0 * * *": "*/59 */7 */0 5/20 59/15 5- /5 10-20/10 0-59 1,1 05 *,5 60 ? L *-5 1--9 0-99999999999",
    "0 {} * * *": "24 */5 */23 0-23/2 23/1 22-23,0-2 9-17",
    "0 0 {} * *": "L L,15 0 32 */2 */31 1-31 W 1-5W 15,15 31",
    "0 0 1 {} *": "jan JAN-MAR 1/3 13 0 january */5 */12",
    "0 0 * * {}": "0 7 5-7 0-7 sun-tue 5#2 fri#2 5#6 */2 mon-fri/2 6#5 7#1 7#5 8 5#1,5#3 1-5#2 mon,fri",
    "{}": "* @reboot @yesterday",
}
OTHERS = ["0 0 13 * 5", "0 0 30 2 1", "0 0 1-31 * 5", "0 0 13 * 1-7", "0 0 L * 5", "0 0 29 2 1", "* * * *", ""]
TABLE = (ROOT / "docs/when-compared.md").read_text().split("## Beside cronsim and croniter")[1]
Times = list[datetime] | None


def rows() -> list[tuple[str, str, str, str]]:
    """Each expression with what it means, and what the two libraries make of it."""
    found = []
    for line in TABLE.splitlines():
        if line.startswith("| `"):
            expressions, means, sim, iterator, reason = (cell.strip() for cell in line.strip("|").split(" | "))
            assert reason
            named = re.findall("`([^`]+)`", expressions)
            meanings = re.findall("`([^`]+)`", means) or [means]
            meanings = meanings * len(named) if len(meanings) == 1 else meanings
            found += [(*pair, sim, iterator) for pair in zip(named, meanings, strict=True)]
    return found


def by_ours(expression: str) -> Times:
    try:
        cron = Cron(expression, "UTC")
    except TriggerError:
        return None
    return [moment.replace(tzinfo=None) for moment in islice(cron.between(START, END), LOOKED_AT)]


def by_cronsim(expression: str) -> Times:
    try:
        return list(islice(CronSim(expression, NAIVE), LOOKED_AT))
    except Exception:  # noqa: BLE001  # whatever it raises, it does not answer
        return None


def by_croniter(expression: str) -> Times:
    try:
        times = croniter(expression, NAIVE)
    except Exception:  # noqa: BLE001
        return None
    try:
        return [times.get_next(datetime) for _ in range(LOOKED_AT)]
    except Exception:  # noqa: BLE001
        return []  # taken, and then not found


def told(theirs: Times, ours: Times) -> str:
    if theirs == ours:
        return "same"
    return "refused" if theirs is None else "another"


@pytest.mark.skipif(int(version("croniter").split(".")[0]) < 7, reason="the page is about croniter 7")
@pytest.mark.parametrize(("expression", "means", "sim", "iterator"), rows(), ids=str)
def test_the_table_says_what_each_makes_of_a_spelling(expression: str, means: str, sim: str, iterator: str) -> None:
    ours = by_ours(expression)

    assert (told(by_cronsim(expression), ours), told(by_croniter(expression), ours)) == (sim, iterator)
    assert (ours is None) == (means == "refused")
    if ours is not None:
        meaning, moment = Meaning(means), NAIVE
        for found in ours:
            assert meaning.first_after(moment, ALIKE) == found
            moment = found


def test_whatever_is_not_in_the_table_all_three_read_alike() -> None:
    listed = {expression for expression, *_ in rows()}
    tried = [form.format(item) for form, items in SPELLINGS.items() for item in items.split()] + OTHERS

    unlike = [each for each in tried if each not in listed and by_ours(each) != by_cronsim(each)]
    unlike += [each for each in tried if each not in listed and by_ours(each) != by_croniter(each)]

    assert len(set(tried) | listed) > 100
    assert unlike == []
