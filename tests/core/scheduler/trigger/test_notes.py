"""What is told about occurrences that a change of the clocks or a calendar moved, or took away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, cast

import pytest

from modules.core.scheduler.trigger import AnyOf, Cron, Every, TimeTrigger, Trigger, parse
from modules.core.scheduler.trigger.notes import notes_on, notes_on_time
from modules.core.scheduler.trigger.until import Until

SPRING = datetime(2026, 3, 27, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def trigger_of(definition: Any, zone: str = BERLIN) -> Trigger:
    return parse(definition, zone=zone, now=SPRING)


def noted(trigger: Trigger, after: datetime, count: int = 20) -> dict[str, list[tuple[str, str]]]:
    """Return the notes by the UTC text of their occurrences."""
    moments: list[datetime] = []
    moment = trigger.next_after(after)
    while moment is not None and len(moments) < count:
        moments.append(moment)
        moment = trigger.next_after(moment)
    found = notes_on(trigger, after, moments)
    assert set(found) <= set(moments)
    return {f"{at:%m-%d %H:%M}": [(note.code, note.text) for note in notes] for at, notes in found.items()}


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("30 2 * * *", "02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"),
        ("*/15 2 * * *", "02:00 to 02:45 (4 times) do not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"),
        ("0 2,3 * * *", "02:00 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"),
    ],
)
def test_a_time_in_the_gap_is_told_of_the_instant_at_which_it_runs(expression: str, text: str) -> None:
    assert noted(trigger_of(expression), SPRING) == {"03-29 01:00": [("DST_GAP_SHIFTED", text)]}


def test_a_skipped_time_is_told_of_the_occurrence_that_follows() -> None:
    trigger = trigger_of({"type": "cron", "expression": "30 2 * * *", "dst_gap": "skip"})

    text = "02:30 does not exist on 29 March 2026 in Europe/Berlin: left out"
    assert noted(trigger, SPRING) == {"03-30 00:30": [("DST_GAP_SKIPPED", text)]}


def test_a_time_whose_hour_is_not_fixed_passes_over_the_gap() -> None:
    text = "02:30 does not exist on 29 March 2026 in Europe/Berlin: its hour is not fixed, so it follows elapsed time"

    assert noted(trigger_of("30 */2 * * *"), SPRING, 30) == {"03-29 02:30": [("DST_GAP_PASSED", text)]}


@pytest.mark.parametrize(
    ("fold", "told"),
    [
        ("first", {"10-25 00:30": "runs the first time"}),
        ("last", {"10-25 01:30": "runs the second time"}),
        ("both", {"10-25 00:30": "this is the first time", "10-25 01:30": "this is the second time"}),
    ],
)
def test_a_time_that_comes_twice_says_which_one_it_is(fold: str, told: dict[str, str]) -> None:
    trigger = trigger_of({"type": "cron", "expression": "30 2 * * *", "dst_fold": fold})

    start = "02:30 comes twice on 25 October 2026 in Europe/Berlin: "
    assert noted(trigger, AUTUMN) == {at: [("DST_FOLD", start + which)] for at, which in told.items()}


def test_months_on_a_time_that_does_not_exist_or_comes_twice_are_told() -> None:
    spring = trigger_of({"type": "interval", "months": 1, "start_date": "2026-01-29T02:30"})
    autumn = trigger_of({"type": "interval", "months": 1, "start_date": "2026-01-25T02:30"})

    gap = "02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"
    fold = "02:30 comes twice on 25 October 2026 in Europe/Berlin: runs the first time"
    assert noted(spring, SPRING) == {"03-29 01:00": [("DST_GAP_SHIFTED", gap)]}
    assert noted(autumn, AUTUMN) == {"10-25 00:30": [("DST_FOLD", fold)]}


@pytest.mark.parametrize(
    "trigger",
    [
        trigger_of("0 4 * * *"),
        trigger_of("30 2 * * *", "UTC"),
        trigger_of("30 2 * * mon"),
        Every(timedelta(minutes=30), SPRING),
    ],
)
@pytest.mark.parametrize("after", [SPRING, AUTUMN])
def test_what_no_change_of_the_clocks_touches_has_no_note(trigger: Trigger, after: datetime) -> None:
    assert noted(trigger, after, 200) == {}


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "calendar", "days": 1, "at": "02:30"},
        {"type": "window", "every": "1 hour", "from": "01:30", "to": "02:30"},
        {"type": "rrule", "rrule": "FREQ=DAILY", "dtstart": "2026-01-01T02:30"},
        {"type": "all", "triggers": ["30 2 * * *", {"type": "calendar", "days": 1, "at": "02:30"}]},
        {"type": "any", "triggers": ["30 2 * * *", "0 12 * * *"]},
    ],
)
def test_every_kind_of_trigger_by_the_clock_is_told(definition: dict[str, Any]) -> None:
    skipping = {**definition, "dst_gap": "skip"} if "triggers" not in definition else definition

    shifted, skipped = noted(trigger_of(definition), SPRING, 6), noted(trigger_of(skipping), SPRING, 6)

    assert "DST_GAP_SHIFTED" in {code for notes in shifted.values() for code, _ in notes}
    if skipping is not definition:
        assert {code for notes in skipped.values() for code, _ in notes} == {"DST_GAP_SKIPPED"}


def test_what_a_trigger_that_has_an_end_leaves_out_is_told() -> None:
    ending = Until(cast(TimeTrigger, trigger_of("30 */2 * * *")), SPRING + timedelta(days=5))

    assert [note[0][0] for note in noted(ending, SPRING, 30).values()] == ["DST_GAP_PASSED"]


def test_a_change_of_the_clocks_before_the_first_or_after_the_last_one_is_not_told() -> None:
    every_night = trigger_of("30 2 * * *")

    assert noted(every_night, SPRING, 1) == {}
    assert noted(every_night, SPRING + timedelta(days=2), 30) == {}


def test_of_several_triggers_each_is_told_in_its_own_zone() -> None:
    both = AnyOf((Cron("30 2 * * *", BERLIN), Cron("15 2 * * *", "America/New_York")))

    notes = noted(both, datetime(2026, 3, 1, tzinfo=UTC), 80)

    assert {at: text for at, ((_, text),) in notes.items()} == {
        "03-08 07:00": "02:15 does not exist on 8 March 2026 in America/New_York: runs at 03:00",
        "03-29 01:00": "02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00",
    }


@dataclass(frozen=True)
class Closed:
    """Every night but on some days, which a calendar moves to noon or leaves out."""

    trigger: Trigger
    closed: dict[int, bool]

    def next_after(self, moment: datetime) -> datetime | None:
        found = self.trigger.next_after(moment)
        while found is not None and found.day in self.closed:
            if self.closed[found.day] and found.replace(hour=12) > moment:
                return found.replace(hour=12)
            found = self.trigger.next_after(found)
        return found

    def left_out(self, after: datetime, until: datetime, most: int) -> Iterator[tuple[datetime, str, datetime | None]]:
        for moment in islice(self.trigger.between(after, until), most):  # type: ignore[attr-defined]
            if moment.day in self.closed:
                yield moment, "holidays", moment.replace(hour=12) if self.closed[moment.day] else None


def test_what_a_calendar_left_out_or_moved_is_told() -> None:
    trigger: Any = Closed(Cron("0 4 * * *", "UTC"), {5: True, 10: False, 20: False, 21: False})

    notes = noted(trigger, datetime(2026, 6, 1, tzinfo=UTC), 30)

    assert notes["06-05 12:00"] == [
        ("CALENDAR_MOVED", "04:00 on 5 June 2026 is moved here: it is in calendar 'holidays'")
    ]
    assert notes["06-11 04:00"] == [
        ("CALENDAR_SKIPPED", "04:00 on 10 June 2026 is left out: it is in calendar 'holidays'")
    ]
    span = "2 times from 04:00 on 20 June 2026 to 04:00 on 21 June 2026"
    assert notes["06-22 04:00"] == [("CALENDAR_SKIPPED", f"{span} are left out: they are in calendar 'holidays'")]


def test_a_skipped_time_that_a_calendar_excludes_anyway_is_not_told() -> None:
    skipping = trigger_of({"type": "cron", "expression": "30 2 * * *", "dst_gap": "skip"})
    closed: Any = Closed(skipping, {29: False})

    codes = {code for notes in noted(closed, SPRING, 5).values() for code, _ in notes}

    assert codes <= {"CALENDAR_SKIPPED"}


@pytest.mark.parametrize(
    ("nominal", "expected"),
    [
        ("2026-03-29T02:30", ["02:30 does not exist on 29 March 2026 in Europe/Berlin: runs at 03:00"]),
        ("2026-10-25T02:30", ["02:30 comes twice on 25 October 2026 in Europe/Berlin: runs the first time"]),
        ("2026-03-29T03:00", []),
        ("2026-10-25T03:00", []),
    ],
)
def test_a_single_time_by_the_clock_is_told_too(nominal: str, expected: list[str]) -> None:
    assert [note.text for note in notes_on_time(datetime.fromisoformat(nominal), BERLIN)] == expected
