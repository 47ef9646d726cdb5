"""The parameters of a function described as a JSON schema."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from modules.core.scheduler.arguments import arguments_of


class Tree(BaseModel):
    children: list[Tree] = []


async def takes_all(parameters): ...  # type: ignore[no-untyped-def]  # the shape under test


async def takes_keywords(*, format: str, include_deleted: bool = False) -> None: ...  # noqa: A002  # a name people use


async def takes_nothing() -> None: ...


async def takes_secret(*, user: str, token: int = 12345) -> None: ...


def test_a_secret_value_is_in_no_schema() -> None:
    schema = arguments_of(takes_secret, secret=["token"]).schema()

    assert schema["properties"]["token"]["writeOnly"] is True
    assert "12345" not in str(schema)


def test_the_schema_tells_names_types_defaults_and_that_nothing_else_is_taken() -> None:
    schema = arguments_of(takes_keywords).schema()

    assert schema["required"] == ["format"]
    assert schema["properties"]["include_deleted"] == {"default": False, "title": "Include Deleted", "type": "boolean"}
    assert schema["additionalProperties"] is False


def test_every_shape_has_a_schema() -> None:
    def takes_tree(parameters: Tree) -> None: ...
    def takes_call(*, call: Callable[[], None] = print) -> None: ...

    assert arguments_of(takes_all).schema() == {"type": "object"}
    assert arguments_of(takes_tree).schema()["additionalProperties"] is False
    assert "children" in arguments_of(takes_tree).schema()["properties"]
    assert arguments_of(takes_nothing).schema()["properties"] == {}
    assert arguments_of(takes_call).schema()["type"] == "object"
