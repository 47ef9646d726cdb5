"""The registry of calendars: whose a name is, and how calendars name each other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from declaring import Declaring, Started

from framework.testing import FakeClock
from modules.core.scheduler import SchedulerService, SchedulerSettings, declare_calendar, declare_task
from modules.core.scheduler.calendars import CalendarRegistry
from modules.core.scheduler.trigger import TriggerError

SATURDAY, MONDAY = datetime(2026, 1, 3, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC)
WEEKEND = {"weekdays": "sat-sun"}


def registry(**calendars: Any) -> CalendarRegistry:
    return CalendarRegistry(FakeClock(MONDAY), SchedulerSettings(calendars=calendars), "UTC")


def test_a_calendar_may_name_one_that_is_registered_later_and_follows_it() -> None:
    known = registry()
    known.register("acme.a", "closed", {"calendars": ["weekend"]})
    known.register("acme.b", "weekend", WEEKEND)
    assert known.find("closed").span_at(SATURDAY) is not None

    known.register("acme.b", "weekend", {"dates": []})

    assert known.find("closed").span_at(SATURDAY) is None


def test_calendars_that_go_round_in_a_circle_are_refused() -> None:
    known = registry(a={"calendars": ["b"]}, b={"calendars": ["a"]}, c={"calendars": ["d"]})

    with pytest.raises(TriggerError, match="circle: a, b, a"):
        known.find("a")
    with pytest.raises(TriggerError, match="no calendar 'd'"):
        known.find("c")
    assert known.read_anew() == {}


def test_the_settings_go_before_what_a_module_registers() -> None:
    known = registry(holidays=WEEKEND)

    known.register("acme.a", "holidays", {"dates": []})

    assert known.find("holidays").span_at(SATURDAY) is not None


def test_a_name_belongs_to_one_module() -> None:
    known = registry()
    known.register("acme.a", "holidays", WEEKEND)

    with pytest.raises(TriggerError, match=r"module acme\.a has registered"):
        known.register("acme.b", "holidays", WEEKEND)
    with pytest.raises(TriggerError, match="1 to 100 characters"):
        known.register("acme.b", "", WEEKEND)
    with pytest.raises(TriggerError, match="did you mean 'weekdays'"):
        known.register("acme.b", "closed", {"weekday": "sun"})


def test_settings_that_are_wrong_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no weekday"):
        SchedulerSettings(calendars={"holidays": {"weekdays": "saturn"}})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_module_declares_a_calendar_and_a_task_that_keeps_clear_of_it(started: Started) -> None:
    def declare(app_context: Any) -> None:
        declare_calendar(app_context, "weekend", WEEKEND)
        declare_calendar(app_context, "wrong", {"weekday": "sun"})
        named = {"name": "report", "module_id": "core.scheduler", "function_name": "status"}
        declare_task(app_context, {**named, "cron": "0 9 * * *", "calendars": ["weekend"]})

    async with started(Declaring(declare), clock=FakeClock(SATURDAY)) as app_context:
        listed = (await app_context.get_service(SchedulerService).list_calendars()).unwrap()
        health = await app_context.health()

    assert [(each["name"], each["module_id"]) for each in listed] == [("weekend", "acme.declaring")]
    assert "calendar 'wrong'" in str(health)


def test_a_file_is_read_when_the_calendar_is_wanted_and_again_at_every_start(tmp_path: Path) -> None:
    path = tmp_path / "holidays.ics"
    known = registry(holidays={"file": str(path)})
    with pytest.raises(TriggerError, match="cannot be read"):
        known.find("holidays")

    for day, wanted in (("20260103", SATURDAY), ("20260105", MONDAY)):
        path.write_text(f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{day}\nEND:VEVENT\nEND:VCALENDAR\n")
        assert known.read_anew()["holidays"].span_at(wanted) is not None
        assert known.find("holidays").span_at(wanted) is not None
