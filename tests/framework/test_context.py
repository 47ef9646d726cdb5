"""AppContext: services by name and by class, declarations, and what each phase refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from framework.context import AppContext, Phase, acting
from framework.database import Database
from framework.errors import AmbiguousService, DuplicateService, ServiceMissing, SettingsError, WrongPhase
from framework.settings import FrameworkSettings, ModuleSettings
from framework.testing import FakeClock


class Greeter:
    pass


class PoliteGreeter(Greeter):
    pass


class GreeterSettings(ModuleSettings):
    word: str = "hello"


@pytest.fixture
async def context() -> AsyncIterator[AppContext]:
    database = Database("sqlite+aiosqlite:///:memory:")
    settings = {"framework": FrameworkSettings(), "acme.greeter": GreeterSettings(word="good day")}
    yield AppContext(FakeClock(), database, settings)
    await database.close()


def start(context: AppContext) -> None:
    context.phase = Phase.STARTING


def test_a_service_is_found_by_name_and_by_class(context: AppContext) -> None:
    greeter = Greeter()
    context.add_service("acme.greeter", greeter)
    start(context)

    by_name = context.get_service("acme.greeter")
    by_class: Greeter = context.get_service(Greeter)

    assert by_name is by_class is greeter


def test_the_framework_provides_its_own_services_in_every_phase(context: AppContext) -> None:
    with acting("acme.greeter"):
        assert context.get_service("framework.clock") is context.clock
        assert context.get_service(Database) is context.database


def test_a_class_finds_its_exact_service_before_its_subclasses(context: AppContext) -> None:
    plain = Greeter()
    context.add_service("polite", PoliteGreeter())
    context.add_service("plain", plain)
    start(context)

    assert context.get_service(Greeter) is plain


def test_a_class_of_several_services_must_be_asked_for_by_name(context: AppContext) -> None:
    context.add_service("first", Greeter())
    context.add_service("second", Greeter())
    start(context)

    with pytest.raises(AmbiguousService, match="several services are a Greeter; ask by name: first, second"):
        context.get_service(Greeter)


def test_a_missing_service_is_an_error_that_says_what_to_do(context: AppContext) -> None:
    context.add_service("acme.greeter", Greeter())
    start(context)

    with pytest.raises(
        ServiceMissing, match=r"no module provides 'acme.greter'; is its module listed\?; did you mean 'acme"
    ):
        context.get_service("acme.greter")
    with pytest.raises(ServiceMissing, match="no module provides 'PoliteGreeter'"):
        context.get_service(PoliteGreeter)


def test_a_service_name_is_given_once_and_both_modules_are_named(context: AppContext) -> None:
    with acting("acme.first"):
        context.add_service("greeter", Greeter())

    with acting("acme.second"), pytest.raises(DuplicateService, match=r"'acme\.second'.*'acme\.first'"):
        context.add_service("greeter", Greeter())


def test_another_modules_service_is_refused_in_phase_one(context: AppContext) -> None:
    with acting("acme.first"):
        context.add_service("greeter", Greeter())
        context.get_service("greeter")

    with acting("acme.second"), pytest.raises(WrongPhase, match=r"cannot be asked for in register\(\)"):
        context.get_service("greeter")


def test_what_belongs_to_phase_one_is_refused_later(context: AppContext) -> None:
    start(context)

    with pytest.raises(WrongPhase, match="a service is added while registering; the application is starting"):
        context.add_service("late", Greeter())
    with pytest.raises(WrongPhase, match="a task is declared while registering"):
        context.declare("task", {})


def test_callbacks_are_refused_when_they_would_never_be_called(context: AppContext) -> None:
    context.phase = Phase.RUNNING
    context.on_stopping(lambda: None)

    with pytest.raises(WrongPhase, match="on_started callback is added while registering or starting"):
        context.on_started(lambda: None)


def test_declarations_are_handed_over_in_phase_two_with_their_module(context: AppContext) -> None:
    with acting("acme.first"):
        context.declare("task", "one")
        context.declare("cleanup", "other")
    with acting("acme.second"):
        context.declare("task", "two")
    with pytest.raises(WrongPhase, match="complete in phase two only"):
        context.declarations("task")
    start(context)

    assert context.declarations("task") == [("acme.first", "one"), ("acme.second", "two")]


def test_settings_are_found_by_model_and_by_module(context: AppContext) -> None:
    assert context.settings(GreeterSettings).word == "good day"
    assert context.settings_for("acme.greeter") == GreeterSettings(word="good day")
    with pytest.raises(SettingsError, match=r"no settings of 'acme\.other'"):
        context.settings_for("acme.other")


def test_a_module_that_is_left_out_takes_what_it_added_along(context: AppContext) -> None:
    with acting("acme.greeter"):
        context.add_service("greeter", Greeter())
        context.declare("task", "one")
        context.on_stopping(lambda: None)
    start(context)

    context.go_on_without("acme.greeter", "ValueError: no")

    assert context.declarations("task") == []
    assert context.stopping_callbacks() == []
    with pytest.raises(ServiceMissing, match=r"its module 'acme\.greeter' does not run: ValueError: no"):
        context.get_service("greeter")


def test_every_run_has_a_session_id_of_its_own(context: AppContext) -> None:
    other = AppContext(context.clock, context.database, {})

    assert context.session_id != other.session_id
