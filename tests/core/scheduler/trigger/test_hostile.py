"""Definitions that want to cost much are refused after a number of steps that is bounded for the whole of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from steps import at_most

from modules.core.scheduler.trigger import TriggerError, parse
from modules.core.scheduler.trigger.meeting import MOST_DAYS, one_search

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
NEVER = {"type": "all", "triggers": ["*/2 * * * * *", "1-59/2 * * * * *"]}


def never(minute: int) -> dict[str, Any]:
    """Never at the same second, and each like no other."""
    return {"type": "all", "triggers": [f"*/2 {minute} * * * *", f"1-59/2 {minute} * * * *"]}


HOSTILE = {
    "all": NEVER,
    "any of all": {"type": "any", "triggers": [never(minute) for minute in range(20)]},
    "all of any of all": {
        "type": "all",
        "triggers": [
            {"type": "any", "triggers": ["0 9 * * *", {"type": "all", "triggers": ["30 8 * * mon", "30 8 13 * *"]}]},
            {"type": "any", "triggers": ["1 9 * * *", {"type": "all", "triggers": ["31 8 * * tue", "31 8 14 * *"]}]},
        ],
    },
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_all_searches_of_a_definition_share_their_looks(kind: str) -> None:
    with one_search() as left, pytest.raises(TriggerError, match="coincide"):
        parse(HOSTILE[kind], zone="Europe/Berlin", now=NOW)

    assert left[0] > -MOST_DAYS / 10


def test_what_another_search_left_too_little_for_is_searched_again() -> None:
    triggers = {"type": "all", "triggers": ["0 9 * * *", "0 9 * * mon#1", "* 9 1-7 * *"]}
    with one_search() as left:
        left[0] = 0
        with pytest.raises(TriggerError):
            parse(NEVER, zone="UTC", now=NOW)

    assert parse(triggers, zone="UTC", now=NOW).next_after(NOW) is not None


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY;INTERVAL=86400;BYHOUR=10", "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3"])
def test_a_rule_whose_days_have_no_time_is_refused_soon(rule: str) -> None:
    given = {"type": "rrule", "rrule": rule, "dtstart": "2026-01-05T23:59:59"}

    with pytest.raises(TriggerError, match="never happens"), at_most(300_000):
        parse(given, zone="UTC", now=NOW)
