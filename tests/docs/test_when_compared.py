"""What the page of difficult cases says of this scheduler is what it does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

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
