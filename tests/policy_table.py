"""The fields of every kind of cleanup as they must stand in docs/cleanups.md; run it to print the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from framework.duration import in_words
from modules.core.scheduler.cleanup import FilesPolicy, FunctionPolicy, RowsPolicy
from modules.core.scheduler.cleanup.guards import Guarded
from modules.core.scheduler.cleanup.policy import Policy
from modules.core.scheduler.cleanup.rows_action import RowsAction

KINDS: dict[str, type[Policy]] = {
    "Every cleanup": Policy,
    "Rails": Guarded,
    "Rows": RowsPolicy,
    "What is done with rows": RowsAction,
    "Files": FilesPolicy,
    "A function": FunctionPolicy,
}


def tables() -> dict[str, list[str]]:
    """Return the rows `| key | default | meaning |` of every kind, by the heading of its table."""
    return {heading: _rows(model) for heading, model in KINDS.items()}


def _rows(model: type[Policy]) -> list[str]:
    shared: dict[str, FieldInfo] = {} if model is Policy else dict(Policy.model_fields)
    if model is not Guarded and issubclass(model, Guarded):
        shared |= Guarded.model_fields
    if model is RowsPolicy:
        shared |= RowsAction.model_fields
    own = {name: field for name, field in model.model_fields.items() if name not in shared}
    return [f"| `{name}` | {_shown(field)} | {field.description} |" for name, field in own.items()]


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = (
        field.default if field.default is not PydanticUndefined else field.get_default(call_default_factory=True)
    )
    match value:
        case None | () | "" | {}:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{in_words(value)}`"
        case _:
            return f"`{value}`"


if __name__ == "__main__":
    for heading, rows in tables().items():
        print(f"\n## {heading}\n\n| key | default | meaning |\n| --- | --- | --- |")
        print("\n".join(rows))
