"""Requests made up from the OpenAPI document: mostly as it allows, some as nobody should send them."""

from __future__ import annotations

import json
from random import Random
from typing import Any, NamedTuple

TEXTS = (
    *(
        "",
        " ",
        "0",
        "null",
        "\x00",
        "\ud800",
        "\u202e",
        "ä" * 300,
        "x" * 5_000,
        "%00",
        "'",
        "-1 day",
        "P1Y",
        "2026-02-30",
    ),
    *('";drop table scheduler_events;--', "../../etc/passwd", "9999-12-31T23:59:59Z", "0001-01-01"),
)
THINGS: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 1e308, [], {}, [[[[]]]], {"": {"": ""}}, [None]),
    *({"type": "cron"}, {"type": "interval", "seconds": 1e-9}, {"v": 1}),
)
HOSTILE = TEXTS + THINGS
WORDS = (
    "note",
    "acme.test",
    "default",
    "hourly",
    "skip",
    "UTC",
    "Europe/Berlin",
    "0 * * * *",
    "2026-01-05T13:00",
    "1h",
)
ODDS = 0.15  # that something is hostile


class Made(NamedTuple):
    """A request."""

    method: str
    path: str
    given: dict[str, Any]


class Requests:
    """Makes requests up; `ids` are names of things that are there, by the parameter of a path that takes them."""

    def __init__(self, document: dict[str, Any], prefix: str, seed: int) -> None:
        self._chance = Random(seed)
        self._schemas = document["components"]["schemas"]
        self._operations = [
            (method.upper(), path.removeprefix(prefix), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if path.startswith(prefix) and "stream" not in path
        ]
        self.ids: dict[str, list[str]] = {}

    def make(self) -> Made:
        """Return the next request."""
        method, path, operation = self._chance.choice(self._operations)
        query, headers = {}, {}
        for parameter in operation.get("parameters", ()):
            name, value = parameter["name"], self._value(parameter["schema"])
            if parameter["in"] == "path":
                known = self.ids.get(name, [])
                chosen = self._chance.choice(known) if known and self._chance.random() < 0.8 else value
                path = path.replace(f"{{{name}}}", _in_path(chosen))
            elif self._chance.random() < 0.4 and name != "follow" and parameter["in"] == "query":
                query[name] = _as_text(value)
            elif self._chance.random() < 0.1 and parameter["in"] == "header":
                headers[name] = _as_text(value).encode("ascii", "replace").decode().translate(dict.fromkeys(range(32)))
        given: dict[str, Any] = {"headers": headers}
        if query:
            given["params"] = query
        return Made(method, path, given | self._body(operation))

    def _body(self, operation: dict[str, Any]) -> dict[str, Any]:
        body = operation.get("requestBody")
        if body is None or (not body.get("required") and self._chance.random() < 0.3):
            return {}
        schema = body["content"]["application/json"]["schema"]
        text = json.dumps(self._value(schema))
        return {"content": text.encode(), "headers": {"Content-Type": "application/json"}}

    def _value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        chance = self._chance
        if chance.random() < ODDS or depth > 6:
            return chance.choice(HOSTILE)
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rsplit("/", 1)[1]], depth)
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self._value(chance.choice(schema[choice]), depth)
        if "enum" in schema:
            return chance.choice(schema["enum"])
        return self._of_type(schema, depth)

    def _of_type(self, schema: dict[str, Any], depth: int) -> Any:
        chance = self._chance
        match schema.get("type"):
            case "object":
                properties, needed = schema.get("properties", {}), schema.get("required", ())
                chosen = [name for name in properties if name in needed or chance.random() < 0.15]
                return {name: self._value(properties[name], depth + 1) for name in chosen}
            case "array":
                return [self._value(schema.get("items", {}), depth + 1) for _ in range(chance.randrange(3))]
            case "integer":
                return chance.randint(int(schema.get("minimum", 0)), int(min(schema.get("maximum", 100), 10_000)))
            case "number":
                return round(chance.uniform(0, 100), 2)
            case "boolean":
                return chance.random() < 0.5
            case "null":
                return None
            case _:
                return chance.choice(WORDS)


def _as_text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()


def _in_path(value: Any) -> str:
    from urllib.parse import quote

    return quote(_as_text(value)[:200], safe="") or "-"
