"""Durations: every accepted form, every refused one, and that words read back exactly."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from framework.duration import LONGEST, Days, Seconds, in_words, parse_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (90, timedelta(seconds=90)),
        (1.5, timedelta(seconds=1.5)),
        ("3600", timedelta(hours=1)),
        (" 3600 ", timedelta(hours=1)),
        (0, timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("250ms", timedelta(milliseconds=250)),
        ("1 hour", timedelta(hours=1)),
        ("6 hours", timedelta(hours=6)),
        ("1.5 Hours", timedelta(minutes=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1 day 2 hours", timedelta(hours=26)),
        ("1 day, 2 hours and 5 minutes", timedelta(hours=26, minutes=5)),
        ("2 weeks", timedelta(days=14)),
        ("PT6H", timedelta(hours=6)),
        ("P1DT2H3M4.5S", timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        ("P2W", timedelta(days=14)),
        (timedelta(minutes=3), timedelta(minutes=3)),
    ],
)
def test_a_duration_means_what_it_says(written: object, meant: timedelta) -> None:
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        *("1:30", "soon", "", " ", "five", "1e3"),
        *("1h 1h", "1h,", "1h and", "5 m x", "5 minutes ago", "1 hour\x00", "\uff11h", "\u0661"),
        *("P", "PT", "P1DT", "T6H", "PT6H junk"),
        *(-1, -0.5, "-1", "-5m", "-PT5M", timedelta(seconds=-1)),
        *(True, False, None, [], {}, b"5m"),
        *(float("nan"), float("inf"), float("-inf"), 1e308, 10**30, 10**5000, "9" * 50, "9" * 5000),
        *("1 month", "1mo", "2 years", "P1M", "P1Y", "P1Y2M"),
        *(LONGEST + timedelta(microseconds=1), "366000 days"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_duration_is_refused_with_one_sentence(written: object) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{10,300}$"):
        parse_duration(written)


def test_months_are_refused_because_they_have_no_fixed_length() -> None:
    with pytest.raises(ValueError, match="'1 month' has no fixed length; write days or weeks"):
        parse_duration("1 month")


def test_the_refusal_names_the_unit_of_a_bare_number() -> None:
    with pytest.raises(ValueError, match="write a number of days"):
        parse_duration("soon", unit="days")


def test_a_bare_number_means_the_unit_of_the_place() -> None:
    class Example(BaseModel):
        poll: Seconds
        keep: Days

    from_toml = Example.model_validate({"poll": 15, "keep": 30})
    from_environment = Example.model_validate({"poll": "15", "keep": "30"})
    in_text = Example.model_validate({"poll": "15 seconds", "keep": "720h"})

    assert from_toml == from_environment == in_text
    assert (from_toml.poll, from_toml.keep) == (timedelta(seconds=15), timedelta(days=30))


def test_a_wrong_duration_in_a_model_is_a_validation_error() -> None:
    class Example(BaseModel):
        poll: Seconds

    with pytest.raises(ValidationError, match="'1:30' is not a duration"):
        Example.model_validate({"poll": "1:30"})


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(0), "0s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(minutes=90), "1h 30m"),
        (timedelta(days=2), "2d"),
        (timedelta(seconds=0.5), "0.5s"),
        (timedelta(days=1, seconds=1), "1d 1s"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_a_duration_is_said_in_few_words(duration: timedelta, words: str) -> None:
    assert in_words(duration) == words


@given(st.timedeltas(min_value=timedelta(0), max_value=LONGEST))
def test_words_read_back_as_the_same_duration(duration: timedelta) -> None:
    assert parse_duration(in_words(duration)) == duration


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats()))
def test_anything_else_than_a_duration_is_a_value_error_and_nothing_worse(written: object) -> None:
    try:
        duration = parse_duration(written)
    except ValueError:
        return
    assert timedelta(0) <= duration <= LONGEST
