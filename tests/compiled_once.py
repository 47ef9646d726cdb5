"""Statements that each engine of a test would compile anew: compiled once for all engines of a kind."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from sqlalchemy import TextClause
from sqlalchemy.engine import Compiled
from sqlalchemy.util import LRUCache

from framework.database import engines

Key = tuple[Any, ...]
KEPT = 3_000  # compiled statements of a kind


def statements_once(patch: pytest.MonkeyPatch) -> None:
    """Have all engines of the product share what was compiled, where a dialect of the same class compiled it."""
    known: dict[type, LRUCache[Key, Compiled]] = {}

    def sharing(create: Callable[..., Any]) -> Callable[..., Any]:
        def engine(*given: Any, **options: Any) -> Any:
            made = create(*given, **options)
            engine = getattr(made, "sync_engine", made)
            shared = known.setdefault(type(engine.dialect), LRUCache(KEPT))
            engine.update_execution_options(compiled_cache=_Shared(shared))
            return made

        return engine

    patch.setattr(engines, "create_engine", sharing(engines.create_engine))
    patch.setattr(engines, "create_async_engine", sharing(engines.create_async_engine))


class _Shared(MutableMapping[Key, Compiled]):
    """What one engine has as its cache: SQLAlchemy's keys begin with the dialect, of which each engine has its own.

    Text stays with its engine: which columns it has depends on the tables that it meets.
    """

    def __init__(self, shared: LRUCache[Key, Compiled]) -> None:
        self._shared = shared
        self._own: dict[Key, Compiled] = {}

    def __getitem__(self, key: Key) -> Compiled:
        own = self._own.get(key)
        return self._shared[key[1:]] if own is None else own

    def __setitem__(self, key: Key, compiled: Compiled) -> None:
        if isinstance(compiled.statement, TextClause):
            self._own[key] = compiled
        else:
            self._shared[key[1:]] = compiled

    def __delitem__(self, key: Key) -> None:
        self._own.pop(key, None)

    def __iter__(self) -> Any:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)
