"""The front door: definitions to triggers and back from JSON."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from modules.core.scheduler.trigger import (
    AllOf,
    AnyOf,
    CalendarInterval,
    Cron,
    Every,
    Once,
    OnEvent,
    RRule,
    Trigger,
    TriggerError,
    Window,
    from_json,
    parse,
)

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def wall(*parts: int) -> datetime:
    """A wall-clock time, without a zone."""
    return datetime(*parts)  # noqa: DTZ001  # a wall-clock time has none


def read(definition: object) -> Trigger:
    return parse(definition, zone=BERLIN, now=NOW)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("definition", "trigger", "words"),
    [
        ({"type": "date", "run_date": "2026-03-01T09:00:00"}, Once(utc(2026, 3, 1, 8)), "once at 2026-03-01T08:00:00Z"),
        (
            {"type": "date", "run_date": "2026-03-01T09:00:00Z"},
            Once(utc(2026, 3, 1, 9)),
            "once at 2026-03-01T09:00:00Z",
        ),
        (
            {"type": "date", "run_date": wall(2026, 3, 1, 9)},
            Once(utc(2026, 3, 1, 8)),
            "once at 2026-03-01T08:00:00Z",
        ),
        ({"type": "date", "run_date": date(2026, 3, 1)}, Once(utc(2026, 2, 28, 23)), "once at 2026-02-28T23:00:00Z"),
        (
            {"type": "date", "run_date": datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=5)))},
            Once(utc(2026, 3, 1, 4)),
            "once at 2026-03-01T04:00:00Z",
        ),
        (
            {"type": "date", "run_date": "2026-03-01T09:00", "timezone": "Asia/Tokyo"},
            Once(utc(2026, 3, 1)),
            "once at 2026-03-01T00:00:00Z",
        ),
        ({"type": "interval", "minutes": 5}, Every(timedelta(minutes=5), utc(2026, 1, 31, 12, 5)), "every 5 minutes"),
        ({"type": "interval", "hours": 1}, Every(timedelta(hours=1), utc(2026, 1, 31, 13)), "every hour"),
        (
            {"type": "interval", "hours": 1, "minutes": 30, "start_date": "2026-02-01T00:00:00Z"},
            Every(timedelta(minutes=90), utc(2026, 2, 1)),
            "every 1 hour 30 minutes",
        ),
        (
            {"type": "interval", "seconds": 0.3},
            Every(timedelta(seconds=0.3), NOW + timedelta(seconds=0.3)),
            "every 0.3 seconds",
        ),
        (
            {"type": "interval", "days": 1, "end_date": "2027-01-01T00:00:00Z"},
            Every(timedelta(days=1), utc(2026, 2, 1, 12), utc(2027, 1, 1)),
            "every day, until 2027-01-01T00:00:00Z",
        ),
        (
            {"type": "interval", "months": 1},
            CalendarInterval(1, "months", time(13), BERLIN, 31, 0, NOW + timedelta(microseconds=1)),
            "every month on the last day at 13:00 (Europe/Berlin)",
        ),
        (
            {"type": "interval", "years": 2, "start_date": wall(2026, 5, 1, 7)},
            CalendarInterval(24, "months", time(7), BERLIN, 1, 2026 * 12 + 4, utc(2026, 5, 1, 5)),
            "every 2 years in May on day 1 at 07:00 (Europe/Berlin)",
        ),
        (
            {"type": "calendar", "months": 1, "day": "last", "at": "09:00"},
            CalendarInterval(1, "months", time(9), BERLIN, "last"),
            "every month on the last day at 09:00 (Europe/Berlin)",
        ),
        (
            {"type": "window", "every": "10 minutes", "from": "09:00", "to": "17:30", "days": "mon-fri"},
            Window(timedelta(minutes=10), time(9), time(17, 30), BERLIN, (0, 1, 2, 3, 4)),
            "every 10 minutes from 09:00 to 17:30 on Monday to Friday (Europe/Berlin)",
        ),
        (
            {"type": "rrule", "rrule": "FREQ=MONTHLY;BYDAY=2TU;COUNT=10", "dtstart": "2026-02-01T09:00"},
            RRule("FREQ=MONTHLY;COUNT=10;BYDAY=2TU", wall(2026, 2, 1, 9), BERLIN),
            "every month on the second Tuesday at 09:00 (Europe/Berlin), 10 times",
        ),
        (
            {"type": "all", "triggers": [{"type": "date", "run_date": "2026-03-01T09:00:00Z"}, "0 10 * * *"]},
            AllOf((Once(utc(2026, 3, 1, 9)), Cron("0 10 * * *", BERLIN))),
            "once at 2026-03-01 10:00 (Europe/Berlin), and at the same time every day at 10:00 (Europe/Berlin)",
        ),
        ("0 2 * * *", Cron("0 2 * * *", BERLIN), "every day at 02:00 (Europe/Berlin)"),
        (
            {"type": "cron", "expression": "@daily", "timezone": "UTC"},
            Cron("@daily", "UTC"),
            "every day at 00:00 (UTC)",
        ),
        (
            {"type": "cron", "day_of_week": "mon-fri", "hour": "9-17", "minute": "*/30"},
            Cron("*/30 9-17 * * mon-fri", BERLIN),
            "every 30 minutes from 09:00 to 17:30 on Monday to Friday (Europe/Berlin)",
        ),
        ({"type": "cron", "hour": 3}, Cron("0 3 * * *", BERLIN), "every day at 03:00 (Europe/Berlin)"),
        ({"type": "cron", "minute": "*/5"}, Cron("*/5 * * * *", BERLIN), "every 5 minutes (Europe/Berlin)"),
        (
            {"type": "cron", "month": 6},
            Cron("0 0 1 6 *", BERLIN),
            "every year in June on day 1 at 00:00 (Europe/Berlin)",
        ),
        (
            {"type": "cron", "day_of_week": "sat#2"},
            Cron("0 0 * * sat#2", BERLIN),
            "every month on the second Saturday at 00:00 (Europe/Berlin)",
        ),
        (
            {"type": "cron", "day": "last", "hour": 4},
            Cron("0 4 L * *", BERLIN),
            "every month on the last day at 04:00 (Europe/Berlin)",
        ),
        ({"type": "event", "event": "order.paid"}, OnEvent("order.paid"), "when 'order.paid' is emitted"),
        (
            {"type": "event", "event": "order.paid", "where": {"big": True}},
            OnEvent("order.paid", {"big": True}),
            "when 'order.paid' is emitted where big is True",
        ),
        (
            {"type": "any", "triggers": ["0 9 * * *", {"type": "date", "run_date": "2026-03-01T09:00:00Z"}]},
            AnyOf((Cron("0 9 * * *", BERLIN), Once(utc(2026, 3, 1, 9)))),
            "every day at 09:00 (Europe/Berlin), or once at 2026-03-01 10:00 (Europe/Berlin)",
        ),
    ],
)
def test_a_definition_becomes_its_trigger_its_words_and_json_that_reads_back(
    definition: object, trigger: Trigger, words: str
) -> None:
    found = read(definition)

    assert found == trigger
    assert found.describe() == words
    assert from_json(json.loads(json.dumps(found.to_json()))) == found
    assert read(found) is found


def test_the_first_run_without_a_start_date_is_one_interval_from_now() -> None:
    assert read({"type": "interval", "minutes": 15}).next_after(NOW) == NOW + timedelta(minutes=15)
    assert read({"type": "interval", "months": 1}).next_after(NOW) == utc(2026, 2, 28, 12)


def test_a_start_date_is_itself_the_first_run() -> None:
    trigger = read({"type": "interval", "minutes": 15, "start_date": "2026-02-01T09:07:00Z"})

    assert trigger.next_after(NOW) == utc(2026, 2, 1, 9, 7)


@pytest.mark.parametrize(
    ("definition", "field", "part"),
    [
        (5, "", "a trigger is"),
        (None, "", "a trigger is"),
        ({}, "type", "needs 'type'"),
        ({"type": "intervall"}, "type", "did you mean 'interval'"),
        ({"type": ["cron"]}, "type", "no trigger type"),
        ({"type": "date"}, "run_date", "needs 'run_date'"),
        ({"type": "date", "run_date": "soon"}, "run_date", "ISO 8601"),
        ({"type": "date", "run_date": 5}, "run_date", "ISO 8601"),
        ({"type": "date", "run_date": "9999-12-31T23:00:00"}, "run_date", "end of the calendar"),
        ({"type": "date", "run_date": "0001-01-01T00:00:00"}, "run_date", "end of the calendar"),
        ({"type": "date", "rundate": "2026-01-01"}, "rundate", "did you mean 'run_date'"),
        ({"type": "date", "run_date": "2026-01-01", "timezone": "Europe/Berln"}, "timezone", "did you mean"),
        ({"type": "date", "run_date": "2026-01-01", "timezone": []}, "timezone", "time zone"),
        ({"type": "interval"}, "interval", "needs one of"),
        ({"type": "interval", "minute": 5}, "minute", "did you mean 'minutes'"),
        ({"type": "interval", "minutes": 0}, "minutes", "longer than nothing"),
        ({"type": "interval", "minutes": -5}, "minutes", "number above 0"),
        ({"type": "interval", "minutes": "5"}, "minutes", "number above 0"),
        ({"type": "interval", "weeks": 1e12}, "weeks", "hundred years"),
        ({"type": "interval", "months": 1.5}, "months", "whole number"),
        ({"type": "interval", "months": 1, "days": 1}, "days", "cannot be combined"),
        (
            {"type": "interval", "days": 1, "start_date": "2026-02-01", "end_date": "2026-01-01"},
            "end_date",
            "before start_date",
        ),
        ({"type": "cron"}, "expression", "needs an expression"),
        ({"type": "cron", "expression": "* * * * *", "hour": 3}, "expression", "not both"),
        ({"type": "cron", "expression": 5}, "expression", "is text"),
        ({"type": "cron", "expression": "70 * * * *"}, "expression", "minute field"),
        ({"type": "cron", "hours": 3}, "hours", "did you mean 'hour'"),
        ({"type": "cron", "hour": True}, "hour", "must be a number"),
        ({"type": "cron", "hour": "3 4"}, "hour", "one cron field"),
        ({"type": "cron", "day_of_week": "4-1"}, "day_of_week", "backwards"),
        ({"type": "cron", "day_of_week": "1#2"}, "day_of_week", "use names"),
        ({"type": "cron", "day_of_week": 7}, "day_of_week", "use names"),
        ({"type": "cron", "day": "2nd fri", "day_of_week": "mon"}, "day_of_week", "names weekdays itself"),
        ({"type": "cron", "week": 54}, "week", "week does not allow"),
        ({"type": "cron", "year": 2020}, "year", "over"),
        ({"type": "cron", "expression": "0 0 * * *", "day_match": "both"}, "day_match", "any, all"),
        ({"type": "cron", "expression": "H * * * *"}, "expression", "a task's own"),
        ({"type": "event"}, "event", "needs 'event'"),
        ({"type": "event", "event": " "}, "event", "name"),
        ({"type": "event", "event": "x", "where": [1]}, "where", "mapping"),
        ({"type": "event", "event": "x", "where": {"a": float("nan")}}, "where", "plain JSON"),
        ({"type": "any"}, "triggers", "needs 'triggers'"),
        ({"type": "any", "triggers": []}, "triggers", "1 to 20"),
        ({"type": "any", "triggers": "0 9 * * *"}, "triggers", "list"),
        ({"type": "any", "triggers": ["0 9 * * *", "0 25 * * *"]}, "triggers[1].expression", "hour field"),
    ],
)
def test_a_wrong_definition_is_refused_in_one_sentence_that_names_its_key(
    definition: object, field: str, part: str
) -> None:
    with pytest.raises(TriggerError) as refusal:
        read(definition)

    assert refusal.value.field == field
    assert part in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_deeply_nested_definition_is_refused() -> None:
    definition: object = "0 9 * * *"
    for _ in range(2_000):
        definition = {"type": "any", "triggers": [definition]}

    with pytest.raises(TriggerError, match="nested"):
        read(definition)
