"""Where settings come from: values given in code, variables, and TOML files, each able to name what it holds."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from framework.errors import SettingsError
from framework.settings import ModuleSettings


class Source(Protocol):
    """One place that settings come from."""

    def values(self, module_id: str, model: type[ModuleSettings], known: Collection[str]) -> dict[str, Any]:
        """Return what the place says of a module, nested like its model; `known` are the ids of all modules."""

    def name_of(self, module_id: str, path: Sequence[str]) -> str:
        """Return how people call the place of one value, such as its variable, or its key and file."""


class Given:
    """Settings given in code, by module id."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self.tables = tables

    def values(self, module_id: str, model: type[ModuleSettings], known: Collection[str]) -> dict[str, Any]:  # noqa: ARG002  # Source
        return dict(self.tables.get(module_id, {}))

    def name_of(self, module_id: str, path: Sequence[str]) -> str:
        return f"the setting {'.'.join(path)} of {module_id} given in code"


class TomlFile:
    """One TOML file with a table per module, such as `["core.scheduler"]`."""

    def __init__(self, path: Path) -> None:
        self.shown = _shown(path)
        self.tables = _read_toml(path, self.shown)

    def values(self, module_id: str, model: type[ModuleSettings], known: Collection[str]) -> dict[str, Any]:  # noqa: ARG002  # Source
        self._refuse_unquoted(module_id)
        return dict(self.tables.get(module_id, {}))

    def name_of(self, module_id: str, path: Sequence[str]) -> str:
        return f"{'.'.join(path)} in {_header(module_id)} of {self.shown}"

    def _refuse_unquoted(self, module_id: str) -> None:
        table: Any = self.tables
        *_, last = words = module_id.split(".")
        for word in words:
            if not isinstance(table, dict) or word not in table:
                return
            table = table[word]
        if last != module_id and isinstance(table, dict):
            raise SettingsError(f"{self.shown} has a table [{module_id}]; write it with quotes: {_header(module_id)}")


class Variables:
    """Environment variables, from the process or from a `.env` file; an empty one counts as not set."""

    def __init__(self, variables: Mapping[str, str | None], place: str = "") -> None:
        self.variables = {name: value for name, value in variables.items() if value}
        self.place = place

    def values(self, module_id: str, model: type[ModuleSettings], known: Collection[str]) -> dict[str, Any]:
        names = self.names_of(module_id, known)
        if not names:  # as nearly always; to walk through all fields takes a quarter of a start
            return {}
        source = _Environment(model, env_prefix=prefix_of(module_id), env_nested_delimiter="__")
        source.env_vars = {name.lower(): self.variables[name] for name in names}
        return source()

    def name_of(self, module_id: str, path: Sequence[str]) -> str:
        names = ["__".join(path[:end]).upper() for end in range(len(path), 0, -1)]
        found = next((name for name in names if prefix_of(module_id) + name in self.variables), names[-1])
        return f"{prefix_of(module_id)}{found}{self.place}"

    def names_of(self, module_id: str, known: Collection[str]) -> list[str]:
        """Return the variables that belong to a module: the longest prefix of a known module wins."""
        prefix = prefix_of(module_id)
        own = sorted(name for name in self.variables if name.startswith(prefix))
        return [name for name in own if owner_of(name, known) == module_id]


def prefix_of(module_id: str) -> str:
    """Return the prefix of a module's variables: `core.scheduler` -> `CORE_SCHEDULER_`."""
    return module_id.upper().replace(".", "_") + "_"


def owner_of(variable: str, known: Iterable[str]) -> str | None:
    """Return the id of the module whose prefix is the longest that fits; None when there is none."""
    fitting = [module_id for module_id in known if variable.startswith(prefix_of(module_id))]
    return max(fitting, key=len, default=None)


class _Environment(EnvSettingsSource):
    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ARG002  # their method
        """Read JSON, or a list written with commas; what is neither is left for the model to refuse."""
        text = str(value).strip()
        if not text.startswith(("[", "{")) and _holds_many(field.annotation):
            return [word.strip() for word in text.split(",") if word.strip()]
        try:
            return json.loads(text)
        except ValueError:
            return value


def _holds_many(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    if origin in (Union, UnionType, Annotated):
        return any(_holds_many(argument) for argument in get_args(annotation))
    return isinstance(origin, type) and issubclass(origin, (Sequence, Set)) and not issubclass(origin, (str, bytes))


def _read_toml(path: Path, shown: str) -> dict[str, dict[str, Any]]:
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{shown} is not readable as TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{shown} cannot be read: {error.strerror}") from None
    for key, table in tables.items():
        if not isinstance(table, dict):
            raise SettingsError(f'{key} in {shown} stands in no table; put it under [framework] or ["area.module"]')
    return tables


def _header(module_id: str) -> str:
    return f'["{module_id}"]' if "." in module_id else f"[{module_id}]"


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
