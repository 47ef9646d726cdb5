"""iCalendar files as calendars: what people's programs write, and what an enemy would."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from steps import at_most

from modules.core.scheduler.trigger import Calendar, TriggerError, read_calendar, stored_calendar

BERLIN = "Europe/Berlin"
YEAR = 2026


def file_of(*events: str) -> str:
    """The text of a file with these events, each given by its lines."""
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for event in events:
        whole += ["BEGIN:VEVENT", *event.strip().splitlines(), "END:VEVENT"]
    return "\r\n".join([*whole, "END:VCALENDAR", ""])


def calendar(*events: str) -> Calendar:
    return read_calendar({"ical": file_of(*events)}, BERLIN, year=YEAR)


def closed_days(found: Calendar) -> list[str]:
    return [
        each.first.isoformat() if each.first == each.last else f"{each.first.isoformat()}..{each.last.isoformat()}"
        for each in found.days
    ]


def closed_spans(found: Calendar) -> list[str]:
    return [f"{span.start:%Y-%m-%dT%H:%M}..{span.stop:%Y-%m-%dT%H:%M}" for span in found.spans]


def test_whole_days_are_closed_by_the_clock_of_who_reads_them() -> None:
    found = calendar(
        "SUMMARY:Christmas\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227",
        "SUMMARY:Labour Day\nDTSTART;VALUE=DATE:20260501",
        "SUMMARY:A week\nDTSTART;VALUE=DATE:20260801\nDURATION:P1W",
    )

    assert closed_days(found) == ["2026-05-01", "2026-08-01..2026-08-07", "2026-12-25..2026-12-26"]
    assert found.open_from(datetime(2026, 5, 1, 12, tzinfo=UTC)) == datetime(2026, 5, 1, 22, tzinfo=UTC)
    assert stored_calendar(found.to_json()).of_year(2026) == found.of_year(2026)


def test_times_are_in_their_zone_in_utc_or_in_that_of_who_reads_them() -> None:
    found = calendar(
        "DTSTART;TZID=America/New_York:20260601T200000\nDTEND;TZID=America/New_York:20260602T020000",
        "DTSTART:20260701T100000Z\nDURATION:PT1H30M",
        "DTSTART:20260801T100000\nDTEND:20260801T120000",
        'DTSTART;X-NOTE="a;b:c";TZID="Europe/London":20260901T100000\nDTEND:20260901T100000Z',
        "DTSTART:20261001T100000Z",
    )

    assert closed_spans(found) == [
        "2026-06-02T00:00..2026-06-02T06:00",
        "2026-07-01T10:00..2026-07-01T11:30",
        "2026-08-01T08:00..2026-08-01T10:00",
        "2026-09-01T09:00..2026-09-01T10:00",
    ]


def test_folded_lines_are_joined_and_other_components_passed_over() -> None:
    text = file_of(
        "SUMMARY:A long\n  summary: with a colon\nDTSTART;VALUE=\n DATE:2026\n\t1225\n"
        "BEGIN:VALARM\nTRIGGER:-PT15M\nDTSTART:19700101T000000Z\nEND:VALARM"
    )
    zone = "BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    text = "\ufeff" + text.replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT", 1)

    assert closed_days(read_calendar({"ical": text}, BERLIN, year=YEAR)) == ["2026-12-25"]


def test_what_repeats_is_written_out_for_ten_years() -> None:
    found = calendar("DTSTART;VALUE=DATE:19990101\nRRULE:FREQ=YEARLY")

    assert closed_days(found) == [date(year, 1, 1).isoformat() for year in range(2025, 2037)]


def test_repetitions_that_are_left_out_added_cancelled_or_changed_are_at_their_time() -> None:
    found = calendar(
        "UID:1\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;VALUE=DATE:20260112\nRDATE;VALUE=DATE:20260301",
        "UID:1\nRECURRENCE-ID;VALUE=DATE:20260119\nDTSTART;VALUE=DATE:20260120",
        "UID:1\nRECURRENCE-ID;VALUE=DATE:20260126\nDTSTART;VALUE=DATE:20260126\nSTATUS:CANCELLED",
        "UID:2\nDTSTART;VALUE=DATE:20260606\nSTATUS:CANCELLED",
    )

    assert closed_days(found) == ["2026-01-05", "2026-01-20", "2026-02-02", "2026-03-01"]


def test_a_repeated_time_keeps_the_wall_clock_of_its_zone() -> None:
    found = calendar(
        "DTSTART;TZID=Europe/Berlin:20260327T220000\nDTEND;TZID=Europe/Berlin:20260328T060000\n"
        "RRULE:FREQ=DAILY;UNTIL=20260329T210000Z"
    )

    assert closed_spans(found) == [
        "2026-03-27T21:00..2026-03-28T05:00",
        "2026-03-28T21:00..2026-03-29T04:00",
        "2026-03-29T20:00..2026-03-30T04:00",
    ]


def test_a_calendar_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "holidays.ics"
    path.write_text(file_of("DTSTART;VALUE=DATE:20261225"))

    assert closed_days(read_calendar({"file": str(path)}, BERLIN, year=YEAR)) == ["2026-12-25"]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.ics", tmp_path / "binary.ics"
    large.write_bytes(b"BEGIN:VCALENDAR\n" + b"X" * 10_000_000)
    binary.write_bytes(b"\xff\xfe\x00")

    for path, says in ((large, "larger than"), (binary, "not UTF-8"), (tmp_path, "cannot be read"), (3, "path")):
        with pytest.raises(TriggerError, match=says):
            read_calendar({"file": path if path == 3 else str(path)}, BERLIN)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "begins with BEGIN:VCALENDAR"),
        ("<html>", "begins with BEGIN:VCALENDAR"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT", "ends within VEVENT"),
        ("BEGIN:VCALENDAR\nEND:VEVENT\nEND:VCALENDAR", "ends 'VEVENT'"),
        (file_of("DTSTART:2026-12-25"), "no date of an iCalendar file"),
        (file_of("DTSTART:20261325"), "no date of an iCalendar file"),
        (file_of("DTSTART;TZID=W. Europe Standard Time:20261225T100000"), "no time zone 'W. Europe"),
        (file_of("DTSTART:20261225T100000Z\nDTEND:20261224T100000Z"), "ends before it begins"),
        (file_of("DTSTART:20261225T100000Z\nDURATION:-PT1H"), "no duration"),
        (file_of("DTSTART:20261225T100000Z\nDURATION:PT99999999H"), "no duration"),
        (file_of("DTSTART:20261225T100000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY"), "daily or less often"),
        (file_of("DTSTART:20261225T100000Z\nDURATION:PT1H\nRRULE:FREQ=FOREVER"), "no recurrence rule"),
        (file_of("DTSTART:20260101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9"), "at most"),
        (file_of("DTSTART:20260101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), "at most 2,000 entries"),
        (file_of(*["DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY"] * 501), "at most 500 events that repeat"),
        (file_of(*["DTSTART:20260101T000000Z"] * 5_001), "at most 5,000 events"),
        ("BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 50_000, "at most 5,000"),
        ("X" * 1_000_001, "at most 1,000,000"),
        (3, "is iCalendar text"),
    ],
)
def test_what_is_no_calendar_or_too_much_of_one_is_refused_soon(text: object, says: str) -> None:
    with at_most(1_000_000), pytest.raises(TriggerError, match=says):
        read_calendar({"ical": text}, BERLIN, year=YEAR)


def test_many_rules_that_never_hit_cost_little() -> None:
    rule = "DTSTART;VALUE=DATE:19010101\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO"
    with at_most(3_000_000):
        calendar(*[f"{rule};WKST={day}" for day in ("MO", "TU", "WE", "TH", "FR")] * 100)
