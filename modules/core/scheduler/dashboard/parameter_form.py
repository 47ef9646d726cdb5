"""The parameters of a function as fields of a form, made from their JSON schema, and the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modules.core.scheduler.functions import MASK

WHOLE = "p"  # the field of a function that takes any object
PREFIX = "p."
BOOLEANS = (("true", "yes"), ("false", "no"))

Problems = dict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `kind` is `text`, `secret`, `number`, `integer`, `choice` or `json`; `options` are value and label."""

    name: str
    label: str
    kind: str
    help: str = ""
    required: bool = False
    usual: str = ""
    options: tuple[tuple[str, str], ...] = ()
    bounds: Mapping[str, Any] | None = None


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Return the fields for a schema; one field for all where it names none, or where there are none to name."""
    named = schema.get("properties", {})
    if not named:
        is_closed = schema.get("additionalProperties") is False
        return [] if is_closed else [Field(WHOLE, "Parameters", "json", "A JSON object.")]
    required = schema.get("required", [])
    return [_field(name, given, schema, required=name in required) for name, given in named.items()]


def texts_of(fields: Sequence[Field], parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the fields for these parameters; nothing for secret ones."""
    if [each.name for each in fields] == [WHOLE]:
        return {WHOLE: json.dumps(parameters, indent=2, ensure_ascii=False) if parameters else ""}
    given = [(each, parameters.get(each.name.removeprefix(PREFIX))) for each in fields]
    return {each.name: "" if value is None or each.kind == "secret" else _text(value) for each, value in given}


def parameters_of(
    fields: Sequence[Field], form: Mapping[str, str], kept: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], Problems]:
    """Return the parameters that a form means, without what is left empty, and what is wrong with it, by field.

    A secret that is left empty stays as it is `kept`: masked, which the service refuses where it would be lost.
    """
    parameters: dict[str, Any] = {}
    problems: Problems = {}
    for field in fields:
        text, name = form.get(field.name, ""), field.name.removeprefix(PREFIX)
        if field.kind == "secret" and not text and (kept or {}).get(name) == MASK:
            parameters[name] = MASK
        if not text.strip():
            continue
        try:
            parameters[name] = _value(field, text)
        except ValueError as error:
            problems[field.name] = str(error)
    whole = parameters.pop(WHOLE, None)
    if whole is None:
        return parameters, problems
    return (whole, problems) if isinstance(whole, dict) else ({}, {WHOLE: "this is no JSON object"})


def parameter_called(path: str) -> str:
    """Return the field of the form for a dotted path within the parameters, empty for the whole of them."""
    return PREFIX + path.split(".", maxsplit=1)[0] if path else WHOLE


def _field(name: str, given: Mapping[str, Any], schema: Mapping[str, Any], *, required: bool) -> Field:
    plain = _resolved(given, schema)
    options: tuple[tuple[str, str], ...] = ()
    if plain.get("writeOnly") or given.get("writeOnly"):
        kind = "secret"
    elif "enum" in plain:
        kind, options = "choice", tuple((_text(value), _text(value)) for value in plain["enum"])
    elif plain.get("type") == "boolean":
        kind, options = "choice", BOOLEANS
    else:
        kinds = {"string": "text", "integer": "integer", "number": "number"}
        kind = kinds.get(str(plain.get("type")), "json")
    described = given.get("description") or plain.get("description") or ""
    usual = "" if given.get("default") is None else _text(given["default"])
    label = str(given.get("title") or name)
    names = {"minimum": "min", "maximum": "max"}
    bounds = {names[key]: value for key, value in plain.items() if key in names}
    return Field(PREFIX + name, label, kind, described, required, usual, options, bounds)


def _resolved(given: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the one type that a value has beside null; an empty schema where there are several."""
    for _ in range(5):
        if "$ref" in given:
            given = schema.get("$defs", {}).get(str(given["$ref"]).rpartition("/")[2], {})
        elif "anyOf" in given:
            several = [each for each in given["anyOf"] if each.get("type") != "null"]
            given = several[0] if len(several) == 1 else {}
        else:
            return given
    return {}


def _value(field: Field, text: str) -> Any:
    """Return what a text means in a field; raises `ValueError` with a sentence."""
    if field.kind in ("text", "secret"):
        return text
    if field.kind == "choice":
        known = {value: value for value, _ in field.options}
        return _read_or_text(known.get(text, text), field)
    try:
        if field.kind == "integer":
            return int(text)
        if field.kind == "number":
            return float(text) if not text.strip().lstrip("-").isdecimal() else int(text)
    except ValueError:
        raise ValueError("this is no whole number" if field.kind == "integer" else "this is no number") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"this is no JSON: {error}") from None


def _read_or_text(text: str, field: Field) -> Any:
    """Return a choice as it is in the schema: true, 3, or the text itself."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if field.options == BOOLEANS or not isinstance(value, bool) else text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
