"""The tables on cron and daylight saving in docs/when.md say what is so."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from documents import ROOT

from modules.core.scheduler.trigger import Cron, parse
from modules.core.scheduler.trigger.wall_clock import Dst

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = (ROOT / "docs" / "when.md").read_text()
PLACES = {"day": 2, "weekday": 4, "month": 3, "everywhere": 0, "all but the year": 0}


def rows(heading: str) -> list[list[str]]:
    """The rows of a section's tables, without their heads."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:3] == "| `"
    ]
    return [row for row in cells if not row[0].startswith("`dst")]


@pytest.mark.parametrize("row", rows("Cron"), ids=lambda row: row[0])
def test_every_sign_of_the_table_is_read_where_it_is_said_to_stand(row: list[str]) -> None:
    for sign in re.findall("`([^`]+)`", row[0]):
        for where in row[2].split(", "):
            fields = ["0", "0", "*", "*", "*"]
            if where != "alone":
                fields[PLACES[where]] = sign

            found = parse(sign if where == "alone" else " ".join(fields), zone="UTC", now=NOW, seed="a task")

            assert found.next_after(NOW) is not None


@pytest.mark.parametrize("row", rows("Daylight saving"), ids=" ".join)
def test_what_the_tables_say_of_changes_of_the_clocks_happens(row: list[str]) -> None:
    expression, choice, told = row[0].strip("`"), row[1].replace(" (default)", "").strip("`"), row[2]
    spring = row in rows("Daylight saving")[:3]
    day = datetime(2026, 3, 29 if spring else 25, tzinfo=UTC).replace(month=3 if spring else 10)
    start = day - timedelta(hours=1 if spring else 2)  # midnight in Berlin
    chosen = (Dst(gap, fold) for gap in ("shift", "skip") for fold in ("first", "last", "both"))

    for dst in chosen:
        if choice not in ("any", dst.gap if spring else dst.fold):
            continue
        moments = Cron(expression, "Europe/Berlin", dst=dst).between(start, day + timedelta(hours=22 + (not spring)))
        times = [f"{moment:%H:%M}" for moment in moments]
        if match := re.match(r"(\d+) times: (\S+), then ([0-9:]+)", told):
            assert len(times) == int(match[1])
            assert f"{match[2]} {match[3]}" in " ".join(times)
        else:
            assert times == re.findall(r"\d\d:\d\d", told.split(",")[0])


def test_what_the_page_says_of_both_days_and_of_ranges_is_so() -> None:
    days = list(Cron("0 0 */2 * 5", "UTC").between(NOW, NOW + timedelta(days=30)))

    assert all(moment.day % 2 or moment.isoweekday() == 5 for moment in days)
    assert Cron("0 22-23,0-4 * * 5-7,1", "UTC").next_after(NOW) == datetime(2026, 1, 2, tzinfo=UTC)
