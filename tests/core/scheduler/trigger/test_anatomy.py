"""A cron expression taken apart says what its fields stand for."""

from __future__ import annotations

import pytest

from modules.core.scheduler.trigger.anatomy import fields_of, in_ranges, values_of


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("30 2 * * MON", {"minute": "30", "hour": "2", "day": "*", "month": "*", "day_of_week": "mon"}),
        ("@daily", {"minute": "0", "hour": "0", "day": "*", "month": "*", "day_of_week": "*"}),
        (
            "5 0 0 1 1 * 2030",
            {
                "second": "5",
                "minute": "0",
                "hour": "0",
                "day": "1",
                "month": "1",
                "day_of_week": "*",
                "year": "2030",
            },
        ),
    ],
)
def test_every_field_is_named(expression: str, fields: dict[str, str]) -> None:
    assert fields_of(expression) == fields


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("second", "*/20", [0, 20, 40]),
        ("minute", "5,50-52", [5, 50, 51, 52]),
        ("minute", "*", list(range(60))),
        ("hour", "9-17/4", [9, 13, 17]),
        ("day", "31", [31]),
        ("day", "*/10", [1, 11, 21, 31]),
        ("day", "L", None),
        ("day", "15W", None),
        ("month", "jul-sep", [7, 8, 9]),
        ("day_of_week", "wed", [3]),
        ("day_of_week", "5-7", [0, 5, 6]),
        ("day_of_week", "fri#2", None),
        ("day_of_week", "friL", None),
        ("year", "2030-2032", [2030, 2031, 2032]),
    ],
)
def test_a_field_stands_for_its_values(name: str, text: str, values: list[int] | None) -> None:
    assert values_of(name, text) == values


def test_numbers_in_a_row_are_a_range() -> None:
    assert in_ranges([0, 1, 2, 30, 45, 46]) == "0-2, 30, 45-46"
