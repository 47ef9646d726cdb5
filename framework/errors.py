"""Everything the framework raises; each message says what is wrong, with the value, and the cure."""

# ruff: noqa: N818  # the names say what is wrong (ServiceMissing), which the suffix would only blur

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence


class FrameworkError(Exception):
    """Anything the framework refuses to go on with."""


class SettingsError(FrameworkError):
    """A setting is wrong: one sentence for each, naming the variable or the key, the value, and what is allowed."""


class WrongPhase(FrameworkError):
    """A module asked for something that its phase does not allow."""


class ServiceMissing(FrameworkError):
    """No module provides the service."""

    def __init__(self, name: str, known: Iterable[str] = (), reason: str | None = None) -> None:
        cause = reason or f"is its module listed?{did_you_mean(name, known)}"
        super().__init__(f"no module provides {name!r}; {cause}")
        self.name = name


class AmbiguousService(FrameworkError):
    """A class was asked for that several services belong to."""

    def __init__(self, class_name: str, names: Sequence[str]) -> None:
        super().__init__(f"several services are a {class_name}; ask by name: {', '.join(sorted(names))}")


class DuplicateService(FrameworkError):
    """Two modules provide a service of the same name."""

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            f"the service {name!r} of module {second!r} is already provided by module {first!r}; rename one"
        )


class RequirementError(FrameworkError):
    """The modules of an application do not fit together; raised before anything starts."""


class InvalidModule(RequirementError):
    """What was listed is not a module that can be used."""


class ModuleMissing(RequirementError):
    """A listed module cannot be found."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        super().__init__(f"there is no module {name!r}{did_you_mean(name, known)}; list a module id or an import path")


class ModuleImportFailed(RequirementError):
    """A module was found, but importing it raised."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(f"module {name!r} cannot be imported: {one_line(error)}")


class RequirementMissing(RequirementError):
    """A module requires one that is neither listed nor found, or that is switched off."""

    def __init__(self, module_id: str, requirement: str, known: Iterable[str] = (), reason: str | None = None) -> None:
        cause = reason or f"which is neither listed nor found{did_you_mean(requirement, known)}"
        super().__init__(f"module {module_id!r} requires {requirement!r}, {cause}")


class RequirementCircular(RequirementError):
    """Modules require each other in a circle."""

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__(
            f"modules require each other in a circle: {' -> '.join(cycle)}; remove one of these requirements"
        )
        self.cycle = tuple(cycle)


class DuplicateModule(RequirementError):
    """Two modules have the same id."""

    def __init__(self, module_id: str, first: str, second: str) -> None:
        super().__init__(f"two modules have the id {module_id!r}: {first} and {second}; rename one")


class RequirementErrors(RequirementError):
    """Several of the above, all found at once."""

    def __init__(self, errors: Sequence[FrameworkError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)


class ModulesShadowed(FrameworkError):
    """Something else that is called `modules` stands in front of the namespace package."""

    def __init__(self, culprit: str) -> None:
        super().__init__(f"{culprit} is imported as 'modules' and hides the modules/ folders; remove or rename it")


class ApplicationRunning(FrameworkError):
    """An application was started twice."""

    def __init__(self) -> None:
        super().__init__("the application is already started; stop it first, or make another one")


class DatabaseUnavailable(FrameworkError):
    """The database gave no answer for as long as the application was willing to wait."""

    def __init__(self, url: str, waited: str, error: BaseException) -> None:
        super().__init__(
            f"the database {url} gave no answer within {waited}: {one_line(error)}; is FRAMEWORK_DATABASE_URL right?"
        )


class DatabaseRefused(FrameworkError):
    """The database answered, and lets this program in neither now nor later."""

    def __init__(self, url: str, error: BaseException) -> None:
        super().__init__(f"the database {url} cannot be used: {one_line(error)}; is FRAMEWORK_DATABASE_URL right?")


class DatabaseMissing(FrameworkError):
    """A tool was asked to look at a database that is not there."""


class SchemaBehind(FrameworkError):
    """The tables are older than this program, or not there yet; only an upgrade or a start changes them."""

    def __init__(self, pending: Mapping[str, Sequence[str]]) -> None:
        super().__init__(f"the tables of {', '.join(pending)} are not up to date; run `chamberlain db upgrade`")
        self.pending = pending


def one_line(error: BaseException, limit: int = 300) -> str:
    """Return an exception as one bounded line: its class and the first line of its message."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` where a known name is near, else nothing."""
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
