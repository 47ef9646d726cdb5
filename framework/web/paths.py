"""Routes with what an API promises of each: its scope, its name, what it answers, and how it refuses."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends
from fastapi.params import Depends as Needs
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from framework.caller import Scope
from framework.web.json_answer import JsonAnswer
from framework.web.problems import MEDIA_TYPE
from framework.web.scopes import requires
from framework.web.strict_route import StrictRoute

GUARDED: Mapping[int, str] = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    422: "INVALID_REQUEST",
    429: "TOO_MANY_REQUESTS",
    503: "DATABASE_AWAY",
}
WITH_BODY: Mapping[int, str] = {413: "BODY_TOO_LARGE", 415: "UNSUPPORTED_MEDIA_TYPE", 422: "INVALID_JSON"}


class ProblemDocument(BaseModel):
    """A refusal, as RFC 9457 has it, with the code and the details of the application's own Result."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A name of this kind of problem; `urn:chamberlain:problem:` and its code.")
    title: str = Field(description="The words of the status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="A sentence for people: what is wrong, and what to do.")
    code: str = Field(description="A stable word in capitals, for programs.")
    details: dict[str, Any] | None = Field(description="What else is known; of wrong fields, `problems` lists each.")


PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
"What a refusal holds; a model here would be made into a validator for each refusal of each route."


class Posting(NamedTuple):
    """What every POST needs, with what it may refuse besides, and what routes are made of."""

    needs: Iterable[Needs] = ()
    refusals: Iterable[str] = ()
    route_class: type[APIRoute] = StrictRoute


class Paths:
    """Adds routes to a router of its own; `statuses` has the HTTP status of every code with which one may refuse."""

    def __init__(self, prefix: str, statuses: Mapping[str, int], tag: str, *, posting: Posting | None = None) -> None:
        self._posting = posting or Posting()
        self.router = APIRouter(prefix=prefix, route_class=self._posting.route_class)
        self._statuses = statuses
        self._tag = tag

    def tagged(self, tag: str) -> Paths:
        """Return the same for a family of routes, which documents show together."""
        same = Paths(self.router.prefix, self._statuses, tag, posting=self._posting)
        same.router = self.router
        return same

    def add(
        self,
        method: str,
        path: str,
        handler: Callable[..., Any],
        answers: Any,
        scope: Scope,
        *refusals: str,
        status: int = 200,
        needs: Iterable[Needs] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Add a route: the handler's name is its operationId, and its docstring what the document says of it.

        The handler returns a `Response`; what it `answers` is a model or type, for the document, as are
        the `headers` of its answer, each with what it says. `refusals` are codes.
        """
        own = self._posting if method == "POST" else Posting()
        self.router.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=status,
            operation_id=handler.__name__,
            summary=handler.__name__.replace("_", " ").capitalize(),
            description=inspect.getdoc(handler),
            tags=[self._tag],
            response_class=JsonAnswer,
            response_model=answers,
            responses=_with_headers(status, headers)
            | self._refusals([*refusals, *own.refusals], has_body=method in ("POST", "PATCH", "PUT")),
            dependencies=[Depends(requires(scope)), *needs, *own.needs],
        )

    def _refusals(self, codes: Iterable[str], *, has_body: bool) -> dict[int | str, dict[str, Any]]:
        """Return the refusals as OpenAPI has them, the codes of a status together."""
        by_status: dict[int, list[str]] = defaultdict(list)
        for guarded in (GUARDED, WITH_BODY if has_body else {}):
            for status, code in guarded.items():
                by_status[status].append(code)
        for code in codes:
            by_status[self._statuses[code]].append(code)
        return {
            status: {
                "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in sorted(set(found)))}.",
                "content": PROBLEM,
            }
            for status, found in sorted(by_status.items())
        }


def _with_headers(status: int, headers: Mapping[str, str]) -> dict[int | str, dict[str, Any]]:
    told = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    return {status: {"headers": told}} if told else {}
