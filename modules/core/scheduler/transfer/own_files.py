"""Files of tasks and cleanups, JSON or TOML: what an export writes and an import reads."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from framework import strict_json
from modules.core.scheduler.transfer.toml_text import to_toml

VERSION = 1
MAX_BYTES = 50_000_000
KEYS = ("version", "exported_at", "tasks", "cleanups")
SETTINGS_TABLE = "core.scheduler"
NONE = "none"  # in TOML: the names of what is null in a stored trigger


class FileError(ValueError):
    """The text is no file of tasks; the message says why."""


def as_text(document: Mapping[str, Any], form: str) -> str:
    """Return a document `{"version", "exported_at", "tasks", "cleanups"}` as text, `json` or `toml`.

    Raises `FileError` for TOML where a parameter is null.
    """
    if form == "json":
        return json.dumps(document, indent=2) + "\n"
    try:
        tasks = [{**task, "trigger": _without_null(task["trigger"])} for task in document["tasks"]]
        return to_toml({**document, "tasks": tasks})
    except ValueError as error:
        raise FileError(str(error)) from None


def from_text(text: str, form: str) -> dict[str, list[dict[str, Any]]]:
    """Return `{"tasks", "cleanups"}`, lists of configs, from JSON or TOML; raises `FileError`.

    TOML may be that of the settings, with the table `["core.scheduler"]`.
    """
    try:
        document = strict_json.loads(text, max_bytes=MAX_BYTES) if form == "json" else tomllib.loads(text)
    except ValueError as error:
        raise FileError(f"this is no {form.upper()}: {error}") from None
    if not isinstance(document, dict):
        raise FileError('this is no file of tasks, which is an object with a list "tasks"')
    if SETTINGS_TABLE in document:
        document = document[SETTINGS_TABLE]
        return {name: _configs(document, name, form) for name in ("tasks", "cleanups")}
    unknown = sorted(set(document) - set(KEYS))
    if unknown or document.get("version", VERSION) != VERSION:
        told = f"the keys {', '.join(unknown)}" if unknown else f"version {document['version']!r:.20}"
        raise FileError(f"this is no file of tasks that this program reads: it has {told}")
    return {name: _configs(document, name, form) for name in ("tasks", "cleanups")}


def _configs(document: Any, name: str, form: str) -> list[dict[str, Any]]:
    configs = document.get(name, []) if isinstance(document, dict) else None
    if not isinstance(configs, list) or not all(isinstance(config, dict) for config in configs):
        raise FileError(f"{name} must be a list of objects")
    if form == "json":
        return configs
    return [
        {**config, "trigger": _with_null(config["trigger"])} if "trigger" in config else config for config in configs
    ]


def _without_null(value: Any) -> Any:
    """Return a stored trigger with the names of what is null in a list, for a format that has no null."""
    if isinstance(value, list):
        return [_without_null(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if NONE in value:
        raise ValueError(f"a trigger has the key {NONE!r}, which stands for something else in TOML; take JSON")
    empty = [name for name, item in value.items() if item is None]
    kept = {name: _without_null(item) for name, item in value.items() if item is not None}
    return kept | ({NONE: empty} if empty else {})


def _with_null(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_null(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    empty = value.get(NONE)
    names = [name for name in empty if isinstance(name, str)] if isinstance(empty, list) else []
    kept = {name: _with_null(item) for name, item in value.items() if name != NONE}
    return dict.fromkeys(names) | kept
