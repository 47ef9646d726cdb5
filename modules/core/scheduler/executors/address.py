"""Where another process finds a registered function: in a module, under a name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import Any

from modules.core.scheduler.signature import named


class NotFoundElsewhere(ValueError):  # noqa: N818  # says what is wrong, not that it is an error
    """No other process would find this callable; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """A module and a dotted name in it. Made only from a callable that a registry holds, never from stored text."""

    module: str
    qualified_name: str


def address_of(function: Callable[..., Any]) -> Address:
    """Return where a fresh process imports exactly this callable from, or raise `NotFoundElsewhere`."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)):
        raise NotFoundElsewhere(_sentence(function, "it has no name in a module"))
    if module == "__main__":
        raise NotFoundElsewhere(_sentence(function, "it is defined in the script that was started"))
    found = _found(module, name)
    if found is not function and not (isinstance(function, MethodType) and found == function):
        raise NotFoundElsewhere(_sentence(function, f"it is not what {module}.{name} is there"))
    return Address(module, name)


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _sentence(function: Callable[..., Any], why: str) -> str:
    return f"{named(function)} cannot be found by another process: {why}; define it at the top level of a module"
