"""Who may use a route: said where the route is, checked before its function is called, read by tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from fastapi import routing

from framework.caller import Scope, caller
from framework.errors import FrameworkError
from framework.web.problems import NoToken, Problem

_flat = getattr(routing, "iter_route_contexts", iter)  # earlier FastAPIs copied what was included


class Stated(NamedTuple):
    """A route and whom it is for; `scope` is None where that is anybody. A `page` takes who signed in in a browser."""

    methods: frozenset[str]
    path: str
    scope: Scope | None
    page: bool


def requires(scope: Scope, *, page: bool = False) -> Callable[[], Any]:
    """Return a FastAPI dependency, for `dependencies=[Depends(…)]`: 403 without the scope, 401 without any.

    Only on a `page` the token counts that a browser keeps; its forms must be such as only that browser was given.
    """

    async def check() -> None:
        if not caller().scopes:
            raise NoToken
        if not caller().may(scope):
            raise Problem(403, "FORBIDDEN", f"this needs the scope {scope.value!r}, which {caller().name} has not")

    check.scope, check.page = scope, page  # type: ignore[attr-defined]
    return check


async def anyone() -> None:
    """The dependency of a route that tells nothing worth hiding, such as whether the server lives."""


def stated(routes: Iterable[Any]) -> Iterator[Stated]:
    """Yield every route of an application with whom it is for; raises `FrameworkError` for one that does not say."""
    for route in _flat(routes):
        if not hasattr(route, "dependant"):
            continue
        calls = [each.call for each in route.dependant.dependencies]
        scopes = [call.scope for call in calls if hasattr(call, "scope")]
        page = any(getattr(call, "page", False) for call in calls)
        if not scopes and anyone not in calls:
            raise FrameworkError(
                f"the route {' '.join(sorted(route.methods))} {route.path} does not say who may use it; "
                "give it dependencies=[Depends(requires(Scope.READ))], another scope, or Depends(anyone)"
            )
        scope = max(scopes, key=list(Scope).index) if scopes else None
        yield Stated(frozenset(route.methods), route.path, scope, page)
