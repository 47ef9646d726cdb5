"""The event trigger."""

from __future__ import annotations

from copy import copy, deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from modules.core.scheduler.trigger import OnEvent

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("where", "payload", "fires"),
    [
        ({}, None, True),
        ({}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {}, False),
        ({"a": 1}, None, False),
        ({"a": 1}, [1], False),
        ({"a": None}, {}, False),
        ({"a": None}, {"a": None}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": {"b": [1, {"c": "x"}]}}, {"a": {"b": [1, {"c": "x"}]}}, True),
        ({"a": {"b": [1]}}, {"a": {"b": [True]}}, False),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
    ],
)
def test_every_value_of_where_must_be_in_the_payload_and_equal(
    where: dict[str, object], payload: object, fires: bool
) -> None:
    assert OnEvent("paid", where).matches(payload) is fires


def test_an_event_has_no_time() -> None:
    trigger = OnEvent("paid")

    assert trigger.next_after(NOON) is None
    assert trigger.latest_until(NOON, NOON) is None
    assert trigger.count_between(NOON, NOON) == 0


def test_the_filter_cannot_be_changed_from_outside() -> None:
    where = {"ids": [1]}
    trigger = OnEvent("paid", where)

    where["ids"].append(2)
    with pytest.raises(AttributeError):
        trigger.where["ids"].append(3)

    assert trigger.matches({"ids": [1]})
    assert hash(trigger) == hash(OnEvent("paid", {"ids": [1]}))


def test_events_are_equal_as_their_filters_are_as_json() -> None:
    assert OnEvent("paid", {"a": [1]}) == OnEvent("paid", {"a": [1.0]})
    assert OnEvent("paid", {"a": [1]}) != OnEvent("paid", {"a": [True]})


def test_a_copy_of_an_event_is_the_same_value() -> None:
    trigger = OnEvent("paid", {"a": [{"b": 1}]}, debounce=HOUR)

    assert deepcopy(trigger) == copy(trigger) == trigger
    assert trigger.to_json()["where"] == {"a": [{"b": 1}]}
