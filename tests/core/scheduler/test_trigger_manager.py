"""TriggerManager: when, without the database; naive times are read in a zone that is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import tzlocal

from framework.testing import START, FakeClock
from modules.core.scheduler import SchedulerSettings, TriggerManager
from modules.core.scheduler.task import TaskConfig
from modules.core.scheduler.trigger import Cron, Every, TriggerError

MINUTE = timedelta(minutes=1)
Manager = Callable[..., TriggerManager]


@pytest.fixture
def triggers() -> TriggerManager:
    """A manager whose zone is Berlin's."""
    return TriggerManager(FakeClock(), SchedulerSettings(timezone="Europe/Berlin"))


def test_a_definition_becomes_a_trigger_value(triggers: TriggerManager) -> None:
    trigger = triggers.parse({"type": "interval", "minutes": 15}).unwrap()

    assert trigger.next_after(START) == START + 15 * MINUTE


def test_a_trigger_value_is_taken_as_it_is(triggers: TriggerManager) -> None:
    every = Every(MINUTE, START)

    assert triggers.parse(every).unwrap() == every


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        ({"type": "interval", "minuts": 15}, "minuts"),
        ({"type": "interval", "minutes": -1}, "minutes"),
        ({"type": "cron", "expression": "70 * * * *"}, "expression"),
        ({"type": "moon"}, "type"),
    ],
)
def test_what_is_no_trigger_is_refused_by_its_field(
    triggers: TriggerManager, definition: dict[str, Any], field: str
) -> None:
    error = triggers.parse(definition).error

    assert error is not None
    assert error.code == "INVALID_TRIGGER"
    assert (error.details or {})["field"] == field


@pytest.mark.parametrize(("timezone", "hour"), [(None, 8), ("Asia/Tokyo", 0), ("UTC", 9)])
def test_a_cron_without_a_zone_is_read_in_the_one_named_or_the_schedulers(
    triggers: TriggerManager, timezone: str | None, hour: int
) -> None:
    trigger = triggers.parse({"type": "cron", "expression": "0 9 * * *"}, timezone).unwrap()

    assert trigger.next_after(START) == datetime(2026, 1, 6, hour, tzinfo=UTC)


def test_a_naive_moment_is_read_in_the_schedulers_zone(triggers: TriggerManager) -> None:
    times = triggers.preview_of({"type": "date", "run_date": "2026-07-01T10:00:00"}).unwrap()

    assert [each["at"] for each in times] == [datetime(2026, 7, 1, 8, tzinfo=UTC)]


def test_a_zone_that_does_not_exist_is_refused(triggers: TriggerManager) -> None:
    assert triggers.parse("0 9 * * *", "Europe/Atlantis").error is not None


def test_the_zone_is_by_default_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tzlocal, "get_localzone_name", lambda: "Asia/Tokyo")

    assert TriggerManager(FakeClock(), SchedulerSettings()).timezone == "Asia/Tokyo"


@pytest.mark.parametrize("name", ["local", None])
def test_utc_is_used_where_the_machines_zone_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, name: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    def unreadable() -> str:
        if name is None:
            raise LookupError("no zone")
        return name

    monkeypatch.setattr(tzlocal, "get_localzone_name", unreadable)

    assert TriggerManager(FakeClock(), SchedulerSettings()).timezone == "UTC"
    assert "cannot be read" in caplog.text


def test_a_preview_is_the_next_times_and_ends_where_the_trigger_ends(triggers: TriggerManager) -> None:
    until = START + 3 * MINUTE
    definition = {"type": "interval", "minutes": 1, "start_date": START, "end_date": until}

    times = triggers.preview_of(definition, 10).unwrap()

    assert [each["at"] for each in times] == [START + number * MINUTE for number in (1, 2, 3)]


@pytest.mark.parametrize(("count", "shown"), [(3, 3), (10**9, 1000)])
def test_a_preview_is_bounded(triggers: TriggerManager, count: int, shown: int) -> None:
    assert len(triggers.preview_of("* * * * *", count).unwrap()) == shown


@pytest.mark.parametrize("count", [0, -1])
def test_a_preview_of_no_times_is_refused(triggers: TriggerManager, count: int) -> None:
    error = triggers.preview_of("* * * * *", count).error

    assert error is not None
    assert (error.code, error.message) == ("INVALID_CONFIG", f"count: this is at least 1, not {count}")


def test_a_preview_of_what_has_passed_says_what_becomes_of_it(triggers: TriggerManager) -> None:
    (once,) = triggers.preview_of({"type": "date", "run_date": "2020-01-01T00:00:00Z"}).unwrap()
    over = triggers.preview_of({"type": "interval", "minutes": 5, "end_date": "2020-01-01T00:00:00Z"}).error

    assert [note["code"] for note in once["notes"]] == ["AT_ONCE"]
    assert over is not None
    assert (over.code, over.message.split(":")[0]) == ("INVALID_TRIGGER", "nothing of it is to come")


def test_a_preview_of_a_config_names_what_is_wrong_with_it(triggers: TriggerManager) -> None:
    misspelt = triggers.preview_of({"corn": "* * * * *"}).error
    contradicting = triggers.preview_of({"cron": "* * * * *", "delay": 5}).error

    assert misspelt is not None
    assert contradicting is not None
    assert (misspelt.code, contradicting.code) == ("INVALID_CONFIG", "INVALID_CONFIG")


def test_the_next_execution_is_one_interval_after_the_last(triggers: TriggerManager) -> None:
    last = datetime(2026, 1, 1, 7, 30, tzinfo=UTC)

    assert triggers.calculate_next_execution("hours", 6, last) == last + timedelta(hours=6)
    assert triggers.calculate_next_execution("hours", 6) == START + timedelta(hours=6)


def test_months_keep_wall_clock_time_across_the_change_to_summer_time(triggers: TriggerManager) -> None:
    last = datetime(2026, 3, 15, 8, tzinfo=UTC)

    assert triggers.calculate_next_execution("months", 1, last) == datetime(2026, 4, 15, 7, tzinfo=UTC)


@pytest.mark.parametrize(("kind", "value"), [("hours", 0), ("hours", -1), ("fortnights", 1), ("years", 10_000)])
def test_an_interval_that_cannot_be_is_a_value_error(triggers: TriggerManager, kind: str, value: float) -> None:
    with pytest.raises(ValueError, match=r"."):
        triggers.calculate_next_execution(kind, value)


def test_an_execution_is_due_from_its_moment_on(triggers: TriggerManager) -> None:
    tick = timedelta(microseconds=1)

    answers = [triggers.is_execution_due(moment) for moment in (START - tick, START, START + tick, None)]

    assert answers == [True, True, False, False]


def test_a_recurring_schedule_starts_one_interval_from_now(triggers: TriggerManager) -> None:
    trigger = triggers.create_recurring_schedule("minutes", 5)

    assert [each["at"] for each in triggers.preview(trigger, 3)] == [
        START + number * 5 * MINUTE for number in (1, 2, 3)
    ]


TWO_O_CLOCK, HALF_PAST_ONE = START + timedelta(hours=2), START + timedelta(hours=1, minutes=30)


def config_of(**when: Any) -> TaskConfig:
    return TaskConfig(name="report", module_id="acme.shop", function_name="report", **when)


def test_an_end_and_a_start_hold_for_a_cron_given_as_text(triggers: TriggerManager) -> None:
    trigger, first = triggers.trigger_for(
        config_of(trigger="0 * * * *", timezone="UTC", start_date=HALF_PAST_ONE, end_date=TWO_O_CLOCK)
    )

    assert first == TWO_O_CLOCK
    assert trigger.next_after(TWO_O_CLOCK) is None


@pytest.mark.parametrize("field", ["start_date", "end_date", "dst_gap", "dst_fold"])
@pytest.mark.parametrize(
    "when",
    [
        {"trigger": Cron("0 * * * *", "UTC")},
        {"trigger": Cron("0 * * * *", "UTC").to_json()},
        {"trigger": {"type": "date", "run_date": START}},
        {"trigger": {"type": "event", "event": "paid"}},
        {"delay": timedelta(hours=1)},
        {"schedule_time": "2026-12-24T18:00"},
    ],
)
def test_a_bound_or_a_choice_that_would_have_no_effect_is_refused(
    triggers: TriggerManager, when: dict[str, Any], field: str
) -> None:
    value: Any = {"dst_gap": "skip", "dst_fold": "last"}.get(field, TWO_O_CLOCK)

    with pytest.raises(TriggerError, match=field) as refused:
        triggers.trigger_for(config_of(**when, **{field: value}))

    assert refused.value.field == field


def test_an_interval_begins_at_one_moment_only(triggers: TriggerManager) -> None:
    config = config_of(interval_type="hours", interval_value=1, schedule_time=TWO_O_CLOCK, start_date=START)

    with pytest.raises(TriggerError, match="schedule_time both say"):
        triggers.trigger_for(config)


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({}, "AT_ONCE"),
        ({"misfire_grace_time": 300}, "AT_ONCE"),
        ({"misfire_grace_time": 299}, "TOO_LATE"),
        ({"catch_up": "none"}, "TOO_LATE"),
    ],
)
def test_a_preview_tells_what_becomes_of_a_time_that_has_passed(
    triggers: TriggerManager, policy: dict[str, Any], code: str
) -> None:
    (told,) = triggers.preview_of({"schedule_time": START - 5 * MINUTE, **policy}).unwrap()

    assert [note["code"] for note in told["notes"]] == [code]
