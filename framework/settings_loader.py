"""Reads settings: values given in code over variables over `.env` over TOML files over the models' defaults."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from framework.errors import SettingsError, did_you_mean
from framework.settings import FRAMEWORK_ID, ModuleSettings, without_password
from framework.settings_sources import Given, Source, TomlFile, Variables, owner_of, prefix_of

log = logging.getLogger(__name__)

S = TypeVar("S", bound=ModuleSettings)

_ENVIRONMENT = "FRAMEWORK_ENV"
_AFTERMATH = "default_factory_not_called"  # a default that could not be computed because another value is wrong


class SettingsLoader:
    """Everything that was set anywhere, read once; `load` turns a module's share into its typed settings.

    `given` are tables by module id. `folders` stand for `./settings`, the later ones winning; each may hold
    `default.toml`, `$FRAMEWORK_ENV.toml` and `local.toml`. The shipped defaults stand below them all.
    """

    def __init__(
        self, given: Mapping[str, Mapping[str, Any]] | None = None, folders: Sequence[Path | str] | None = None
    ) -> None:
        self._given = Given(given or {})
        self._variables = (Variables(os.environ), Variables(dotenv_values(".env"), " in .env"))
        files = _files([Path(folder) for folder in folders or ("settings",)], self._environment())
        self._files = [TomlFile(path) for path in reversed(files)]
        self._sources: tuple[Source, ...] = (self._given, *self._variables, *self._files)

    def load(self, module_id: str, model: type[S], known: Collection[str] = ()) -> S:
        """Return the settings of a module; `known` are the ids of all modules, so that the longest prefix wins.

        Raises `SettingsError` with one sentence for each wrong value.
        """
        found = self._found(module_id, model, known)
        values: dict[str, Any] = {}
        for _, layer in reversed(found):
            values = _merged(values, layer)
        try:
            return model(**values)
        except ValidationError as error:
            sentences = [
                _sentence(module_id, model, detail, found) for detail in error.errors() if detail["type"] != _AFTERMATH
            ]
        raise SettingsError("\n".join(sentences))

    def origins(self, module_id: str, model: type[ModuleSettings], known: Collection[str] = ()) -> dict[str, str]:
        """Return for every setting of a module where its value comes from, such as a variable; `default` for none."""
        found = [(source, values) for source, values in self._found(module_id, model, known) if values]
        return {name: _origin(module_id, [name], found) or "default" for name in model.model_fields}

    def check_names(self, models: Mapping[str, type[ModuleSettings] | None], known: Collection[str]) -> None:
        """Warn of variables and tables that look like a slip of the pen; raise `SettingsError` for one in code."""
        for module_id in self._given.tables:
            if module_id not in known:
                raise SettingsError(
                    f"settings were given for {module_id!r}, which is no module{did_you_mean(module_id, known)}"
                )
        for file in self._files:
            for table in file.tables:
                if table not in known and (hint := did_you_mean(table, known)):
                    log.warning("the table %r of %s belongs to no module%s", table, file.shown, hint)
        for variables in self._variables:
            _warn_of_unknown(variables, models, known)

    def _found(self, module_id: str, model: type[ModuleSettings], known: Collection[str]) -> list[_Layer]:
        ids = {*known, module_id, FRAMEWORK_ID}
        return [(source, source.values(module_id, model, ids)) for source in self._sources]

    def _environment(self) -> str | None:
        name = next((v.variables[_ENVIRONMENT] for v in self._variables if _ENVIRONMENT in v.variables), None)
        if name is not None and not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise SettingsError(f"{_ENVIRONMENT} is {name!r}, and must be a word, such as production")
        return name


_Layer = tuple[Source, dict[str, Any]]


def _files(folders: Sequence[Path], environment: str | None) -> list[Path]:
    """Return the TOML files that exist, lowest first."""
    own = [folder / f"{name}.toml" for name in ("default", environment, "local") if name for folder in folders]
    candidates = [_shipped_folder() / "default.toml", *own]
    if environment and not any((folder / f"{environment}.toml").is_file() for folder in folders):
        log.warning("%s is %r, but there is no %s.toml in %s", _ENVIRONMENT, environment, environment, folders[-1])
    return list({path.resolve(): path.absolute() for path in candidates if path.is_file()}.values())


def _shipped_folder() -> Path:
    inside = Path(__file__).with_name("_settings")
    return inside if inside.is_dir() else Path(__file__).parent.parent / "settings"


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _origin(module_id: str, path: Sequence[str], found: Iterable[_Layer]) -> str | None:
    for source, values in found:
        here: Any = values
        for key in path:
            here = _within(here, key)
        if here is not _ABSENT:
            return source.name_of(module_id, path)
    return None


_ABSENT = object()


def _within(value: Any, key: str) -> Any:
    """Return what a table has under a key, or a list at an index."""
    if isinstance(value, (list, tuple)) and key.isdigit():
        return value[int(key)] if int(key) < len(value) else _ABSENT
    return value.get(key, _ABSENT) if isinstance(value, Mapping) else _ABSENT


def _sentence(module_id: str, model: type[ModuleSettings], detail: ErrorDetails, found: Iterable[_Layer]) -> str:
    path = [str(part) for part in detail["loc"]]
    places = (_origin(module_id, path[:end], found) for end in range(len(path), 0, -1))
    place = next((place for place in places if place), ".".join([module_id, *path]))
    if detail["type"] == "extra_forbidden":
        return f"{place} is not a setting{did_you_mean(path[-1], model.model_fields)}"
    if detail["type"] == "missing":
        return f"{prefix_of(module_id)}{'__'.join(path).upper()} is not set, and has no default"
    shown = without_password(repr(detail["input"]))
    message = without_password(detail["msg"])
    if isinstance(detail["input"], Mapping):  # long, and there may be secrets in it
        return f"{place}: {message.removeprefix('Value error, ').replace('Input should', 'it must', 1)}"
    if detail["type"] == "value_error":
        return f"{place} is {shown}: {message.removeprefix('Value error, ')}"
    return f"{place} is {shown}, and {message.replace('Input should', 'must', 1)}"


def _warn_of_unknown(
    variables: Variables, models: Mapping[str, type[ModuleSettings] | None], known: Collection[str]
) -> None:
    for name in sorted(variables.variables):
        module_id = owner_of(name, known)
        model = models.get(module_id) if module_id else None
        if module_id is None or model is None or name == _ENVIRONMENT:
            continue
        names = {(prefix_of(module_id) + field).upper() for field in model.model_fields}
        if name.split("__")[0] not in names:
            log.warning("%s%s is not a setting and is ignored%s", name, variables.place, did_you_mean(name, names))
