"""Settings as people see them: each with its value, where it comes from, what it means; secrets are `***`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from framework.duration import in_words
from framework.settings import ModuleSettings, without_password

MASK = "***"


def settings_shown(
    settings: Mapping[str, ModuleSettings], origins: Mapping[str, Mapping[str, str]]
) -> Iterator[dict[str, Any]]:
    """Yield `{"module", "name", "value", "source", "meaning"}` for each setting; durations in words."""
    for module_id, values in settings.items():
        for name, field in type(values).model_fields.items():
            yield {
                "module": module_id,
                "name": name,
                "value": value_shown(values, name),
                "source": origins.get(module_id, {}).get(name, "default"),
                "meaning": field.description or "",
            }


def value_shown(values: ModuleSettings, name: str) -> Any:
    """Return a value as JSON; durations in words, and what is or may hold a secret masked."""
    value = getattr(values, name)
    if isinstance(value, SecretStr):
        return MASK
    plain = values.model_dump(mode="json", include={name})[name]
    if isinstance(value, timedelta):
        return in_words(value)
    if isinstance(plain, list) and plain and not type(values).model_fields[name].repr:
        return f"{len(plain)} given"  # parameters of tasks, where secrets may be
    if isinstance(plain, dict):
        return {key: without_password(each) if isinstance(each, str) else each for key, each in plain.items()}
    return without_password(plain) if isinstance(plain, str) else plain
