"""The page of the API, made from its OpenAPI document: no script, and nothing from another server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from starlette.responses import Response

OPENAPI = "/api/openapi.json"
DOCS = "/api/docs"
STYLE = "/api/docs.css"
BEARER = "bearer"


class Field(NamedTuple):
    """A parameter, or a key of a body or an answer: where it stands, its name, what it may be, and what it means."""

    place: str
    name: str
    kind: str
    text: str


class Operation(NamedTuple):
    """One method of one path, as it is shown; `scope` is that of the token it needs, if any."""

    method: str
    path: str
    scope: str
    summary: str
    text: str
    fields: list[Field]
    answers: list[tuple[str, str]]


def add_documentation(app: FastAPI) -> None:
    """Add the page and its style sheet."""

    async def docs(_: Request) -> Response:
        return Response(_page(app.openapi()), media_type="text/html")

    async def style(_: Request) -> Response:
        return Response(_own("api.css"), media_type="text/css")

    app.add_route(DOCS, docs, include_in_schema=False)
    app.add_route(STYLE, style, include_in_schema=False)


def _page(document: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    shown = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return shown.from_string(_own("api.html")).render(info=document["info"], groups=_groups(document))


def _groups(document: dict[str, Any]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    schemas = document.get("components", {}).get("schemas", {})
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            answers = described.get("responses", {})
            scopes = [scope for needed in described.get("security", ()) for scope in needed.get(BEARER, ())]
            operation = Operation(
                method.upper(),
                path,
                " or ".join(scopes),
                described.get("summary", ""),
                described.get("description", ""),
                [*_parameters(described, schemas), *_all_keys(described, answers, schemas)],
                [(code, answer.get("description", "")) for code, answer in answers.items()],
            )
            groups.setdefault((described.get("tags") or ["other"])[0], []).append(operation)
    return groups


def _parameters(described: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Field]:
    for each in described.get("parameters", ()):
        schema = each.get("schema", {})
        yield _field(each["in"], each["name"], {**schema, **each}, schemas, is_needed=each.get("required", False))


def _all_keys(described: dict[str, Any], answers: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Field]:
    yield from _keys("body", described.get("requestBody", {}), schemas)
    for code, answer in answers.items():
        if code.startswith("2"):
            yield from _keys("answer", answer, schemas)


def _keys(place: str, described: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Field]:
    for media in described.get("content", {}).values():
        whole = _resolved(media.get("schema", {}), schemas)
        for key, value in whole.get("properties", {}).items():
            is_needed = place == "body" and key in whole.get("required", ())
            yield _field(place, key, value, schemas, is_needed=is_needed)


def _field(place: str, name: str, about: dict[str, Any], schemas: dict[str, Any], *, is_needed: bool) -> Field:
    kind = _kind(about.get("schema", about), schemas)
    default = about.get("default")
    told = kind if default in (None, "", [], {}) else f"{kind} = {json.dumps(default)}"
    return Field(place, f"{name} *" if is_needed else name, told, str(about.get("description", "")))


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
    return found


def _kind(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return a schema in a word or two: `text`, `list of integer`, `"skip" or "queue"`, the name of a model."""
    meant = _resolved(schema, schemas)
    if "enum" in meant or "const" in meant:
        return " or ".join(f'"{value}"' for value in meant.get("enum", [meant.get("const")]))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if several := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(_kind(each, schemas) for each in several))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), schemas)}"
    named = {"string": schema.get("format", "text"), None: "anything"}
    return str(named.get(schema.get("type"), schema.get("type")))


@cache
def _own(name: str) -> str:
    return files("framework.web").joinpath("pages", name).read_text(encoding="utf-8")
