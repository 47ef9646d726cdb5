"""Routes that read, and are given nothing but plain parameters: called without FastAPI's looking for all else."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from fastapi import routing
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

PLAIN: tuple[type, ...] = (str, int, float, bool, NoneType)
OTHER_NEEDS = ("header_params", "cookie_params", "body_params", "dependencies")
SPECIAL = (
    "request_param_name",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)

Answer = Callable[[Request, Mapping[str, str]], Coroutine[Any, Any, Response | None]]


class _Parameter(NamedTuple):
    """A parameter of the function, its name in the request, what it is without one, and what checks it."""

    name: str
    alias: str
    is_required: bool
    default: Any
    validate: Callable[..., tuple[Any, Any]]


def plain_answer(route: APIRoute) -> Answer | None:
    """Return what answers a request with this query, None where the route needs more than plain parameters.

    FastAPI's own fields check them. What they refuse is answered with None: FastAPI is to say what is wrong with it.
    """
    dependant = _dependant_of(route)
    if dependant is None or route.methods != {"GET"} or not _returns_response(dependant.call):
        return None
    checks = [each.call for each in dependant.dependencies]
    if not all(hasattr(check, "scope") for check in checks) or _has_other_needs(dependant):
        return None
    fields = [*dependant.path_params, *dependant.query_params]
    if not all(_is_plain(field) for field in fields):
        return None
    in_path, in_query = map(_parameters, (dependant.path_params, dependant.query_params))
    handler: Any = dependant.call

    async def answer(request: Request, query: Mapping[str, str]) -> Response | None:
        for check in checks:
            await check()
        values = _values(in_path, request.path_params), _values(in_query, query)
        if values[0] is None or values[1] is None:
            return None
        answered: Response = await handler(**values[0], **values[1])
        return answered

    return answer


def _dependant_of(route: APIRoute) -> Any:
    """Return what the route needs with what an inclusion has added; None where this FastAPI does not tell it."""
    if not hasattr(routing, "iter_route_contexts"):  # it copies a route that is included
        return route.dependant
    current = getattr(routing, "_effective_route_context_var", None)
    if current is None:
        return None
    included = current.get()
    return included.dependant if included is not None and included.original_route is route else route.dependant


def _returns_response(call: Any) -> bool:
    if not inspect.iscoroutinefunction(call):
        return False
    try:
        returned = get_type_hints(call).get("return")
    except NameError:  # a type that is imported for the type checker only
        return False
    return isinstance(returned, type) and issubclass(returned, Response)


def _has_other_needs(dependant: Any) -> bool:
    needs = (getattr(each, name, None) for each in dependant.dependencies for name in (*OTHER_NEEDS, "query_params"))
    own = (getattr(dependant, name, None) for name in (*OTHER_NEEDS[:-1], *SPECIAL))
    return any(needs) or any(own)


def _is_plain(field: Any) -> bool:
    annotation = field.field_info.annotation
    types = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    if field.field_info.validation_alias not in (None, field.alias) or field.field_info.validate_default:
        return False
    is_safe = field.field_info.is_required() or isinstance(field.get_default(), PLAIN)
    return is_safe and all(each in PLAIN for each in types)


def _parameters(fields: Any) -> list[_Parameter]:
    return [
        _Parameter(each.name, each.alias, each.field_info.is_required(), each.get_default(), each.validate)
        for each in fields
    ]


def _values(parameters: list[_Parameter], given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the function's arguments, None where one is missing or refused."""
    values: dict[str, Any] = {}
    for name, alias, is_required, default, validate in parameters:
        if alias in given:
            values[name], problems = validate(given[alias], values, loc=())
            if problems:
                return None
        elif is_required:
            return None
        else:
            values[name] = default
    return values
