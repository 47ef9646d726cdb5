"""What a cron expression is called in words is what it means: the words are read back by a reader of their own."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cron_oracle import Meaning
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modules.core.scheduler.trigger import Cron

WEEKDAYS, MONTHS = list(calendar.day_name), list(calendar.month_name)[1:]
WHICH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
UNITS = {"second": 1, "minute": 60, "hour": 3600}
TWO_YEARS = [datetime(2023, 1, 1) + timedelta(days=number) for number in range(731)]  # noqa: DTZ001  # days
Rule = Callable[[datetime], bool]

expressions = st.tuples(
    st.sampled_from(["", "", "0 ", "30 ", "*/10 ", "* "]),
    st.sampled_from(["0", "15", "*", "*/5", "0,30", "*/7", "5-20/5", "59"]),
    st.sampled_from(["*", "9", "9-17", "*/2", "0,12", "9-17/2", "1-23/2", "0-23"]),
    st.sampled_from(["*", "*", "1", "1,15", "1-7", "*/2", "29", "L", "L-3", "1,L"]),
    st.sampled_from(["*", "*", "6", "6-8", "1,7", "1-12"]),
    st.sampled_from(["*", "*", "1-5", "1", "0,6", "0-6", "5#2", "5L", "1,5#1", "5#5,1L"]),
).map(lambda fields: fields[0] + " ".join(fields[1:]))


def listed(text: str) -> list[str]:
    return re.split(r", | and ", text)


def span(text: str, names: list[str]) -> set[int]:
    low, _, high = text.partition(" to ")
    if not high:
        return {names.index(name) for name in listed(text)}
    return set(range(names.index(low), names.index(high) + 1))


def second(clock: str) -> int:
    hour, minute, *rest = map(int, clock.split(":"))
    return hour * 3600 + minute * 60 + sum(rest)


def day_rule(text: str) -> Rule:
    """Of `day 1`, `day 1 to day 7`, `the last day but 3`, `the second Friday`."""
    text = text.removesuffix(" (where there is one)")
    if match := re.fullmatch(r"day (\d+)(?: to day (\d+))?", text):
        low, high = int(match[1]), int(match[2] or match[1])
        return lambda day: low <= day.day <= high
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
    months = re.search(
        r" (?:in|of) ((?:January|February|March|April|May|June|July|August|September)[\w ,]*?)(?= on |$)", text
    )
    if months:
        found = span(months[1], MONTHS)
        rules.append(lambda day: day.month - 1 in found)
        text = text.replace(months[0], "")
    text = text.replace(" of every month", "")
    if text.startswith(" on ") and text[4:].split()[0] in WEEKDAYS:
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


def read_back(words: str) -> tuple[list[datetime], list[int]]:
    """The days of two years, and the seconds of the day, that words tell."""
    if match := re.fullmatch(r"(.*) at (\d\d:.*)", words):
        days = ", and".join(days_before(each) for each in match[1].removesuffix(",").split(", and "))
        return days_told(days), [second(c) for c in listed(match[2])]
    match = re.match(r"every (?:([\d.]+) )?(\w+?)s?(?: (?:at minute (\d+)|from (\S+) to (\S+)))?(?= on | in |$)", words)
    assert match is not None
    step = int(match[1] or 1) * UNITS[match[2]]
    low = int(match[3]) * 60 if match[3] else second(match[4] or "00:00")
    return days_told(words[match.end() :]), list(range(low, (second(match[5]) if match[5] else 86_399) + 1, step))


@settings(max_examples=250, deadline=None)
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
    told = Cron(expression, "UTC").describe().removesuffix(" (UTC)")
    if told.startswith("cron "):
        return
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
    "expression",
    [
        "*/7 * * * *",
        "0 12 15W * *",
        "0 0 */2 * *",
        "0 9 * * mon,fri#1",
        "0 0 0 1 1 * 2030",
        "0,1,5,9,30 3 * * *",
    ],
)
def test_what_has_no_exact_words_is_shown_as_it_is(expression: str) -> None:
    assert Cron(expression, "UTC").describe().startswith("cron ")
