"""What is refused: functions that no task could call, and parameters that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, Field, field_validator

from modules.core.scheduler.arguments import ParametersRefused, arguments_of
from modules.core.scheduler.execution import outcome_of_exception
from modules.core.scheduler.signature import FunctionError

if TYPE_CHECKING:
    from fractions import Fraction


class Store:
    async def keep(self, parameters: dict[str, Any]) -> None: ...


class Login(BaseModel):
    user: str
    password: str

    @field_validator("user")
    @classmethod
    def quotes_the_value(cls, value: str) -> str:
        raise ValueError(f"do not like {value}")

    @field_validator("password")
    @classmethod
    def quotes_the_secret(cls, value: str) -> str:
        raise ValueError(f"too short: {value}")


class Fragile(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def breaks(cls, value: str) -> str:
        raise KeyError(value)


def built(function: Callable[..., Any], parameters: object, context: Any = None) -> dict[str, Any]:
    return arguments_of(function).build(parameters, context)


def problems(function: Callable[..., Any], parameters: object, **options: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["message"]) for each in arguments_of(function, **options).check(parameters)]


async def takes_all(parameters): ...  # type: ignore[no-untyped-def]  # the shape under test


async def takes_keywords(*, format: str, include_deleted: bool = False) -> None: ...  # noqa: A002  # a name people use


async def takes_numbers(numbers: dict[str, int]) -> None: ...


async def takes_secret(*, user: str, token: int = 12345) -> None: ...


def test_unbounded_or_nameless_parameters_are_refused_with_a_sentence() -> None:
    def by_position(parameters: dict[str, Any], /) -> None: ...
    def any_number(*names: str) -> None: ...
    def any_name(**options: str) -> None: ...
    def generates(name: str) -> Any:
        yield name

    async def generates_asynchronously(name: str) -> Any:
        yield name

    def hidden_type(value: Fraction) -> None: ...
    def not_json(store: Store, name: str) -> None: ...
    def field_default(rows: int = Field(default=3)) -> None: ...

    refused: dict[Any, str] = {
        by_position: "by position only",
        any_number: r"takes \*names",
        any_name: r"takes \*\*options",
        generates: "is a generator",
        generates_asynchronously: "is a generator",
        hidden_type: "'value' of .* is unknown: name 'Fraction' is not defined; import or define it at the top level",
        not_json: "cannot be given as JSON",
        field_default: "as Annotated",
        Store.keep: "register it as object.method",
        Store: "is a class",
        max: "signature|takes",
    }
    for function, message in refused.items():
        with pytest.raises(FunctionError, match=message):
            arguments_of(function)


@pytest.mark.parametrize("parameters", [None, [], "text", 3])
def test_parameters_are_an_object(parameters: object) -> None:
    assert problems(takes_all, parameters) == [("", f"must be an object, not {type(parameters).__name__}")]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "parameters",
    [{"a": {1}}, {"a": float("nan")}, {1: "a"}, {"a": "x" * 1_000_001}, nested(100), {"a": object()}, {"a": 10**5000}],
    ids=["set", "nan", "key", "large", "deep", "object", "huge number"],
)
@pytest.mark.parametrize("function", [takes_all, takes_numbers])
def test_parameters_are_plain_bounded_json(function: Callable[..., Any], parameters: object) -> None:
    assert [field for field, _ in problems(function, parameters)] == [""]


def test_text_that_is_not_unicode_is_refused_where_a_type_is_asked_for() -> None:
    assert problems(takes_keywords, {"format": "\ud800"}) == [("", "holds text that is not valid Unicode")]


def test_problems_are_few_and_short() -> None:
    found = problems(takes_numbers, {f"{number}" + "x" * 1_000: "x" for number in range(500)})

    assert len(found) == 50
    assert all(len(field) <= 300 and len(message) <= 300 for field, message in found)


def test_a_secret_value_is_in_no_message() -> None:
    def logs_in(parameters: Login) -> None: ...

    given = {"user": "hunter2", "password": "hunter2"}

    assert "hunter2" in str(problems(logs_in, given))
    assert "hunter2" not in str(problems(logs_in, given, secret=["password"]))


def test_a_misspelt_secret_is_refused() -> None:
    with pytest.raises(FunctionError, match="did you mean 'token'"):
        arguments_of(takes_secret, secret=["tokn"])
    with pytest.raises(FunctionError, match=r"secret=\['token'\]"):
        arguments_of(takes_secret, secret="token")


def test_a_validator_that_breaks_is_a_problem_of_the_parameters_and_no_crash() -> None:
    def takes_fragile(parameters: Fragile) -> None: ...

    assert problems(takes_fragile, {"name": "a"}) == [("", "could not be checked: a validator raised KeyError")]


def test_parameters_that_no_longer_fit_end_the_run_without_a_retry() -> None:
    with pytest.raises(ParametersRefused) as caught:
        built(takes_keywords, {})

    outcome = outcome_of_exception(caught.value)
    assert (outcome.error, outcome.retry) == ("ParametersRefused: format is required", False)


def test_a_function_that_describes_its_parameters_takes_no_second_model() -> None:
    with pytest.raises(FunctionError, match="describes its parameters itself"):
        arguments_of(takes_keywords, Login)
