"""Triggers with calendars as they are written, stored and read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from modules.core.scheduler.trigger import (
    Calendar,
    Cron,
    Excluding,
    Exclusion,
    OnEvent,
    TriggerError,
    from_json,
    parse,
    read_calendar,
)

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 3, 27, tzinfo=UTC)
CALENDARS = [read_calendar(told, BERLIN) for told in ({"weekdays": "sat-sun"}, {"windows": ["22:00-06:00"]})]


def every_morning(told: dict[str, object], when: str = "skip") -> Excluding:
    return Excluding(Cron("0 9 * * *", BERLIN), (Exclusion("holidays", read_calendar(told, BERLIN), when),))


def test_it_is_stored_with_the_definitions_of_its_calendars() -> None:
    trigger = every_morning({"weekdays": "sat-sun", "dates": ["12-25"]}, "move")

    again = from_json(trigger.to_json())

    assert again == trigger
    assert again.describe() == "every day at 09:00 (Europe/Berlin), moved behind holidays"


@pytest.mark.parametrize(
    "damage",
    [
        {"calendars": "holidays"},
        {"calendars": [{"name": "holidays"}]},
        {"calendars": [{"name": "holidays", "when": "sometimes", "definition": {"dates": []}}]},
        {"calendars": [{"name": "holidays", "when": "skip", "definition": {"days": []}}]},
        {"calendars": []},
        {"trigger": {"v": 1, "type": "event", "event": "x", "where": {}}},
        {"trigger": None},
    ],
)
def test_a_damaged_one_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(TriggerError):
        from_json(every_morning({"dates": []}).to_json() | damage)


def test_a_dict_names_its_calendars() -> None:
    known = {"holidays": CALENDARS[0], "night": CALENDARS[1]}.__getitem__
    told = {
        "type": "cron",
        "expression": "0 9 * * *",
        "calendars": ["holidays", {"name": "night", "when": "move"}],
    }

    trigger = parse(told, zone=BERLIN, now=NOW, calendars=known)

    assert isinstance(trigger, Excluding)
    assert [(each.name, each.when) for each in trigger.exclusions] == [("holidays", "skip"), ("night", "move")]
    assert trigger.describe() == "every day at 09:00 (Europe/Berlin), except on holidays, moved behind night"


@pytest.mark.parametrize("calendars", [3, [3], [{"when": "skip"}], [{"name": "holidays", "when": "later"}], ["x"] * 21])
def test_what_names_no_calendar_is_refused(calendars: object) -> None:
    told = {"type": "cron", "expression": "0 9 * * *", "calendars": calendars}

    with pytest.raises(TriggerError):
        parse(told, zone=BERLIN, now=NOW, calendars=lambda _: Calendar("UTC"))


def test_an_event_takes_no_calendar() -> None:
    with pytest.raises(TriggerError, match="triggers of times"):
        Excluding(OnEvent("x"), (Exclusion("holidays", CALENDARS[0]),))


def test_many_tasks_share_the_years_of_their_calendars() -> None:
    stored = every_morning({"weekdays": "sat-sun"}).to_json()
    stored["calendars"].append({**stored["calendars"][0], "when": "move", "definition": CALENDARS[1].to_json()})
    first, second = from_json(stored), from_json(stored | {"trigger": Cron("0 10 * * *", BERLIN).to_json()})

    assert isinstance(first, Excluding)
    assert isinstance(second, Excluding)
    assert first._closed is second._closed
