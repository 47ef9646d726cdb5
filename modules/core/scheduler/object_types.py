"""JSON objects as parameters: which annotations stand for one, which names it may hold, how it is described."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from modules.core.scheduler.signature import is_union, without_annotated

_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def without_none(annotation: Any) -> Any:
    """Return `A` for `A | None`, any other annotation as it is."""
    if not is_union(annotation):
        return annotation
    members = [each for each in typing.get_args(annotation) if each is not types.NoneType]
    return members[0] if len(members) == 1 else annotation


def is_any_object(annotation: Any) -> bool:
    """True for a mapping that takes every JSON object: `dict`, `Mapping[str, Any]` and the like."""
    origin = typing.get_origin(annotation) or annotation
    return origin in _MAPPINGS and typing.get_args(annotation) in ((), (str, Any), (str, object))


def is_object(annotation: Any) -> bool:
    """True for a pydantic model, a dataclass, a TypedDict, and a mapping of a narrower type."""
    kind = without_annotated(annotation)
    if typing.get_origin(kind) in _MAPPINGS:
        return True
    if not isinstance(kind, type) or typing.get_origin(kind) is not None:
        return False
    return issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind) or _is_typed_dict(kind)


def accepted_names(annotation: Any) -> frozenset[str] | None:
    """Return the names that an object of this type may hold; None when any, because its author said so."""
    kind = without_annotated(annotation)
    if not is_object(kind) or typing.get_origin(kind) is not None or issubclass(kind, RootModel):
        return None
    config = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    if config.get("extra", "forbid") != "forbid":
        return None
    if _is_typed_dict(kind):
        return frozenset(kind.__required_keys__ | kind.__optional_keys__)
    fields: dict[str, FieldInfo] | None = getattr(kind, "__pydantic_fields__", None)
    if fields is None:
        return frozenset(each.name for each in dataclasses.fields(kind) if each.init)
    by_name = bool(config.get("populate_by_name") or config.get("validate_by_name"))
    return frozenset().union(*(_names_of(name, field, by_name) for name, field in fields.items()))


def _is_typed_dict(kind: type) -> bool:
    return issubclass(kind, dict) and hasattr(kind, "__required_keys__")


def _names_of(name: str, field: FieldInfo, by_name: bool) -> set[str]:
    alias = field.validation_alias
    if alias is None:
        return {name}
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    names = {str(each.path[0]) if isinstance(each, AliasPath) else each for each in choices}
    return names | {name} if by_name else names


class Stored(dict[str, Any]):
    """Parameters with the strict JSON `text` that they were read from, or made into."""

    __slots__ = ("text",)

    def __init__(self, parameters: Mapping[str, Any], text: str) -> None:
        super().__init__(parameters)
        self.text = text


class _QuietSchema(GenerateJsonSchema):
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012  # typed so by pydantic


def json_schema(adapter: TypeAdapter[Any] | None) -> dict[str, Any]:
    """Return the JSON schema of what an adapter accepts; of any object where there is none."""
    if adapter is None:
        return {"type": "object"}
    try:
        schema = adapter.json_schema(schema_generator=_QuietSchema)
    except PydanticUserError:  # a type that has no JSON schema can still be validated
        return {"type": "object"}
    root: str = schema.get("$ref", "").rpartition("/")[2]  # a model that contains itself
    return {**schema["$defs"][root], "$defs": schema["$defs"]} if root else schema
