"""How functions, given as the plain dicts of the service, read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from framework.terminal import PROGRAM

Shown = Mapping[str, Any]

FUNCTION_COLUMNS = ("FUNCTION", "PARAMETERS", "DOES")
FUNCTION_FIT = {"spare": ("DOES",), "elastic": ("PARAMETERS", "DOES")}


def name_of(function: Shown) -> str:
    """Return a function's name: `module:function`."""
    return f"{function['module_id']}:{function['function_name']}"


def function_rows(functions: Iterable[Shown]) -> list[tuple[str, ...]]:
    """Return one row of `FUNCTION_COLUMNS` for each function."""
    return [(name_of(each), _parameters(each["parameters"]), each["description"] or "-") for each in functions]


def function_facts(function: Shown) -> list[tuple[str, str]]:
    """Return what there is to know of a function, as `(label, text)`, a line for each parameter."""
    schema = function["parameters"]
    told = [
        ("function", name_of(function)),
        ("does", function["description"]),
        ("API", "may be scheduled from outside" if function["api"] else "cannot be scheduled from outside"),
    ]
    told += [("parameter", _parameter(name, each, schema)) for name, each in schema.get("properties", {}).items()]
    given = " ".join(f"-p {name}=…" for name in schema.get("required", ()))
    order = f"{PROGRAM} tasks add NAME --function {name_of(function)} --at now {given}".rstrip()
    return [(label, text) for label, text in [*told, ("run it", order)] if text]


def _parameters(schema: Shown) -> str:
    required = schema.get("required", ())
    return ", ".join(name + ("*" if name in required else "") for name in schema.get("properties", {})) or "-"


def _parameter(name: str, each: Shown, schema: Shown) -> str:
    told = [name, _type(each)]
    if name in schema.get("required", ()):
        told.append("must be given")
    elif "default" in each:
        told.append(f"by default {json.dumps(each['default'], ensure_ascii=False)}")
    told += ["secret"] if each.get("writeOnly") else []
    return ", ".join(filter(None, [*told, each.get("description")]))


def _type(each: Shown) -> str:
    if "enum" in each:
        return "one of " + " ".join(map(str, each["enum"]))
    if "anyOf" in each:
        return " or ".join(filter(None, map(_type, each["anyOf"])))
    return str(each.get("type") or each.get("$ref", "").rpartition("/")[2])
