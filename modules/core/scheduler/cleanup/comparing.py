"""Which values of JSON may be compared with a column, or put into it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy.types import TypeEngine

_ALLOWED: dict[type[Any], tuple[type[Any], ...]] = {
    str: (str,),
    bool: (bool,),
    int: (int,),
    float: (int, float),
    Decimal: (int, float),
}


def comparable(kind: TypeEngine[Any], value: object) -> bool:
    """Return whether a column of this reflected type takes the value, or each of a list; null fits every one."""
    try:
        allowed = _ALLOWED.get(kind.python_type, ())
    except NotImplementedError:
        allowed = ()
    return all(item is None or isinstance(item, allowed) for item in (value if isinstance(value, list) else [value]))
