"""What the page of difficult cases says of this scheduler is what it does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from modules.core.scheduler.foresight.linting import findings_of_trigger
from modules.core.scheduler.trigger import TriggerError, parse

PAGE = (Path(__file__).parents[2] / "docs" / "when-compared.md").read_text(encoding="utf-8")
CASE = re.compile(
    r"^## \d+\. (?P<title>.+)\n\n`(?P<cron>.+)` in (?P<zone>\S+), from (?P<start>.+) UTC\.\n(?:.*\n)+?"
    r"\| \*\*Chamberlain\*\* \| (?P<answer>.+) \|$",
    re.MULTILINE,
)
CASES = [match.groupdict() for match in CASE.finditer(PAGE)]


def answer(cron: str, zone: str, start: str, count: int) -> str:
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    try:
        trigger = parse(cron, zone=zone, now=moment)
    except TriggerError as error:
        return f"refused: {error}"
    shown = []
    for _ in range(count):
        following = trigger.next_after(moment)
        assert following is not None
        moment = following
        local = moment.astimezone(ZoneInfo(zone))
        offset = "" if zone == "UTC" else " " + local.isoformat()[-6:]
        shown.append(f"{local:%a %Y-%m-%d %H:%M}{offset}")
    return ", ".join(shown)


def test_there_are_twenty_cases() -> None:
    assert len(CASES) == 20


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["title"]))
def test_the_page_says_what_this_scheduler_does(case: dict[str, str]) -> None:
    told = case["answer"]

    assert answer(case["cron"], case["zone"], case["start"], told.count(",") + 1) == told


def shown(count: int = 3, *, case: int, **keys: str | int) -> list[str]:
    """When a case's expression, or what is given in its place, runs by other choices than those by default."""
    of_case = CASES[case - 1]
    moment = datetime.fromisoformat(of_case["start"]).replace(tzinfo=UTC)
    definition = {"type": "cron", **({} if {"type", "day"} & keys.keys() else {"expression": of_case["cron"]}), **keys}
    trigger = parse(definition, zone=of_case["zone"], now=moment)
    found: list[datetime] = []
    while len(found) < count and (following := trigger.next_after(found[-1] if found else moment)) is not None:
        found.append(following)
    return [f"{each.astimezone(ZoneInfo(of_case['zone'])):%m-%d %H:%M %z}" for each in found]


def test_the_other_choices_that_the_page_names_do_what_it_says_of_them() -> None:
    assert shown(case=1, dst_gap="skip") == ["03-28 02:30 +0100", "03-30 02:30 +0200", "03-31 02:30 +0200"]
    assert shown(1, case=2, dst_fold="last") == ["10-25 02:30 +0100"]
    assert shown(2, case=2, dst_fold="both") == ["10-25 02:30 +0200", "10-25 02:30 +0100"]
    fixed = shown(3, case=3, expression="0,30 0-23 * * *")
    assert fixed == ["10-25 02:00 +0200", "10-25 02:30 +0200", "10-25 03:00 +0100"]


def test_what_the_page_says_to_write_instead_means_that() -> None:
    ends = [each[:5] for each in shown(3, case=9, expression="0 0 L * *")]
    assert ends == [each[:5] for each in shown(3, case=9, type="calendar", months=1, day="last", at="00:00")]
    assert ends == ["01-31", "02-28", "03-31"]
    fridays = [each[:5] for each in shown(3, case=11, day=13, day_of_week="fri")]
    assert fridays == ["02-13", "03-13", "11-13"]
    every = shown(3, case=16, type="window", every="45 minutes", **{"from": "00:45", "to": "23:15"})
    assert [each[6:11] for each in every] == ["00:45", "01:30", "02:15"]
    assert [each[6:11] for each in shown(3, case=16, type="interval", minutes=45)] == ["00:45", "01:30", "02:15"]
    assert shown(3, case=18, expression="0 22-23,0-2 * * *")[0].startswith("01-01 01:00")


def test_lint_points_out_the_case_of_day_and_weekday_and_no_name_is_read_as_a_number() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    found = findings_of_trigger(parse(CASES[10]["cron"], zone="UTC", now=start), start)

    assert [code for code, _, _ in found] == ["DAY_AND_WEEKDAY"]
    assert parse("0 0 * * mon", zone="UTC", now=start) == parse(CASES[14]["cron"], zone="UTC", now=start)
