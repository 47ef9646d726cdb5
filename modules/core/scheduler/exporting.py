"""Stored tasks in the words of a config, as `schedule_task` takes them, and files of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from framework import strict_json
from modules.core.scheduler.policies import policies_of
from modules.core.scheduler.refusing import readable
from modules.core.scheduler.task import Status

KEPT_COLUMNS: tuple[str, ...] = (
    "name",
    "module_id",
    "function_name",
    "description",
    "priority",
    "overlap",
    "max_instances",
)
KEPT_COLUMNS += ("max_executions", "delivery", "timezone", "queue", "concurrency_key")


def config_of(row: Row[Any]) -> dict[str, Any]:
    """Return what a stored task says beside when, in the words of a config."""
    policies = readable(policies_of, row.policies)
    config = {name: getattr(row, name) for name in KEPT_COLUMNS}
    config |= asdict(replace(policies, grace=None))
    del config["grace"]
    if policies.rate_limit is not None:
        config["rate_limit"] = dict(zip(("count", "per"), policies.rate_limit, strict=True))
    return config | {
        "misfire_grace_time": policies.grace,
        "parameters": readable(strict_json.loads, row.parameters),
        "tags": readable(strict_json.loads, row.tags),
    }


def exported(row: Row[Any]) -> dict[str, Any]:
    """Return a stored task as a whole config, its trigger as it is stored; what is None is left out."""
    identity = {"task_id": row.id, "key": row.key, "owner": row.owner, "paused": row.status == Status.PAUSED}
    whole = identity | config_of(row) | {"trigger": readable(strict_json.loads, row.trigger)}
    return {name: value for name, value in whole.items() if value is not None}


def write_export(folder: Path, tasks: Sequence[Mapping[str, Any]], now: datetime) -> Path:
    """Write configs to a new file that only its owner may read, `{"version": 1, "tasks": […]}`; return its path."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"tasks-{now:%Y%m%dT%H%M%S.%fZ}.json"
    text = json.dumps({"version": 1, "exported_at": now.isoformat(), "tasks": list(tasks)}, indent=2)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    return path
