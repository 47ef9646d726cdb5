"""The reference of all settings as it must stand in docs/settings.md; run it to print the tables."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from framework.duration import in_words
from framework.loader import discover, import_found
from framework.settings import FrameworkSettings, ModuleSettings


def tables() -> dict[str, list[str]]:
    """Return the rows `| variable | default | meaning |` of every module that has settings, by its id."""
    models: dict[str, type[ModuleSettings] | None] = {"framework": FrameworkSettings}
    models |= {module_id: import_found(found).settings_model for module_id, found in discover().items()}
    return {module_id: _rows(module_id, model) for module_id, model in models.items() if model is not None}


def _rows(module_id: str, model: type[ModuleSettings]) -> list[str]:
    prefix = re.sub(r"\W", "_", module_id).upper()
    return [
        f"| `{prefix}_{name.upper()}` | {'none' if field.default_factory is dict else _shown(field.default)} "
        f"| {field.description} |"
        for name, field in model.model_fields.items()
    ]


def _shown(default: Any) -> str:
    match default:
        case None | () | "":
            return "none"
        case _ if default is PydanticUndefined:
            return "derived"
        case timedelta():
            return f"`{in_words(default)}`"
        case bool():
            return f"`{str(default).lower()}`"
        case tuple():
            return f"`{', '.join(str(item) for item in default)}`"
        case str() | int() | float() | Path():
            return f"`{default}`"
        case _:
            raise TypeError(f"no way to show {default!r}")


if __name__ == "__main__":
    for module_id, rows in tables().items():
        print(f"\n## {module_id}\n\n| variable | default | meaning |\n| --- | --- | --- |")
        print("\n".join(rows))
