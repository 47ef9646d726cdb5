"""The registry: the only place where a stored `(module_id, function_name)` becomes something that can be called."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MethodType
from typing import Any, TypeVar, overload

from modules.core.scheduler.arguments import Arguments, ParametersRefused, Problem, arguments_of
from modules.core.scheduler.execution import ExecutionContext
from modules.core.scheduler.signature import FunctionError, is_async, named, underlying

__all__ = ["FunctionError", "FunctionRegistry", "ParametersRefused", "Problem", "RegisteredFunction"]

MASK = "***"
SHORTEST_SECRET = 4  # shorter values stand in ordinary words
MAX_DESCRIPTION = 500

_MODULE_ID = re.compile(r"(?=.{1,100}\Z)[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RegisteredFunction:
    """A function that tasks may run; `api` says whether the API may schedule it."""

    module_id: str
    function_name: str
    callable: Callable[..., Any]
    is_async: bool
    api: bool
    description: str
    arguments: Arguments

    @property
    def key(self) -> str:
        """`module_id:function_name`."""
        return _key(self.module_id, self.function_name)

    @property
    def secret(self) -> frozenset[str]:
        """The names of the parameters that are never shown."""
        return self.arguments.secret

    def check(self, parameters: object) -> list[Problem]:
        """Return every `{"field", "message"}` that is wrong with the parameters, without calling the function.

        A field is a dotted path within the parameters, empty for the whole; no message quotes a secret value.
        """
        return self.arguments.check(parameters)

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the parameters."""
        return self.arguments.schema()

    def call(self, parameters: object, context: ExecutionContext | None) -> Any:
        """Call the function, return its value or coroutine; raises `ParametersRefused` and what the function raises."""
        return self.callable(**self.arguments.build(parameters, context))

    def scrubbed(self, text: str | None, parameters: object) -> str | None:
        """Return an error or traceback with `***` in place of secret values that it quotes."""
        if text is None or not isinstance(parameters, Mapping):
            return text
        hidden = {part for name in self.secret for part in _texts(parameters.get(name, ""))}
        for part in sorted(hidden, key=len, reverse=True):
            if len(part) >= SHORTEST_SECRET:
                text = text.replace(part, MASK)
        return text


class FunctionRegistry:
    """All functions that tasks may run. Only `register` adds one; none goes once tasks are carried out.

    `version` grows with every registration; each of `on_change` is then called, so that waiting tasks get their turn.
    """

    def __init__(self) -> None:
        self.version = 0
        self.on_change: list[Callable[[], None]] = []
        self._functions: dict[tuple[str, str], RegisteredFunction] = {}
        self._keys: frozenset[str] = frozenset()

    @overload
    def register(
        self,
        module_id: str,
        function_name: str,
        function: F,
        *,
        api: bool = ...,
        secret: Iterable[str] = ...,
        description: str | None = ...,
        parameters: Any = ...,
    ) -> F: ...
    @overload
    def register(
        self,
        module_id: str,
        function_name: str,
        function: None = ...,
        *,
        api: bool = ...,
        secret: Iterable[str] = ...,
        description: str | None = ...,
        parameters: Any = ...,
    ) -> Callable[[F], F]: ...
    def register(
        self,
        module_id: str,
        function_name: str,
        function: Callable[..., Any] | None = None,
        *,
        api: bool = False,
        secret: Iterable[str] = (),
        description: str | None = None,
        parameters: Any = None,
    ) -> Any:
        """Register the function under its two names and return it; without a function, return a decorator that does.

        `parameters` is a pydantic model, dataclass or TypedDict that checks what a function taking a plain dict gets.
        The same registration again changes nothing. Raises `FunctionError` when it cannot be what was meant.
        """
        if function is None:
            options: dict[str, Any] = {
                "api": api,
                "secret": secret,
                "description": description,
                "parameters": parameters,
            }
            return lambda decorated: self.register(module_id, function_name, decorated, **options)
        _check_names(module_id, function_name)
        if not callable(function):
            raise FunctionError(f"{_key(module_id, function_name)} must be a function, not {type(function).__name__}")
        registered = RegisteredFunction(
            module_id,
            function_name,
            function,
            is_async=is_async(function),
            api=api,
            description=_first_line(function) if description is None else description[:MAX_DESCRIPTION],
            arguments=arguments_of(function, parameters, secret),
        )
        self._add(registered)
        return function

    def withdraw(self, module_ids: Collection[str]) -> None:
        """Take back what these modules registered, because they do not run: their tasks wait until they do."""
        kept = {names: function for names, function in self._functions.items() if names[0] not in module_ids}
        self._functions, self._keys = kept, frozenset(function.key for function in kept.values())

    def secret_of(self, module_id: str, function_name: str) -> frozenset[str] | None:
        """Return the names of a function's parameters that are never shown; None where it is not registered."""
        function = self.find(module_id, function_name)
        return None if function is None else function.secret

    def find(self, module_id: str, function_name: str) -> RegisteredFunction | None:
        """Return the function of these two names, or None."""
        return self._functions.get((module_id, function_name))

    def keys(self) -> frozenset[str]:
        """Return every `module_id:function_name`."""
        return self._keys

    def name_of(self, function: Callable[..., Any]) -> tuple[str, str] | None:
        """Return the two names under which this callable was registered first, or None."""
        for names, registered in self._functions.items():
            if _same(registered.callable, function):
                return names
        return None

    def unknown(self, module_id: str, function_name: str) -> str:
        """Return a sentence that says that there is no such function, with the nearest name where one is near."""
        key = _key(module_id, function_name)
        near = difflib.get_close_matches(key[:200], sorted(self._keys), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"is the module {module_id[:100]!r} listed?"
        return f"no function {key[:200]!r} is registered; {hint}"

    def __iter__(self) -> Iterator[RegisteredFunction]:
        """Go through the functions in the order of their names."""
        return iter([self._functions[names] for names in sorted(self._functions)])

    def __len__(self) -> int:
        return len(self._functions)

    def _add(self, registered: RegisteredFunction) -> None:
        names = (registered.module_id, registered.function_name)
        existing = self._functions.get(names)
        if existing is not None:
            _check_same(existing, registered)
            return
        self._functions[names] = registered
        self._keys = self._keys | {registered.key}
        self.version += 1
        for changed in self.on_change:
            changed()


def masked(parameters: Mapping[str, Any], secret: Collection[str] | None) -> dict[str, Any]:
    """Return parameters as they may be shown: `***` in place of the secret ones, of all where None knows which."""
    return {name: MASK if secret is None or name in secret else value for name, value in parameters.items()}


def _texts(value: object) -> Iterator[str]:
    """Go through the texts of which a value is made, itself among them: an error may quote any of them."""
    yield str(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    for part in parts:
        yield from _texts(part)


def _key(module_id: str, function_name: str) -> str:
    return f"{module_id}:{function_name}"


def _check_names(module_id: object, function_name: object) -> None:
    if not (isinstance(module_id, str) and _MODULE_ID.fullmatch(module_id)):
        raise FunctionError(f"{module_id!r} is not a module id; write lower-case words with dots, like 'acme.reports'")
    if not (isinstance(function_name, str) and _FUNCTION_NAME.fullmatch(function_name)):
        raise FunctionError(
            f"{function_name!r} is not a function name; write letters, digits, '_' and '.', at most 100, like 'nightly'"
        )


def _check_same(existing: RegisteredFunction, again: RegisteredFunction) -> None:
    if not _same(existing.callable, again.callable):
        raise FunctionError(
            f"{again.key} is already {named(existing.callable)}; register {named(again.callable)} under another name"
        )
    if (existing.api, existing.secret, existing.description) != (again.api, again.secret, again.description):
        raise FunctionError(f"{again.key} is already registered with other options; register it once")


def _same(one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    """Every look at `object.method` makes a new bound method, so two of them are compared by what they bind."""
    return one is other or (isinstance(one, MethodType) and isinstance(other, MethodType) and one == other)


def _first_line(function: Callable[..., Any]) -> str:
    is_plain = inspect.isroutine(function) or isinstance(function, partial)
    text = underlying(function).__doc__ or (None if is_plain else type(function).__doc__) or ""
    return text.strip().partition("\n")[0][:MAX_DESCRIPTION]
