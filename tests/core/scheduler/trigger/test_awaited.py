"""Definitions of what waits: events gathered, tasks after other tasks, pauses after each run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from modules.core.scheduler.trigger import (
    After,
    AfterEnd,
    AnyOf,
    Every,
    OnEvent,
    Trigger,
    TriggerError,
    Until,
    awaited_in,
    from_json,
    parse,
    pauses_after_each_run,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def read(definition: object) -> Trigger:
    return parse(definition, zone="Europe/Berlin", now=NOW)


@pytest.mark.parametrize(
    ("definition", "trigger", "words"),
    [
        (
            {"type": "event", "event": "saved", "debounce": "5m", "debounce_max": "1 hour"},
            OnEvent("saved", debounce=timedelta(minutes=5), debounce_max=HOUR),
            "5m after the last time that 'saved' is emitted, at the latest 1h after the first",
        ),
        (
            {"type": "event", "event": "saved", "where": {"by": "me"}, "debounce": 0.5},
            OnEvent("saved", {"by": "me"}, timedelta(seconds=0.5)),
            "0.5s after the last time that 'saved' is emitted where by is 'me'",
        ),
        ({"type": "after", "task": "nightly"}, After("nightly"), "after task 'nightly' has succeeded"),
        ({"type": "after", "task": "a", "when": "ended"}, After("a", "ended"), "after task 'a' has ended"),
        (
            {"type": "interval", "minutes": 90, "after_end": True},
            AfterEnd(timedelta(minutes=90), NOW + timedelta(minutes=90)),
            "1 hour 30 minutes after each run has ended",
        ),
        (
            {"type": "interval", "hours": 1, "after_end": True, "start_date": "2026-02-01", "end_date": "2026-03-01"},
            AfterEnd(HOUR, datetime(2026, 1, 31, 23, tzinfo=UTC), datetime(2026, 2, 28, 23, tzinfo=UTC)),
            "1 hour after each run has ended, until 2026-02-28T23:00:00Z",
        ),
        ({"type": "interval", "hours": 1, "after_end": False}, Every(HOUR, NOW + HOUR), "every hour"),
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


@pytest.mark.parametrize(
    ("definition", "field", "part"),
    [
        ({"type": "event", "event": "task.begun"}, "event", "own events"),
        ({"type": "event", "event": "x", "debounce": "soon"}, "debounce", "not a duration"),
        ({"type": "event", "event": "x", "debounce": 0}, "debounce", "longer than nothing"),
        ({"type": "event", "event": "x", "debounce_max": 5}, "debounce_max", "goes with"),
        ({"type": "event", "event": "x", "debounce": 9, "debounce_max": 5}, "debounce_max", "not longer"),
        ({"type": "after"}, "task", "needs 'task'"),
        ({"type": "after", "task": 5}, "task", "id or key"),
        ({"type": "after", "task": "a", "when": "begun"}, "when", "one of"),
        ({"type": "interval", "months": 1, "after_end": True}, "after_end", "weeks or shorter"),
        ({"type": "interval", "hours": 1, "after_end": "yes"}, "after_end", "true or false"),
        ({"type": "any", "triggers": [{"type": "after", "task": each} for each in "ab"]}, "triggers", "at most one"),
        ({"type": "any", "triggers": [AfterEnd(HOUR, NOW)]}, "triggers", "stands alone"),
        ({"type": "all", "triggers": [AfterEnd(HOUR, NOW)]}, "triggers", "stands alone"),
        ({"type": "all", "triggers": [After("x")]}, "triggers", "times alone"),
    ],
)
def test_a_wrong_definition_is_refused_in_one_sentence_that_names_its_key(
    definition: object, field: str, part: str
) -> None:
    with pytest.raises(TriggerError) as refusal:
        read(definition)

    assert refusal.value.field == field
    assert part in str(refusal.value)


@pytest.mark.parametrize(
    "stored",
    [
        OnEvent("x").to_json() | {"debounce": "5"},
        OnEvent("x").to_json() | {"debounce": 1e300},
        OnEvent("x").to_json() | {"event": "task.x"},
        After("x").to_json() | {"when": 5},
        After("x").to_json() | {"task": ""},
        AfterEnd(HOUR, NOW).to_json() | {"seconds": 0},
        AfterEnd(HOUR, NOW).to_json() | {"start": None},
    ],
)
def test_a_damaged_stored_trigger_is_a_trigger_error_and_nothing_else(stored: object) -> None:
    with pytest.raises(TriggerError):
        from_json(stored)  # type: ignore[arg-type]  # the point of the test


def test_a_pause_after_each_run_is_counted_from_the_moment_it_is_asked_with() -> None:
    trigger = AfterEnd(HOUR, NOW, NOW + timedelta(hours=5))
    much_later = NOW + timedelta(hours=3, minutes=7)

    assert trigger.next_after(NOW - HOUR) == NOW
    assert trigger.next_after(much_later) == much_later + HOUR
    assert trigger.next_after(NOW + timedelta(hours=4, minutes=1)) is None
    assert list(trigger.between(NOW - HOUR, much_later)) == [NOW]
    assert (trigger.count_between(NOW, much_later), trigger.latest_until(much_later, NOW)) == (0, None)


def test_an_end_given_by_hand_keeps_the_pause_and_is_not_given_to_what_waits_for_events() -> None:
    assert pauses_after_each_run(Until(AfterEnd(HOUR, NOW), NOW))
    assert not pauses_after_each_run(Until(Every(HOUR, NOW), NOW))
    for waits in (OnEvent("x"), After("x"), AnyOf((Every(HOUR, NOW), OnEvent("x")))):
        assert awaited_in(waits) is not None
        with pytest.raises(TriggerError, match="whose times are known"):
            Until(waits, NOW)
