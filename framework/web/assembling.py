"""One web application out of the routes that modules have added."""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from framework.context import AppContext, acting
from framework.web.problems import MEDIA_TYPE, Problem

log = logging.getLogger(__name__)

OPENAPI = "/api/openapi.json"


def web_application(app_context: AppContext) -> FastAPI:
    """Return the web application of all modules; what a request may do is the business of what stands before it."""
    app = FastAPI(
        title="Chamberlain", version=version("chamberlain"), openapi_url=OPENAPI, docs_url=None, redoc_url=None
    )
    app.state.app_context = app_context
    for module_id, routes in app_context.routes():
        with acting(module_id):
            app.include_router(routes(app_context))
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _answer(_: Request, problem: Any) -> Response:
    return JSONResponse(problem.document(), problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


async def _of_http(request: Request, error: Any) -> Response:
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
    return await _answer(request, Problem(error.status_code, code, str(error.detail), headers=error.headers))


async def _of_validation(request: Request, error: Any) -> Response:
    problems = [{"field": ".".join(map(str, each["loc"][1:])), "message": each["msg"]} for each in error.errors()]
    return await _answer(
        request, Problem(422, "INVALID_REQUEST", "the request is not as the API describes it", {"problems": problems})
    )


async def _unexpected(request: Request, error: Any) -> Response:
    log.error("a request failed: %s %s", request.method, request.url.path, exc_info=error)
    return await _answer(request, Problem(500, "INTERNAL_ERROR", "the server failed; its log says how"))
