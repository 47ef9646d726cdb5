"""How the parameters of a task, plain JSON, become the arguments of its function."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, core_schema

from framework import strict_json
from modules.core.scheduler.bounded_text import storable
from modules.core.scheduler.execution import DoNotRetry, ExecutionContext
from modules.core.scheduler.object_types import (
    Stored,
    accepted_names,
    is_any_object,
    is_object,
    json_schema,
    without_none,
)
from modules.core.scheduler.signature import EMPTY, FunctionError, Taken, named, parameters_of

Problem = dict[str, str]

MAX_PROBLEMS = 50
MAX_TEXT = 300
HIDDEN = "is not acceptable (the value is secret, so it is not described)"

_FOREIGN = {"value_error", "assertion_error"}  # what an author's validator says may quote any value
_TRUSTED = frozenset(typing.get_args(core_schema.ErrorType)) - _FOREIGN


class ParametersRefused(DoNotRetry):
    """The parameters do not fit the function; `problems` are `{"field", "message"}`, an empty field is the whole."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{each['field']} {each['message']}".strip() for each in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Arguments:
    """What one function takes: checks parameters, builds the keyword arguments, describes itself as a JSON schema.

    `whole` names the one parameter that receives everything; otherwise each parameter of the task is an argument.
    `bare` tells that it can do without any.
    `accepted` are the known names, None when any is; `adapter` is None where any JSON object will do.
    """

    contexts: frozenset[str]
    whole: str | None
    optional: bool
    as_given: bool
    adapter: TypeAdapter[Any] | None
    accepted: frozenset[str] | None
    secret: frozenset[str]
    bare: bool = False

    def check(self, parameters: object) -> list[Problem]:
        """Return what is wrong with the parameters, nothing when they fit; the function is not called."""
        if self.bare and parameters == {}:
            return []
        try:
            self._converted(parameters)
        except ParametersRefused as refused:
            return refused.problems
        return []

    def build(self, parameters: object, context: ExecutionContext | None) -> dict[str, Any]:
        """Return the keyword arguments for the function; raises `ParametersRefused`."""
        if self.bare and parameters == {}:
            return dict.fromkeys(self.contexts, context)
        value = self._converted(parameters)
        arguments: dict[str, Any] = dict.fromkeys(self.contexts, context)
        if self.whole is None:
            return arguments | _given(value)
        return arguments if value is EMPTY else {**arguments, self.whole: value}

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the parameters; secret ones are `writeOnly` and show no default."""
        schema = json_schema(self.adapter)
        if self.accepted is not None and "properties" in schema:
            schema.setdefault("additionalProperties", False)
        for name in sorted(self.secret):
            shown = schema.setdefault("properties", {}).setdefault(name, {})
            shown.pop("default", None)
            shown["writeOnly"] = True
        return schema

    def _converted(self, parameters: object) -> Any:
        """The value for the function: what it annotated, `EMPTY` where its own default is to apply."""
        if not isinstance(parameters, dict):
            raise ParametersRefused([_problem("", f"must be an object, not {type(parameters).__name__}")])
        if isinstance(parameters, Stored):
            text, plain = parameters.text, dict(parameters)
        else:
            text, plain = self._as_json(parameters)
        if not plain and self.optional:
            return EMPTY
        return self._validated(text, plain)

    def _as_json(self, parameters: dict[str, Any]) -> tuple[str, Any]:
        try:
            text = strict_json.dumps(parameters)
            return text, strict_json.loads(text)
        except strict_json.JsonError as error:
            raise ParametersRefused([_problem("", HIDDEN if self.secret else str(error))]) from None

    def _validated(self, text: str, plain: dict[str, Any]) -> Any:
        problems = self._unknown(plain)
        value: Any = plain
        try:
            if self.adapter is not None:
                value = self.adapter.validate_json(text)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            problems += [self._described(each) for each in details if not self._is_known_unknown(each)]
        except Exception as error:  # noqa: BLE001  # foreign code: a validator of the function's author may raise anything
            problems.append(_problem("", f"could not be checked: a validator raised {type(error).__name__}"))
        if problems:
            raise ParametersRefused(problems[:MAX_PROBLEMS]) from None
        return plain if self.as_given else value

    def _unknown(self, plain: dict[str, Any]) -> list[Problem]:
        if self.accepted is None:
            return []
        return [_problem(name, _unknown_name(name, self.accepted)) for name in plain if name not in self.accepted]

    def _is_known_unknown(self, error: ErrorDetails) -> bool:
        return self.accepted is not None and error["type"] == "extra_forbidden" and len(error["loc"]) == 1

    def _described(self, error: ErrorDetails) -> Problem:
        field = ".".join(str(part) for part in error["loc"])
        if error["type"] == "missing":
            return _problem(field, "is required")
        if self.secret and (not error["loc"] or error["loc"][0] in self.secret or error["type"] not in _TRUSTED):
            return _problem(field, HIDDEN)
        if error["type"] == "json_invalid":
            return _problem(field, "holds text that is not valid Unicode")
        return _problem(field, error["msg"])


def arguments_of(function: Callable[..., Any], model: Any = None, secret: Iterable[str] = ()) -> Arguments:
    """Read what the function takes; `model` checks the parameters of one that takes a plain dict.

    Raises `FunctionError` when the function cannot be called with the parameters of a task.
    """
    if isinstance(secret, str):
        raise FunctionError(f"secret is a list of parameter names; write secret=[{secret!r}]")
    taken = parameters_of(function)
    contexts = frozenset(each.name for each in taken if each.is_context)
    ordinary = [each for each in taken if not each.is_context]
    whole = ordinary[0] if len(ordinary) == 1 and _receives_all(ordinary[0]) else None
    kind = _kind(function, ordinary, whole, model)
    accepted = None if kind is None else accepted_names(kind)
    if whole is None:
        accepted = frozenset(each.name for each in ordinary)
    return Arguments(
        contexts=contexts,
        whole=whole.name if whole else None,
        optional=whole is not None and whole.default is not EMPTY,
        as_given=model is not None,
        adapter=None if kind is None else _adapter(function, kind),
        accepted=accepted,
        secret=_hidden(function, frozenset(secret), accepted),
        bare=whole is None and all(each.default is not EMPTY for each in ordinary),
    )


def _hidden(function: Callable[..., Any], secret: frozenset[str], accepted: frozenset[str] | None) -> frozenset[str]:
    """The secret names, each of which must be one that the function knows: a misspelt one would hide nothing."""
    if accepted is not None and not secret <= accepted:
        name = min(secret - accepted)
        raise FunctionError(f"secret {name!r} of {named(function)} {_unknown_name(name, accepted)}")
    return secret


def _receives_all(parameter: Taken) -> bool:
    """One parameter that is positional, and a dict, a model or unannotated, stands for all parameters of the task."""
    if parameter.keyword_only:
        return False
    if parameter.annotation in (EMPTY, Any):
        return parameter.default is EMPTY or parameter.name == "parameters"
    kind = without_none(parameter.annotation)
    return is_any_object(kind) or is_object(kind)


def _kind(function: Callable[..., Any], ordinary: list[Taken], whole: Taken | None, model: Any) -> Any:
    """The type that the parameters of the task are validated as; None where any JSON object will do."""
    kind = _model_of(function, ordinary) if whole is None else None
    if whole and whole.annotation not in (EMPTY, Any) and not is_any_object(without_none(whole.annotation)):
        kind = without_none(whole.annotation)
    if model is None:
        return kind
    if kind is not None:
        raise FunctionError(f"{named(function)} describes its parameters itself; leave out the model of them")
    return model


def _model_of(function: Callable[..., Any], ordinary: list[Taken]) -> type[BaseModel]:
    """Keyword parameters as a model; its fields have other names, since a parameter may be called `json` or `_x`."""
    fields: dict[str, Any] = {}
    for number, each in enumerate(ordinary):
        if isinstance(each.default, FieldInfo):
            raise FunctionError(f"write {each.name!r} of {named(function)} as Annotated[type, Field(…)] = default")
        annotation = Any if each.annotation is EMPTY else each.annotation
        default = ... if each.default is EMPTY else each.default
        fields[f"p{number}"] = (annotation, Field(default, alias=each.name))
    config = ConfigDict(extra="forbid", allow_inf_nan=False)
    title = named(function).removesuffix("()")
    model: type[BaseModel] = _guarded(function, lambda: create_model(title, __config__=config, **fields))
    return model


def _adapter(function: Callable[..., Any], kind: Any) -> TypeAdapter[Any]:
    return _guarded(function, lambda: TypeAdapter(kind))


T = typing.TypeVar("T")


def _guarded(function: Callable[..., Any], make: Callable[[], T]) -> T:
    try:
        return make()
    except (PydanticUserError, NameError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise FunctionError(f"a parameter of {named(function)} cannot be given as JSON: {reason}") from error


def _given(value: BaseModel) -> dict[str, Any]:
    """The arguments that were given, under the function's own names; its own defaults stand for the others."""
    fields = type(value).__pydantic_fields__
    return {str(fields[name].alias): getattr(value, name) for name in sorted(value.__pydantic_fields_set__)}


def _unknown_name(name: str, accepted: Iterable[str]) -> str:
    near = difflib.get_close_matches(name[:MAX_TEXT], accepted, n=1)
    return "is not a parameter of the function" + (f"; did you mean {near[0]!r}?" if near else "")


def _problem(field: str, message: str) -> Problem:
    return {"field": storable(field, MAX_TEXT), "message": storable(message, MAX_TEXT)}
