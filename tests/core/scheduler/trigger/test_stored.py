"""What is stored is read back strictly: a row may have been damaged."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from wall_oracle import wall

from modules.core.scheduler.trigger import (
    CalendarInterval,
    Cron,
    Every,
    OnEvent,
    RRule,
    TriggerError,
    Window,
    from_json,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
GOOD = Every(timedelta(minutes=5), NOW).to_json()


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        GOOD | {"v": 2},
        GOOD | {"v": True},
        GOOD | {"type": "months"},
        GOOD | {"type": None},
        GOOD | {"type": []},
        GOOD | {"extra": 1},
        GOOD | {"seconds": 0},
        GOOD | {"seconds": "5"},
        GOOD | {"seconds": 1e300},
        GOOD | {"start": None},
        GOOD | {"start": "2026-01-01T00:00:00"},
        GOOD | {"start": "yesterdayZ"},
        Cron("0 0 * * *", "UTC").to_json() | {"expression": 5},
        Cron("0 0 * * *", "UTC").to_json() | {"zone": "Nowhere/Else"},
        Cron("0 0 * * *", "UTC").to_json() | {"zone": ["UTC"]},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"every": True},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"at": 5},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"at": "09:00:00Z"},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"day": [1]},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"unit": ["months"]},
        CalendarInterval(1, "months", time(9), "UTC", 1).to_json() | {"gap": "sometimes"},
        Window(timedelta(minutes=1), time(9), time(10), "UTC").to_json() | {"days": [7]},
        Window(timedelta(minutes=1), time(9), time(10), "UTC").to_json() | {"days": 7},
        Window(timedelta(minutes=1), time(9), time(10), "UTC").to_json() | {"seconds": 0},
        RRule("FREQ=DAILY", wall(2026, 1, 1), "UTC").to_json() | {"rrule": "FREQ=ALWAYS"},
        RRule("FREQ=DAILY", wall(2026, 1, 1), "UTC").to_json() | {"rrule": 5},
        RRule("FREQ=DAILY", wall(2026, 1, 1), "UTC").to_json() | {"dtstart": "2026-01-01T00:00:00Z"},
        RRule("FREQ=DAILY", wall(2026, 1, 1), "UTC").to_json() | {"exdates": ["soon"]},
        {"v": 1, "type": "all", "triggers": [OnEvent("x").to_json()]},
        {"v": 1, "type": "all", "triggers": [{"v": 1, "type": "all", "triggers": []}]},
        OnEvent("x").to_json() | {"where": "x"},
        {"v": 1, "type": "any", "triggers": [OnEvent("x").to_json(), OnEvent("y").to_json()]},
        {"v": 1, "type": "any", "triggers": [{"v": 1, "type": "any", "triggers": []}]},
        {"v": 1, "type": "any", "triggers": {}},
    ],
)
def test_a_damaged_stored_trigger_is_a_trigger_error_and_nothing_else(stored: object) -> None:
    with pytest.raises(TriggerError):
        from_json(stored)  # type: ignore[arg-type]  # the point of the test
