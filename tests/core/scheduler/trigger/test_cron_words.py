"""What a cron expression is called in words is what it means: the words are read back by a reader of their own."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cron_oracle import Meaning
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Cron, parse

WEEKDAYS, MONTHS = list(calendar.day_name), list(calendar.month_name)[1:]
WHICH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
UNITS = {"second": 1, "minute": 60, "hour": 3600}
TWO_YEARS = [datetime(2023, 1, 1) + timedelta(days=number) for number in range(731)]  # noqa: DTZ001  # days
Rule = Callable[[datetime], bool]

expressions = st.tuples(
    st.sampled_from(["", "", "0 ", "30 ", "*/10 ", "* ", "*/7 ", "1,5,40-50 "]),
    st.sampled_from(["0", "15", "*", "*/5", "0,30", "*/7", "5-20/5", "59", "50-59,0-10", "1,2,9,33"]),
    st.sampled_from(["*", "9", "9-17", "*/2", "0,12", "9-17/2", "1-23/2", "0-23", "*/5", "22-23,0-4", "1,2,8"]),
    st.sampled_from(
        ["*", "*", "1", "1,15", "1-7", "*/2", "29", "L", "L-3", "1,L", "15W", "LW,3", "1-5,9,20-31", "30W"]
    ),
    st.sampled_from(["*", "*", "6", "6-8", "1,7", "1-12", "*/3", "*/2", "1-4,12"]),
    st.sampled_from(
        ["*", "*", "1-5", "1", "0,6", "0-6", "0,2,4,6", "1-3,5", "5#2", "5L", "1,5#1", "5#5,1L", "1-5,6#1"]
    ),
    st.sampled_from(["", "", "2024", "2020-2023", "2024/4", "1999,2023-2030"]),
).map(lambda fields: f"{fields[0] or ('0 ' if fields[6] else '')}{' '.join(fields[1:6])} {fields[6]}".strip())


def listed(text: str) -> list[str]:
    return re.split(r", | and ", text)


def span(text: str, names: list[str]) -> set[int]:
    found: set[int] = set()
    for each in listed(text):
        low, _, high = each.partition(" to ")
        found |= set(range(names.index(low), names.index(high or low) + 1))
    return found


def second(clock: str) -> int:
    hour, minute, *rest = map(int, clock.split(":"))
    return hour * 3600 + minute * 60 + sum(rest)


def nearest_working_day(day: datetime, wanted: int | None) -> bool:
    length = calendar.monthrange(day.year, day.month)[1]
    working = [number for number in range(1, length + 1) if day.replace(day=number).weekday() < 5]
    if wanted is None:
        return day.day == working[-1]
    return wanted <= length and day.day == min(working, key=lambda number: abs(number - wanted))


def day_rule(text: str) -> Rule:
    """Of `day 1`, `day 1 to day 7`, `the last day but 3`, `the second Friday`."""
    text = text.removesuffix(" (where there is one)")
    if match := re.fullmatch(r"day (\d+)(?: to day (\d+))?", text):
        low, high = int(match[1]), int(match[2] or match[1])
        return lambda day: low <= day.day <= high
    if match := re.fullmatch(r"every (\d+)\w\w day from day (\d+) to day (\d+)", text):
        step, low, high = map(int, match.groups())
        return lambda day: day.day in range(low, high + 1, step)
    if match := re.fullmatch(r"the working day nearest to day (\d+)|the last working day", text):
        return lambda day: nearest_working_day(day, match[1] and int(match[1]))
    if match := re.fullmatch(r"the last day(?: but (\d+))?", text):
        back = int(match[1] or 0)
        return lambda day: day.day == calendar.monthrange(day.year, day.month)[1] - back
    _, which, name = text.split()
    weekday = WEEKDAYS.index(name)
    if which == "last":
        return lambda day: day.weekday() == weekday and (day + timedelta(days=7)).month != day.month
    return lambda day: day.weekday() == weekday and (day.day + 6) // 7 == WHICH[which]


def days_told(text: str) -> list[datetime]:
    """Read ` on Monday to Friday in June`, ` in June on day 1`, ` on day 1 of June`; two with `, and` between them."""
    if ", and" in text:
        either = {day for each in text.split(", and") for day in days_told(each)}
        return sorted(either)
    rules: list[Rule] = []
    months = re.search(rf" (?:in|of) ((?:{'|'.join(MONTHS)})[\w ,]*?)(?= on |$)", text)
    if months:
        found = span(months[1], MONTHS)
        rules.append(lambda day: day.month - 1 in found)
        text = text.replace(months[0], "")
    text = text.replace(" of every month", "")
    if text.startswith(" on ") and text[4:].split()[0].rstrip(",") in WEEKDAYS:
        weekdays = span(text[4:], WEEKDAYS)
        rules.append(lambda day: day.weekday() in weekdays)
    elif text:
        any_of = [day_rule(each) for each in listed(text.removeprefix(" on "))]
        rules.append(lambda day: any(rule(day) for rule in any_of))
    return [day for day in TWO_YEARS if all(rule(day) for rule in rules)]


def days_before(text: str) -> str:
    """Read `every day`, `every month on day 1`, `every Monday` as if they stood behind a rhythm."""
    days = re.sub(r"^every (day|month|year)", "", text)
    days = re.sub(r"^every (\w+day)", r" on \1", days) if days.startswith("every") else days
    return days if days.startswith(" ") or not days else " " + days


def numbers(text: str, unit: str, of: int) -> set[int]:
    """Read `every hour`, `minute 5`, `every 7th minute from 0 to 56`, `minutes 5, 10 and 20 to 30`."""
    if text == f"every {unit}":
        return set(range(of))
    if match := re.fullmatch(rf"every (\d+)\w\w {unit} from (\d+) to (\d+)", text):
        step, low, high = map(int, match.groups())
        return set(range(low, high + 1, step))
    found: set[int] = set()
    for each in listed(re.sub(rf"^{unit}s? ", "", text)):
        low, _, high = each.partition(" to ")
        found |= set(range(int(low), int(high or low) + 1))
    return found


HOURS = r"(?:every (?:\d+\w\w )?hour(?: from \d+ to \d+)?|hours? \d+(?:(?:, | and | to )\d+)*)"


def read_back(words: str) -> tuple[list[datetime], list[int]]:
    """The days of two years, and the seconds of the day, that words tell."""
    words, _, years = words.partition(", only in ")
    days, seconds = read_days_and_times(words)
    if years:
        chosen = numbers(years, "year", 0)
        days = [day for day in days if day.year in chosen]
    return days, seconds


def read_days_and_times(words: str) -> tuple[list[datetime], list[int]]:
    if match := re.fullmatch(rf"at (?:(?:(.+) of )?(.+) of )({HOURS})((?: on | in )?.*)", words):
        sets = [
            numbers(text, unit, of)
            for text, unit, of in (
                (match[3], "hour", 24),
                (match[2], "minute", 60),
                (match[1] or "second 0", "second", 60),
            )
        ]
        return days_told(match[4]), sorted(h * 3600 + m * 60 + s for h in sets[0] for m in sets[1] for s in sets[2])
    if match := re.fullmatch(r"(.*) at (\d\d:.*)", words):
        days = ", and".join(days_before(each) for each in match[1].removesuffix(",").split(", and "))
        return days_told(days), [second(c) for c in listed(match[2])]
    match = re.match(r"every (?:([\d.]+) )?(\w+?)s?(?: (?:at minute (\d+)|from (\S+) to (\S+)))?(?= on | in |$)", words)
    assert match is not None
    step = int(match[1] or 1) * UNITS[match[2]]
    low = int(match[3]) * 60 if match[3] else second(match[4] or "00:00")
    return days_told(words[match.end() :]), list(range(low, (second(match[5]) if match[5] else 86_399) + 1, step))


@settings(max_examples=100, deadline=None)
@example("0 9 * * 0-6").via("Sunday is 0 and 7")
@example("0 9-17 * * *").via("not around the clock")
@example("*/5 0-11 * * *").via("not around the clock")
@example("*/10 * * * * *").via("seconds")
@example("0 */2 1 1-12 *").via("all months")
@example("0 9 13 6 0-6").via("either of two")
@example("0 9 13 * *").via("day alone")
@example("0 9 31 * *").via("not in every month")
@example("0 9 L-30 * *").via("not in every month")
@given(expression=expressions)
def test_the_words_of_an_expression_mean_what_it_means(expression: str) -> None:
    told, _, _ = Cron(expression, "UTC").describe().partition(" (UTC)")
    meaning = Meaning(expression)

    days, seconds = read_back(told)

    assert seconds == [at // timedelta(seconds=1) for at in meaning._times_of_day()]
    assert days == [day for day in TWO_YEARS if meaning.day(day.date())]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("@daily", "every day at 00:00"),
        ("30 8 * * mon-fri", "on Monday to Friday at 08:30"),
        ("0 0 * * 0", "every Sunday at 00:00"),
        ("*/30 9-17 * * mon-fri", "every 30 minutes from 09:00 to 17:30 on Monday to Friday"),
        ("*/5 * * * *", "every 5 minutes"),
        ("15 * * * *", "every hour at minute 15"),
        ("0 */2 1 * *", "every 2 hours on day 1 of every month"),
        ("0 9,12 * 6-8 *", "every day in June to August at 09:00 and 12:00"),
        ("0 4 L * *", "every month on the last day at 04:00"),
        ("0 4 1 1,7 *", "every year in January and July on day 1 at 04:00"),
        ("0 0 13 * 5", "every Friday, and every month on day 13, at 00:00"),
        ("*/30 * 1,15 6 mon-fri", "every 30 minutes on Monday to Friday in June, and on day 1 and day 15 of June"),
        ("0 4 * * fri#2,friL", "every month on the last Friday and the second Friday at 04:00"),
    ],
)
def test_common_expressions_have_plain_words(expression: str, words: str) -> None:
    assert Cron(expression, "UTC").describe() == f"{words} (UTC)"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/7 * * * *", "at every 7th minute from 0 to 56 of every hour"),
        ("*/45 * * * *", "at minutes 0 and 45 of every hour"),
        ("50-59,0-10 9,20 * * *", "at minutes 0 to 10 and 50 to 59 of hours 9 and 20"),
        ("*/15 0-4,22-23 * * *", "at every 15th minute from 0 to 45 of hours 0 to 4, 22 and 23"),
        ("0,1,5,9,30 3 * * *", "every day at 03:00, 03:01, 03:05, 03:09 and 03:30"),
        ("15,45 0,30 9-17 * * *", "at seconds 15 and 45 of minutes 0 and 30 of hours 9 to 17"),
        ("0 12 15W * *", "every month on the working day nearest to day 15 at 12:00"),
        ("0 0 31W 1 *", "every year in January on the working day nearest to day 31 at 00:00"),
        ("0 0 LW * *", "every month on the last working day at 00:00"),
        ("0 0 */2 * *", "every month on every 2nd day from day 1 to day 31 at 00:00"),
        (
            "*/7 5-6 */3 * *",
            "at every 7th minute from 0 to 56 of hours 5 and 6 on every 3rd day from day 1 to day 31 of every month",
        ),
        ("0 0 1-5,10,20-25 * *", "every month on day 1 to day 5, day 10 and day 20 to day 25 at 00:00"),
        ("0 9 * * mon,fri#1", "every Monday, and every month on the first Friday, at 09:00"),
        ("0 0 0 1 1 * 2030", "every year in January on day 1 at 00:00, only in 2030"),
        ("0 0 9 * * * 2024-2031", "every day at 09:00, only in 2024 to 2031"),
        ("0 0 9 * * * 2024/4", "every day at 09:00, only in every 4th year from 2024 to 2096"),
    ],
)
def test_unusual_expressions_have_plain_words_too(expression: str, words: str) -> None:
    assert Cron(expression, "UTC").describe() == f"{words} (UTC)"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"expression": "0 0 13 * 5", "day_match": "all"}, "every month on day 13 (where it is Friday) at 00:00"),
        ({"day": 13, "day_of_week": "mon,fri"}, "every month on day 13 (where it is Monday or Friday) at 00:00"),
        (
            {"day": "1-7", "day_of_week": "mon-fri"},
            "every month on day 1 to day 7 (where it is Monday to Friday) at 00:00",
        ),
        ({"week": "*/2", "day_of_week": "mon", "hour": 9}, "every Monday in every 2nd ISO week from 1 to 53 at 09:00"),
        ({"week": 20, "hour": 9}, "every day in ISO week 20 at 09:00"),
        ({"week": "1,20", "hour": 9, "minute": "*/5"}, "every 5 minutes from 09:00 to 09:55 in ISO weeks 1 and 20"),
    ],
)
def test_fields_by_name_have_plain_words(keys: dict[str, object], words: str) -> None:
    trigger = parse({"type": "cron", **keys}, zone="UTC", now=datetime(2026, 1, 1, tzinfo=UTC))

    assert trigger.describe() == f"{words} (UTC)"
