"""The registry: what can be registered, found, described and called."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from modules.core.scheduler.functions import FunctionError, FunctionRegistry, ParametersRefused, masked


async def nightly(*, format: str = "pdf") -> str:  # noqa: A002  # a name people use
    """Write the nightly report.

    More that nobody needs in a list.
    """
    return format


def weekly(parameters: dict[str, Any]) -> dict[str, Any]:
    return parameters


class Backup:
    """Copy the database."""

    async def run(self) -> None: ...

    async def __call__(self) -> None: ...


@pytest.fixture
def registry() -> FunctionRegistry:
    return FunctionRegistry()


def test_a_registered_function_is_found_by_its_two_names_and_by_nothing_else(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "nightly", nightly)

    found = registry.find("acme.reports", "nightly")

    assert found is not None
    assert (found.callable, found.key, found.is_async, found.api) == (nightly, "acme.reports:nightly", True, False)
    assert registry.find("acme", "reports.nightly") is None
    assert registry.keys() == {"acme.reports:nightly"}


@pytest.mark.parametrize(("module_id", "name"), [("os", "system"), ("builtins", "eval"), ("acme.reports", "__class__")])
def test_a_name_that_could_be_imported_is_nothing_without_registration(
    registry: FunctionRegistry, module_id: str, name: str
) -> None:
    registry.register("acme.reports", "nightly", nightly)

    assert registry.find(module_id, name) is None


def test_registering_gives_the_function_back_also_as_a_decorator(registry: FunctionRegistry) -> None:
    @registry.register("acme.reports", "decorated", api=True)
    async def decorated() -> None: ...

    assert registry.register("acme.reports", "weekly", weekly) is weekly
    assert registry.name_of(decorated) == ("acme.reports", "decorated")
    assert [each.api for each in registry] == [True, False]


def test_the_same_registration_again_changes_nothing(registry: FunctionRegistry) -> None:
    backup = Backup()
    for _ in range(2):
        registry.register("acme.reports", "nightly", nightly)
        registry.register("acme.reports", "backup", backup.run)

    assert (registry.version, len(registry)) == (2, 2)


def test_a_name_is_taken_once(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "nightly", nightly)

    with pytest.raises(FunctionError, match=r"acme.reports:nightly is already nightly\(\)"):
        registry.register("acme.reports", "nightly", weekly)
    with pytest.raises(FunctionError, match="other options"):
        registry.register("acme.reports", "nightly", nightly, api=True)

    assert registry.version == 1


@pytest.mark.parametrize(
    "module_id", ["", "Acme", "acme..reports", ".acme", "acme-reports", "acme:reports", "acme\n", "a" * 101, None]
)
def test_a_module_id_is_lower_case_words_with_dots(registry: FunctionRegistry, module_id: Any) -> None:
    with pytest.raises(FunctionError, match="is not a module id"):
        registry.register(module_id, "nightly", nightly)


@pytest.mark.parametrize("name", ["", "1st", ".nightly", "a b", "a:b", "nightly\n", "n" * 101, "ü", None])
def test_a_function_name_is_an_identifier_that_may_have_dots(registry: FunctionRegistry, name: Any) -> None:
    with pytest.raises(FunctionError, match="is not a function name"):
        registry.register("acme.reports", name, nightly)

    registry.register("core.scheduler", "scheduler.schedule_task", nightly)


def test_only_what_can_be_called_can_be_registered(registry: FunctionRegistry) -> None:
    not_a_function: Any = "os.system"

    with pytest.raises(FunctionError, match="must be a function, not str"):
        registry.register("acme.reports", "nightly", not_a_function)


def test_every_registration_is_told_to_those_who_wait(registry: FunctionRegistry) -> None:
    versions: list[int] = []
    registry.on_change.append(lambda: versions.append(registry.version))

    registry.register("acme.reports", "nightly", nightly)
    registry.register("acme.reports", "nightly", nightly)
    registry.register("acme.reports", "weekly", weekly)

    assert versions == [1, 2]


def test_the_name_of_a_method_is_found_for_the_same_object_only(registry: FunctionRegistry) -> None:
    backup = Backup()
    registry.register("acme.reports", "backup", backup.run)

    assert registry.name_of(backup.run) == ("acme.reports", "backup")
    assert registry.name_of(Backup().run) is None


def test_an_unknown_name_gets_the_nearest_one(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "nightly", nightly)

    assert registry.unknown("acme.reports", "nigthly") == (
        "no function 'acme.reports:nigthly' is registered; did you mean 'acme.reports:nightly'?"
    )
    assert registry.unknown("other", "thing").endswith("is the module 'other' listed?")


def test_functions_are_listed_in_the_order_of_their_names(registry: FunctionRegistry) -> None:
    registry.register("b.two", "f", weekly)
    registry.register("a.one", "g", nightly)

    assert [each.key for each in registry] == ["a.one:g", "b.two:f"]


def test_the_description_is_given_or_the_first_line_of_the_docstring(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "nightly", nightly)
    registry.register("acme.reports", "partial", partial(nightly, format="csv"))
    registry.register("acme.reports", "given", weekly, description="Once a week.")
    registry.register("acme.reports", "none", weekly)
    registry.register("acme.reports", "object", Backup())

    assert {each.function_name: each.description for each in registry} == {
        "nightly": "Write the nightly report.",
        "partial": "Write the nightly report.",
        "given": "Once a week.",
        "none": "",
        "object": "Copy the database.",
    }


@pytest.mark.parametrize(
    ("function", "is_async"),
    [
        (nightly, True),
        (weekly, False),
        (partial(nightly), True),
        (Backup().run, True),
        (Backup(), True),
        (partial(Backup()), True),
    ],
    ids=["async", "plain", "partial", "method", "object", "partial of object"],
)
def test_async_is_seen_through_partials_methods_and_objects(
    registry: FunctionRegistry, function: Any, is_async: bool
) -> None:
    registry.register("acme.reports", "any", function)

    found = registry.find("acme.reports", "any")

    assert found is not None
    assert found.is_async is is_async


async def test_a_call_hands_over_the_parameters_and_refuses_wrong_ones(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "nightly", nightly)
    found = registry.find("acme.reports", "nightly")
    assert found is not None

    assert await found.call({"format": "csv"}, None) == "csv"
    assert found.check({"format": 3})[0]["field"] == "format"
    with pytest.raises(ParametersRefused, match="format"):
        found.call({"format": 3}, None)


def test_secret_parameters_are_masked(registry: FunctionRegistry) -> None:
    registry.register("acme.reports", "weekly", weekly, secret=["token"])
    found = registry.find("acme.reports", "weekly")
    assert found is not None

    assert masked({"token": "hunter2", "rows": 3}, found.secret) == {"token": "***", "rows": 3}
    assert found.schema()["properties"]["token"] == {"writeOnly": True}
