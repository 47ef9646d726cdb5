"""How a registered callable wants to be called: its parameters, with their types resolved."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from modules.core.scheduler.execution_context import ExecutionContext

EMPTY = inspect.Parameter.empty

_UNCALLABLE: dict[Any, str] = {
    inspect.Parameter.POSITIONAL_ONLY: "takes {0!r} by position only; parameters are given by name",
    inspect.Parameter.VAR_POSITIONAL: "takes *{0}; name its parameters, or take one dict",
    inspect.Parameter.VAR_KEYWORD: "takes **{0}; name its parameters, or take one dict",
}


class FunctionError(ValueError):
    """A function cannot be registered as it is; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One parameter that a function takes; `annotation` and `default` are `EMPTY` where there is none."""

    name: str
    annotation: Any
    default: Any
    keyword_only: bool

    @property
    def is_context(self) -> bool:
        """True when it receives the `ExecutionContext`."""
        plain = without_annotated(self.annotation)
        return plain is ExecutionContext or (is_union(plain) and ExecutionContext in typing.get_args(plain))


def parameters_of(function: Callable[..., Any]) -> list[Taken]:
    """Return what the callable takes, without what a partial has bound; raises `FunctionError` when it cannot."""
    _refuse_what_would_never_run(function)
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError, NameError) as error:
        raise FunctionError(f"the signature of {named(function)} cannot be read: {error}") from None
    bound = function.keywords if isinstance(function, partial) else {}
    return [_taken(function, each) for each in signature.parameters.values() if each.name not in bound]


def is_async(function: Callable[..., Any]) -> bool:
    """True when calling it gives a coroutine; sees through partials, methods and objects with an async `__call__`."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(underlying(function))


def underlying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function or method inside partials, or the `__call__` of an object; decorators stay on."""
    while isinstance(function, partial):
        function = function.func
    if not (inspect.isroutine(function) or isinstance(function, type)):
        return type(function).__call__
    return function


def named(function: Callable[..., Any]) -> str:
    """Return a name for people, such as `nightly()`."""
    inner = underlying(function)
    return f"{getattr(inner, '__qualname__', type(function).__qualname__)}()"


def without_annotated(annotation: Any) -> Any:
    """Return the type inside `Annotated[type, …]`, any other as it is."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def is_union(annotation: Any) -> bool:
    """True for `A | B` and `Union[A, B]`."""
    return typing.get_origin(annotation) in (typing.Union, types.UnionType)


def _refuse_what_would_never_run(function: Callable[..., Any]) -> None:
    if isinstance(function, type):
        raise FunctionError(f"{function.__qualname__} is a class; register a function or an object that can be called")
    inner = underlying(function)
    if inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner):
        raise FunctionError(f"{named(function)} is a generator, whose body nobody would run; return the values instead")


def _taken(function: Callable[..., Any], parameter: inspect.Parameter) -> Taken:
    problem = _UNCALLABLE.get(parameter.kind)
    if problem is not None:
        raise FunctionError(f"{named(function)} {problem.format(parameter.name)}")
    if parameter.name in ("self", "cls") and parameter.annotation is EMPTY:
        raise FunctionError(f"{named(function)} is a method of no object; register it as object.method")
    annotation = _resolved(function, parameter)
    return Taken(parameter.name, annotation, parameter.default, parameter.kind is inspect.Parameter.KEYWORD_ONLY)


def _resolved(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """The annotation as a type; each on its own, so that one of the result that only type checkers see does no harm."""
    if parameter.annotation is EMPTY:
        return EMPTY
    known = {"ExecutionContext": ExecutionContext, **getattr(inspect.unwrap(underlying(function)), "__globals__", {})}
    holder = types.SimpleNamespace(__annotations__={"it": parameter.annotation})
    try:
        return typing.get_type_hints(holder, globalns=known, include_extras=True)["it"]
    except Exception as error:  # noqa: BLE001  # foreign code: an annotation is any expression of the function's author
        raise FunctionError(
            f"the type {parameter.annotation!r} of {parameter.name!r} of {named(function)} is unknown: {error}; "
            "import or define it at the top level of its file, not under TYPE_CHECKING"
        ) from None
