"""Result: constructors on the class, values on an instance."""

from __future__ import annotations

import json
from typing import assert_type

import pytest

from framework.result import Error, Result, ResultError


def test_a_success_carries_its_data_and_is_true() -> None:
    result = Result.success({"task_id": "t1"})

    assert result
    assert result.success is True
    assert result.data == {"task_id": "t1"}
    assert result.error is None
    assert result.unwrap() == {"task_id": "t1"}


def test_a_refusal_carries_code_message_and_details_and_is_false() -> None:
    result = Result.error("TASK_NOT_FOUND", "there is no task 't1'", {"task_id": "t1"})

    assert not result
    assert result.success is False
    assert result.data is None
    assert result.error == Error("TASK_NOT_FOUND", "there is no task 't1'", {"task_id": "t1"})


def test_unwrap_of_a_refusal_raises_it() -> None:
    with pytest.raises(ResultError, match=r"^TASK_NOT_FOUND: there is no task$") as raised:
        Result.error("TASK_NOT_FOUND", "there is no task").unwrap()

    assert raised.value.error.code == "TASK_NOT_FOUND"


def test_a_result_is_frozen() -> None:
    result = Result.success(1)

    with pytest.raises(AttributeError, match="a Result is frozen; 'data' cannot be set"):
        result.data = 2  # type: ignore[misc]  # what the test is about


def test_a_result_never_holds_another() -> None:
    with pytest.raises(TypeError, match="never holds another Result"):
        Result.success(Result.success(1))


def test_a_result_is_friendly_to_json() -> None:
    results = [Result.success([1]), Result.error("NO", "no", {"why": "x"})]

    assert json.loads(json.dumps([result.to_dict() for result in results])) == [
        {"success": True, "data": [1], "error": None},
        {"success": False, "data": None, "error": {"code": "NO", "message": "no", "details": {"why": "x"}}},
    ]


def test_results_are_equal_by_what_they_carry() -> None:
    assert Result.success(1) == Result.success(1)
    assert Result.success(1) != Result.success(2)
    assert Result.error("A", "a") != Result.success(None)


def test_the_type_checker_knows_what_a_result_holds() -> None:
    """`mypy --strict` checks these; at run time they only pass through."""
    assert_type(Result.success(1), Result[int])
    assert_type(Result.success(), Result[None])
    assert_type(Result.success(1).success, bool)
    assert_type(Result.success("x").data, str)
    assert_type(Result.success("x").error, Error | None)
