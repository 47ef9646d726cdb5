"""From a cleanup config, a plain dict, to its policy; every offending field is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from framework.errors import did_you_mean
from modules.core.scheduler.cleanup.files_policy import FilesPolicy
from modules.core.scheduler.cleanup.policy import FunctionPolicy, Policy
from modules.core.scheduler.cleanup.rows_policy import RowsPolicy
from modules.core.scheduler.cleanup.selectables import SelectableError, chosen

AnyPolicy = RowsPolicy | FilesPolicy | FunctionPolicy
Problem = dict[str, str]

_KINDS: dict[str, type[AnyPolicy]] = {
    "table_name": RowsPolicy,
    "directory": FilesPolicy,
    "function_name": FunctionPolicy,
}


class PolicyError(ValueError):
    """The config is no cleanup policy; `problems` lists `{"field", "message"}` for every offending field."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{problem['field']}: {problem['message']}" for problem in problems))
        self.problems = problems


def parse_policy(config: Mapping[str, Any], *, default_interval: timedelta, allowed_roots: Sequence[Path]) -> AnyPolicy:
    """Return the policy of the config, or raise `PolicyError`.

    `default_interval` is used where neither `cleanup_interval` nor `cron` is given. `allowed_roots` are absolute; a
    directory must lie strictly below one of them. `table`, a SQLAlchemy `Table`, a mapped class or a `select` of
    one with equality filters, means its name, `where` and `where_in`.
    """
    config = _by_name(config)
    kinds = [key for key in _KINDS if key in config]
    if len(kinds) != 1:
        raise PolicyError(_unclear_kind(config, kinds))
    model = _KINDS[kinds[0]]
    values = dict(config)
    if values.get("cron") is None and values.get("cleanup_interval") is None:
        values["cleanup_interval"] = default_interval
    try:
        return model.model_validate(values, context={"allowed_roots": allowed_roots})
    except ValidationError as error:
        raise PolicyError(_problems(error, model)) from None


def _by_name(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with the name of a table, and filters, instead of `table`: a Table, a mapped class or a select."""
    if "table" not in config:
        return dict(config)
    rest = {key: value for key, value in config.items() if key != "table"}
    if "table_name" in config:
        raise PolicyError([{"field": "table", "message": "give table or table_name, not both"}])
    try:
        table, *filters = chosen(config["table"])
    except SelectableError as error:
        raise PolicyError([{"field": "table", "message": str(error)}]) from None
    told = {name: found for name, found in zip(("where", "where_in"), filters, strict=True) if found}
    for name in told:
        if rest.get(name) is not None:
            raise PolicyError([{"field": name, "message": "give filters in the select of table or here, not both"}])
    return {"table_name": table.name, **rest, **told}


def _unclear_kind(config: Mapping[str, Any], kinds: list[str]) -> list[Problem]:
    if kinds:
        return [{"field": kind, "message": f"give only one of {', '.join(kinds)}"} for kind in kinds]
    known = [name for model in _KINDS.values() for name in model.model_fields]
    unknown = [_unknown(str(key), known) for key in config if key not in known]
    return [{"field": "config", "message": f"one of {', '.join(_KINDS)} is needed"}, *unknown]


def _problems(error: ValidationError, model: type[Policy]) -> list[Problem]:
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        field = ".".join(str(part) for part in detail["loc"] if part != "[key]") or "config"
        if detail["type"] == "extra_forbidden":
            found[field] = _unknown(field, list(model.model_fields))["message"]
        else:
            found.setdefault(field, _sentence(dict(detail)))
    return [{"field": field, "message": message} for field, message in found.items()]


def _unknown(key: str, known: list[str]) -> Problem:
    return {"field": key, "message": f"there is no such key{did_you_mean(key, known)}"}


def _sentence(detail: dict[str, Any]) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"] == "missing":
        return "it is needed"
    message = str(detail["msg"])
    return f"{message[0].lower()}{message[1:]}, not {detail['input']!r:.60}"
