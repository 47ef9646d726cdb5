"""States and outcomes of executions."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from framework import strict_json
from framework.result import Result
from modules.core.scheduler.execution import (
    DoNotRetry,
    Outcome,
    RetryAfter,
    State,
    outcome_of_exception,
    outcome_of_value,
    success_of,
)


def raised(error: BaseException) -> Outcome:
    def function() -> None:
        raise error

    try:
        function()
    except BaseException as caught:  # noqa: BLE001  # the error of the test
        return outcome_of_exception(caught)
    raise AssertionError("it did not raise")


def is_storable(text: str | None) -> bool:
    return text is None or ("\0" not in text and text.encode() != b"")


class Hostile:
    def __repr__(self) -> str:
        raise SystemExit("from repr")

    __str__ = __repr__


class HostileDict(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("from items")


class HostileError(Exception):
    def __str__(self) -> str:
        raise ValueError("from str")


class Verbose:
    def __repr__(self) -> str:
        return "x" * 5_000_000


def test_only_a_run_that_worked_or_broke_has_a_success() -> None:
    answers = {state: success_of(state) for state in State}

    assert [state for state, success in answers.items() if success] == [State.SUCCEEDED]
    assert [state for state, success in answers.items() if success is False] == [
        State.FAILED,
        State.TIMED_OUT,
        State.LOST,
    ]


def test_the_states_are_stored_in_lower_case() -> None:
    assert [str(state) for state in (State.TIMED_OUT, State.PENDING)] == ["timed_out", "pending"]


@pytest.mark.parametrize("value", [{"rows": 3}, [1, None, "ü"], "text", 0, False, 1.5, {"a": {"b": []}}])
def test_a_json_value_is_the_result(value: object) -> None:
    outcome = outcome_of_value(value)

    assert (outcome.state, json.loads(outcome.result_json or "")) == (State.SUCCEEDED, value)


def test_none_is_no_result() -> None:
    assert outcome_of_value(None) == outcome_of_value(Result.success()) == Outcome(State.SUCCEEDED)


def test_the_data_of_a_successful_result_is_the_result() -> None:
    assert outcome_of_value(Result.success({"rows": 3})).result_json == '{"rows":3}'


def test_a_refused_result_is_a_failure_with_code_and_message() -> None:
    outcome = outcome_of_value(Result.error("NO_DISK", "the disk is full"))

    assert (outcome.state, outcome.error, outcome.retry, outcome.retry_after) == (
        State.FAILED,
        "NO_DISK: the disk is full",
        True,
        None,
    )


def recursive() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        object(),
        float("nan"),
        {"a": float("inf")},
        recursive(),
        {1: "a key that is no text"},
        {"a": b"bytes"},
        10**5000,
        Hostile(),
        [Hostile()],
        {Hostile(): 1},
        HostileDict(a=1),
        Verbose(),
        "x" * 2_000_000,
        ["y" * 10] * 500_000,
        {"\ud800", "\0"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_that_cannot_be_stored_becomes_a_bounded_note_and_the_run_still_counts(value: object) -> None:
    outcome = outcome_of_value(value)

    note = json.loads(outcome.result_json or "")
    assert outcome.state == State.SUCCEEDED
    assert set(note) == {"note", "type", "repr"}
    assert note["type"] == type(value).__qualname__
    assert len(note["repr"]) <= 200
    assert len(outcome.result_json or "") < 2_000


def test_nul_and_a_lone_surrogate_in_a_result_are_kept_as_ascii_escapes() -> None:
    outcome = outcome_of_value({"a": "\0", "b": "\ud800"})

    assert outcome.result_json == '{"a":"\\u0000","b":"\\ud800"}'
    assert strict_json.loads(outcome.result_json) == {"a": "\0", "b": "\ud800"}


def test_an_exception_is_a_failure_with_type_message_and_traceback() -> None:
    outcome = raised(ValueError("bad row"))

    assert (outcome.state, outcome.error, outcome.error_type, outcome.retry) == (
        State.FAILED,
        "ValueError: bad row",
        "ValueError",
        True,
    )
    assert outcome.traceback is not None
    assert "test_execution.py" in outcome.traceback


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=lambda error: type(error).__name__
)
def test_an_exit_raised_in_a_function_is_only_a_failure(error: BaseException) -> None:
    assert raised(error).state == State.FAILED


def test_a_huge_error_is_stored_short_with_both_ends_of_its_traceback() -> None:
    outcome = raised(ValueError("ü" * 1_000_000 + "the end"))

    assert len(outcome.error or "") == 2_000
    assert 0 < len((outcome.traceback or "").encode()) <= 8_000
    assert (outcome.traceback or "").startswith("Traceback")
    assert "the end" in (outcome.traceback or "")


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\0" * 5_000, "\ud800" * 5_000])
def test_errors_are_text_that_every_database_can_store(text: str) -> None:
    for outcome in (raised(ValueError(text)), outcome_of_value(Result.error("CODE", text))):
        assert is_storable(outcome.error)
        assert is_storable(outcome.traceback)
        assert len(outcome.error or "") <= 2_000


def test_an_error_whose_text_raises_still_has_an_outcome() -> None:
    assert raised(HostileError()).error == "HostileError: its message cannot be read"


def test_locals_do_not_appear_in_a_traceback() -> None:
    password = "hunter2"

    outcome = raised(ValueError(len(password)))

    assert "hunter2" not in (outcome.traceback or "")


def test_a_function_can_say_that_its_failure_is_final() -> None:
    assert raised(DoNotRetry("no such customer")).retry is False
    assert outcome_of_value(Result.error("GONE", "no such customer", {"retry": False})).retry is False


@pytest.mark.parametrize("delay", [timedelta(minutes=1), 60, 60.0, "60", "1 minute", "PT1M"])
def test_a_function_can_say_when_to_try_again(delay: Any) -> None:
    outcomes = [
        raised(RetryAfter(delay, "busy")),
        outcome_of_value(Result.error("BUSY", "busy", {"retry_after": delay})),
    ]

    assert [(each.retry, each.retry_after) for each in outcomes] == [(True, timedelta(minutes=1))] * 2


@pytest.mark.parametrize("delay", ["soon", -1, float("nan"), True, [], "400 days"])
def test_a_delay_that_cannot_be_is_refused_or_left_to_the_policy(delay: Any) -> None:
    with pytest.raises(ValueError, match=r"duration|negative|days"):
        RetryAfter(delay)

    assert outcome_of_value(Result.error("BUSY", "busy", {"retry_after": delay})).retry_after is None


def test_unwrapping_a_refused_result_fails_as_returning_it_does() -> None:
    refused = Result.error("GONE", "no such customer", {"retry": False})

    with pytest.raises(Exception, match="GONE") as caught:
        refused.unwrap()

    outcome = outcome_of_exception(caught.value)
    assert (outcome.error, outcome.error_type, outcome.retry) == ("GONE: no such customer", "GONE", False)
