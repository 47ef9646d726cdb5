"""Which scope a route needs: said where the route is, and checked before its function is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from framework.caller import Scope, caller
from framework.web.problems import Problem


def requires(scope: Scope) -> Callable[[], Any]:
    """Return a FastAPI dependency that answers 403 to a caller without the scope: `dependencies=[Depends(…)]`."""

    async def check() -> None:
        if not caller().may(scope):
            raise Problem(403, "FORBIDDEN", f"this needs the scope {scope.value!r}, which {caller().name} has not")

    check.scope = scope  # type: ignore[attr-defined]  # by which a test finds out what a route needs
    return check
