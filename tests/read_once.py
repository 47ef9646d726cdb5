"""What each start of a node finds out anew though it is the same for all tests of a process, found out once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoints
from pathlib import Path
from typing import Any

import pytest

from framework import loader, revisions


def entry_points_once(patch: pytest.MonkeyPatch) -> None:
    """Look through what is installed once for each path of Python, which tests change to have other modules found."""
    look = loader.entry_points

    @cache
    def known(_path: tuple[str, ...], group: str) -> EntryPoints:
        return look(group=group)

    patch.setattr(loader, "entry_points", lambda group: known(tuple(sys.path), group))


def revisions_once(patch: pytest.MonkeyPatch) -> None:
    """Parse a file of a revision once for as long as it says the same."""
    parse = revisions._assigned
    known: dict[bytes, dict[str, Any]] = {}

    def assigned(path: Path) -> dict[str, Any]:
        text = path.read_bytes()
        if text not in known:
            known[text] = parse(path)
        return known[text]

    patch.setattr(revisions, "_assigned", assigned)


def own_arguments_once(patch: pytest.MonkeyPatch) -> None:
    """Read the parameters of the product's own methods once, which each scheduler registers; never those of a test."""
    from modules.core.scheduler import functions

    read = functions.arguments_of
    known: dict[Any, Any] = {}

    def arguments_of(function: Callable[..., Any], model: Any = None, secret: Iterable[str] = ()) -> Any:
        method = getattr(function, "__func__", None)
        if method is None or not (method.__module__ or "").startswith("modules."):
            return read(function, model, secret)
        key = (method, model, tuple(secret))
        if key not in known:
            known[key] = read(function, model, secret)
        return known[key]

    patch.setattr(functions, "arguments_of", arguments_of)


def kinds_of_routes_once(patch: pytest.MonkeyPatch) -> None:
    """Build what checks a parameter or an answer of a route once for each kind: half of a web application's start."""
    from fastapi._compat import v2

    build = v2.TypeAdapter
    known: dict[Any, Any] = {}

    def adapter(kind: Any, *, config: Any = None) -> Any:
        key = (kind.__origin__, repr(kind.__metadata__), repr(config))
        if key not in known:
            known[key] = build(kind, config=config)
        return known[key]

    patch.setattr(v2, "TypeAdapter", adapter)
