"""Intervals in dicts: by units, or as one duration; the same however they are said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modules.core.scheduler.trigger import TriggerError, parse

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    "same", [{"every": 60}, {"every": 60.0}, {"every": "1 minute"}, {"every": "PT1M"}, {"minutes": 1}]
)
def test_the_same_interval_is_equal_however_it_is_said(same: dict[str, Any]) -> None:
    start = {"type": "interval", "start_date": "2026-01-05T12:00:00Z"}

    assert parse(start | same, zone=BERLIN, now=NOW) == parse(start | {"seconds": 60.0}, zone=BERLIN, now=NOW)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"every": "soon"}, "every is a duration"),
        ({"every": 60, "minutes": 1}, "or every alone"),
        ({}, "or every alone"),
    ],
)
def test_an_interval_is_said_in_one_way(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(TriggerError, match=told):
        parse({"type": "interval", **wrong}, zone=BERLIN, now=NOW)
