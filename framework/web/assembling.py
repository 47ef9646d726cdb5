"""One web application out of the routes that modules have added."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from framework.context import AppContext, acting
from framework.web.describing import document_of
from framework.web.documentation import DOCS, OPENAPI, STYLE, add_documentation
from framework.web.health_routes import health_router
from framework.web.problems import Problem
from framework.web.refusals import refused
from framework.web.rules import Paths
from framework.web.scopes import stated


def web_application(app_context: AppContext) -> FastAPI:
    """Return the web application of all modules; what a request may do is the business of what stands before it."""
    app = FastAPI(
        title="Chamberlain",
        version=version("chamberlain"),
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.openapi = partial(document_of, app)  # type: ignore[method-assign]  # FastAPI's own way to change it
    app.state.app_context = app_context
    app.router.routes.extend(health_router(app_context).routes)
    for module_id, routes in app_context.routes():
        with acting(module_id):
            # Not included: FastAPI would look through all that is included at each request, again and again.
            app.router.routes.extend(routes(app_context).routes)
    add_documentation(app)
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Exception, _unexpected)
    return app


def open_paths(app: FastAPI) -> Paths:
    """Return the paths that need no caller; raises `FrameworkError` where a route does not say whom it is for."""
    return Paths({OPENAPI, DOCS, STYLE, *(route.path for route in stated(app.routes) if route.scope is None)})


def pages(app: FastAPI) -> Paths:
    """Return the paths for which the token counts that a browser keeps."""
    return Paths(route.path for route in stated(app.routes) if route.page)


async def _answer(request: Request, problem: Any) -> Response:
    return refused(request.app.state.app_context, request, problem)


async def _of_http(request: Request, error: Any) -> Response:
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
    told = {
        404: f"there is nothing at {request.url.path:.100}",
        405: f"{request.method} is not for {request.url.path:.100}",
    }
    detail = told.get(error.status_code, str(error.detail))
    return await _answer(request, Problem(error.status_code, code, detail, headers=error.headers))


async def _of_validation(request: Request, error: Any) -> Response:
    problems = [{"field": ".".join(map(str, each["loc"][1:])), "message": each["msg"]} for each in error.errors()]
    return await _answer(
        request, Problem(422, "INVALID_REQUEST", "the request is not as the API describes it", {"problems": problems})
    )


async def _unexpected(request: Request, _: Any) -> Response:
    return await _answer(request, Problem(500, "INTERNAL_ERROR", "the server failed; its log says how"))
