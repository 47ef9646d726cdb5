"""How parameters become arguments: every supported shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from modules.core.scheduler.arguments import arguments_of
from modules.core.scheduler.execution import ExecutionContext

if TYPE_CHECKING:
    from fractions import Fraction


class Format(StrEnum):
    PDF = "pdf"
    CSV = "csv"


class Report(BaseModel):
    format: Format = Format.PDF
    since: datetime
    rows: Annotated[int, Field(gt=0)] = 10


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    since: int = Field(alias="from")


@dataclasses.dataclass(frozen=True)
class Window:
    path: Path
    days: int = 30


class Filters(TypedDict, total=False):
    state: str


class Store:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def keep(self, parameters: dict[str, Any]) -> None:
        self.seen.append(parameters)


def built(function: Callable[..., Any], parameters: object, context: Any = None) -> dict[str, Any]:
    return arguments_of(function).build(parameters, context)


def problems(function: Callable[..., Any], parameters: object, **options: Any) -> list[tuple[str, str]]:
    return [(each["field"], each["message"]) for each in arguments_of(function, **options).check(parameters)]


async def takes_all(parameters): ...  # type: ignore[no-untyped-def]  # the shape under test


async def takes_dict(options: dict[str, Any]) -> None: ...


async def takes_mapping(parameters: Mapping[str, Any] | None = None) -> None: ...


async def takes_keywords(*, format: str, include_deleted: bool = False) -> None: ...  # noqa: A002  # a name people use


async def takes_model(report: Report) -> None: ...


async def takes_optional_model(report: Report | None = None) -> None: ...


async def takes_window(window: Window, context: ExecutionContext) -> None: ...


async def takes_filters(filters: Filters) -> None: ...


async def takes_numbers(numbers: dict[str, int]) -> None: ...


async def takes_nothing() -> None: ...


async def takes_context_first(context: ExecutionContext | None, name: str, again: ExecutionContext) -> None: ...


async def takes_odd_names(*, schema: int, json: int = 1, model_config: str = "", _private: int = 0) -> None: ...


async def takes_values(since: datetime, path: Path, format: Format, ids: set[int]) -> None: ...  # noqa: A002


async def returns_what_only_type_checkers_know(name: str) -> Fraction:
    raise LookupError(name)


@pytest.mark.parametrize("function", [takes_all, takes_dict, takes_mapping])
def test_one_dict_receives_all_parameters_as_a_copy(function: Callable[..., Any]) -> None:
    parameters = {"a": [1, {"b": None}]}

    (received,) = built(function, parameters).values()

    assert received == parameters
    assert received["a"] is not parameters["a"]


def test_keyword_parameters_get_what_is_given_and_keep_their_own_defaults() -> None:
    assert built(takes_keywords, {"format": "pdf"}) == {"format": "pdf"}
    assert built(takes_keywords, {"format": "pdf", "include_deleted": True}) == {
        "format": "pdf",
        "include_deleted": True,
    }


def test_every_wrong_parameter_is_named() -> None:
    found = problems(takes_keywords, {"include_deleted": "perhaps", "formt": 1})

    assert [field for field, _ in found] == ["formt", "format", "include_deleted"]
    assert found[0][1] == "is not a parameter of the function; did you mean 'format'?"
    assert found[1][1] == "is required"


def test_a_model_is_built_from_json_text_values() -> None:
    (report,) = built(takes_model, {"format": "csv", "since": "2026-01-05T12:00:00Z"}).values()

    assert report == Report(format=Format.CSV, since=datetime(2026, 1, 5, 12, tzinfo=UTC), rows=10)


def test_a_model_names_unknown_missing_and_impossible_fields() -> None:
    found = problems(takes_model, {"rows": 0, "fromat": "pdf"})

    assert [field for field, _ in found] == ["fromat", "since", "rows"]


def test_a_model_that_allows_more_gets_more() -> None:
    def takes_open(parameters: Open) -> None: ...

    assert arguments_of(takes_open).check({"name": "a", "more": 1}) == []


def test_a_model_may_be_filled_by_alias_or_by_name_where_it_says_so() -> None:
    def takes_aliased(parameters: Aliased) -> None: ...

    assert [problems(takes_aliased, each) for each in ({"from": 1}, {"since": 1})] == [[], []]


def test_a_model_that_is_left_out_is_the_functions_own_default() -> None:
    assert built(takes_optional_model, {}) == {}
    assert built(takes_mapping, {}) == {}


def test_a_dataclass_is_built_and_the_context_handed_over() -> None:
    context = object()

    assert built(takes_window, {"path": "/tmp"}, context) == {"window": Window(Path("/tmp")), "context": context}
    assert problems(takes_window, {"path": "/tmp", "day": 3})[0][0] == "day"


def test_a_typed_dict_and_a_narrow_mapping_are_checked() -> None:
    assert built(takes_filters, {"state": "open"}) == {"filters": {"state": "open"}}
    assert [field for field, _ in problems(takes_filters, {"stat": "open", "state": 3})] == ["stat", "state"]
    assert [field for field, _ in problems(takes_numbers, {"a": 1, "b": "x"})] == ["b"]


def test_the_context_arrives_wherever_it_is_annotated() -> None:
    context = object()

    assert built(takes_context_first, {"name": "a"}, context) == {"context": context, "name": "a", "again": context}


def test_nobody_can_give_the_context_as_a_parameter() -> None:
    assert problems(takes_context_first, {"name": "a", "context": {}})[0][0] == "context"


def test_a_function_without_parameters_takes_only_nothing() -> None:
    assert built(takes_nothing, {}) == {}
    assert problems(takes_nothing, {"a": 1}) == [("a", "is not a parameter of the function")]


def test_parameters_may_have_names_that_pydantic_keeps_for_itself() -> None:
    given = {"schema": 1, "json": 2, "model_config": "c", "_private": 3}

    assert built(takes_odd_names, given) == given


def test_typed_parameters_read_json_text() -> None:
    given = {"since": "2026-01-05T12:00:00Z", "path": "/tmp", "format": "csv", "ids": [1, 2, 2]}

    assert built(takes_values, given) == {
        "since": datetime(2026, 1, 5, 12, tzinfo=UTC),
        "path": Path("/tmp"),
        "format": Format.CSV,
        "ids": {1, 2},
    }


def test_what_a_partial_has_bound_is_no_parameter_of_the_task() -> None:
    def writes(parameters: dict[str, Any], *, store: Store) -> None: ...

    bound = partial(writes, store=Store())

    assert built(bound, {"a": 1}) == {"parameters": {"a": 1}}
    assert built(partial(takes_keywords, format="pdf"), {}) == {}
    assert problems(partial(takes_keywords, format="pdf"), {"format": "csv"})[0][0] == "format"


def test_methods_callable_objects_and_wrapped_functions_are_read_like_functions() -> None:
    class Caller:
        async def __call__(self, *, name: str) -> None: ...

    @wraps(takes_keywords)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return takes_keywords(*args, **kwargs)

    assert built(Store().keep, {"a": 1}) == {"parameters": {"a": 1}}
    assert built(Caller(), {"name": "a"}) == {"name": "a"}
    assert built(wrapped, {"format": "pdf"}) == {"format": "pdf"}


def test_a_type_that_only_type_checkers_know_does_no_harm_as_the_result() -> None:
    assert built(returns_what_only_type_checkers_know, {"name": "a"}) == {"name": "a"}


def test_a_model_of_its_own_checks_what_a_function_takes_as_a_plain_dict() -> None:
    arguments = arguments_of(takes_all, Report)

    assert [each["field"] for each in arguments.check({"row": 1})] == ["row", "since"]
    assert arguments.build({"since": "2026-01-05T12:00:00Z"}, None) == {"parameters": {"since": "2026-01-05T12:00:00Z"}}
