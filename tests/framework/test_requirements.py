"""Choosing modules and putting them in order; every misfit is named before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_modules import GREETER, Put

from framework.errors import (
    DuplicateModule,
    ModuleMissing,
    RequirementCircular,
    RequirementErrors,
    RequirementMissing,
)
from framework.loader import discover
from framework.module import Module
from framework.requirements import load

REPOSITORY = Path(__file__).parents[2]


def module(module_id: str, *requires: str) -> Module:
    class Made(Module):
        id = module_id

    made = Made()
    made.__class__.requires = requires
    return made


def ids(modules: list[Module]) -> list[str]:
    return [found.id for found in modules]


def test_requirements_are_pulled_in_and_come_first(put: Put) -> None:
    put("acme.ground", text=GREETER.format(id="acme.ground", requires=()) + "    autoload = False\n")
    put("acme.floor", requires=("acme.ground",))
    put("acme.roof", requires=("acme.floor",))

    assert ids(load(["acme.roof"], discover())) == ["acme.ground", "acme.floor", "acme.roof"]


def test_the_order_follows_the_requirements_and_otherwise_the_list() -> None:
    listed = [module("d", "b", "c"), module("c", "a"), module("b", "a"), module("a"), module("e")]

    assert ids(load(listed, {})) == ["a", "b", "c", "d", "e"]


def test_a_missing_requirement_is_named_with_the_nearest_known_one() -> None:
    listed = [module("acme.report", "core.schedular"), module("core.scheduler")]

    with pytest.raises(RequirementMissing) as raised:
        load(listed, {})

    assert str(raised.value) == (
        "module 'acme.report' requires 'core.schedular', which is neither listed nor found"
        "; did you mean 'core.scheduler'?"
    )


def test_a_circle_is_printed_as_a_circle() -> None:
    listed = [module("x", "a"), module("a", "b"), module("b", "c"), module("c", "a")]

    with pytest.raises(RequirementCircular) as raised:
        load(listed, {})

    assert raised.value.cycle == ("a", "b", "c", "a")
    assert "in a circle: a -> b -> c -> a;" in str(raised.value)


def test_a_module_that_requires_itself_is_a_circle() -> None:
    with pytest.raises(RequirementCircular, match="a -> a"):
        load([module("a", "a")], {})


def test_two_modules_of_one_id_are_named() -> None:
    with pytest.raises(DuplicateModule, match=r"the id 'acme\.reports': .*Made and .*Made; rename one"):
        load([module("acme.reports"), module("acme.reports")], {})


def test_all_misfits_are_reported_at_once() -> None:
    listed: list[str | Module] = [module("a", "gone"), module("b", "c"), module("c", "b"), "acme.nowhere"]

    with pytest.raises(RequirementErrors) as raised:
        load(listed, {})

    kinds = [type(error) for error in raised.value.errors]
    assert kinds == [ModuleMissing, RequirementMissing, RequirementCircular]
    assert len(str(raised.value).splitlines()) == 3


def test_to_require_a_module_that_is_switched_off_is_an_error_that_says_so(put: Put) -> None:
    (put("acme.off") / ".disabled").touch()
    put("acme.needy", requires=("acme.off",))

    with pytest.raises(
        RequirementMissing, match=r"requires 'acme\.off', which is switched off by .*acme/off/\.disabled"
    ):
        load(["acme.needy"], discover())
