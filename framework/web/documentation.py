"""The page of the API, made from its OpenAPI document: no script, and nothing from another server."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

START = "/"
OPENAPI = "/api/openapi.json"
DOCS = "/api/docs"
STYLE = "/api/docs.css"


class Field(NamedTuple):
    """A parameter, or a key of a body: where it stands, its name, what it may be, and what it means."""

    place: str
    name: str
    kind: str
    text: str


class Operation(NamedTuple):
    """One method of one path, as it is shown."""

    method: str
    path: str
    summary: str
    text: str
    fields: list[Field]
    answers: list[tuple[str, str]]


def add_documentation(app: FastAPI) -> None:
    """Add the page and its style sheet, and a way there from the start."""

    async def docs(_: Request) -> Response:
        return Response(_page(app.openapi()), media_type="text/html")

    async def style(_: Request) -> Response:
        return Response(_own("api.css"), media_type="text/css")

    async def start(_: Request) -> Response:
        return RedirectResponse(DOCS.removeprefix("/"), 303)  # relative: there may be a path before ours

    app.add_route(START, start, include_in_schema=False)
    app.add_route(DOCS, docs, include_in_schema=False)
    app.add_route(STYLE, style, include_in_schema=False)


def _page(document: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    shown = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return shown.from_string(_own("api.html")).render(info=document["info"], groups=_groups(document))


def _groups(document: dict[str, Any]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            operation = Operation(
                method.upper(),
                path,
                described.get("summary", ""),
                described.get("description", ""),
                [*_parameters(described), *_body(document, described)],
                [(code, answer.get("description", "")) for code, answer in described.get("responses", {}).items()],
            )
            groups.setdefault((described.get("tags") or ["other"])[0], []).append(operation)
    return groups


def _parameters(described: dict[str, Any]) -> Iterator[Field]:
    for each in described.get("parameters", ()):
        needed = " *" if each.get("required") else ""
        yield Field(each["in"], each["name"] + needed, _kind(each.get("schema", {})), _text(each))


def _body(document: dict[str, Any], described: dict[str, Any]) -> Iterator[Field]:
    content = described.get("requestBody", {}).get("content", {})
    for media in content.values():
        schema = media.get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        whole = document.get("components", {}).get("schemas", {}).get(name, schema)
        for key, value in whole.get("properties", {}).items():
            needed = " *" if key in whole.get("required", ()) else ""
            yield Field("body", key + needed, _kind(value), _text(value))


def _text(described: dict[str, Any]) -> str:
    return str(described.get("description") or described.get("schema", {}).get("description", ""))


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema in a word or two: `text`, `list of integer`, `"skip" or "queue"`."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " or ".join(f'"{value}"' for value in schema.get("enum", [schema.get("const")]))
    if several := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(_kind(each) for each in several))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    named = {"string": schema.get("format", "text"), None: "anything"}
    return str(named.get(schema.get("type"), schema.get("type")))


@cache
def _own(name: str) -> str:
    return files("framework.web").joinpath("pages", name).read_text(encoding="utf-8")
