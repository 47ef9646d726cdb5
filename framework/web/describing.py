"""The OpenAPI document of a web application, in which refusals are what they are: problem documents."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from framework.web.documentation import BEARER
from framework.web.paths import ProblemDocument
from framework.web.scopes import stated

ABOUT = """\
Refusals are problem documents of RFC 9457 with a stable `code`. Lists come in pages: give `next_cursor` back as
`cursor`. Moments are ISO 8601; durations are seconds, or words such as `5m`."""


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the document; the same one each time."""
    if app.openapi_schema is None:
        app.description = ABOUT
        document = FastAPI.openapi(app)
        components = document["components"]
        components.setdefault("securitySchemes", {})[BEARER] = {"type": "http", "scheme": "bearer"}
        schemas = {**components["schemas"], ProblemDocument.__name__: ProblemDocument.model_json_schema()}
        components["schemas"] = {name: schemas[name] for name in sorted(schemas)}
        scopes = {(route.path, method.lower()): route.scope for route in stated(app.routes) for method in route.methods}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                scope = scopes.get((path, method))
                operation["security"] = [] if scope is None else [{BEARER: [scope.value]}]
    return app.openapi_schema or {}
