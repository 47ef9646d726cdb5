"""A task as somebody would write it: a config, and the code, the request and the command that schedule one like it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from pprint import pformat
from typing import Any

from framework.terminal import PROGRAM
from modules.core.scheduler.fields import DEFAULT_QUEUE
from modules.core.scheduler.policies import Policies

WIDTH = 88
PLAIN = {"description": "", "priority": 0, "queue": DEFAULT_QUEUE, "overlap": "skip", "max_instances": 1}
PLAIN |= {"max_executions": None, "delivery": "at_least_once", "concurrency_key": None, "tags": [], "parameters": {}}
CALLED = {"grace": "misfire_grace_time"}
UNITS = (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60))
OPTIONS = {"schedule_time": "--at", "cron": "--cron", "timezone": "--timezone", "description": "--description"}


def config_of_task(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shown task as a config, without its identity: what is as by default is left out, secrets are `***`."""
    config = {name: task[name] for name in ("name", "module_id", "function_name")}
    config |= when_of_task(task)
    config |= {name: task[name] for name, usual in PLAIN.items() if task[name] != usual}
    usual = asdict(Policies())
    stored = {name: value for name, value in task["policies"].items() if name in usual and value != usual[name]}
    config |= {CALLED.get(name, name): value for name, value in stored.items()}
    if "rate_limit" in stored:
        config["rate_limit"] = dict(zip(("count", "per"), stored["rate_limit"], strict=True))
    return config


def when_of_task(task: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a config that say when a shown task runs; in the words that people use, where there are."""
    trigger, zone = task["trigger"], {"timezone": task["timezone"]}
    match trigger.get("type"):
        case "date":
            return {"schedule_time": trigger["run_date"]}
        case "interval" | "after_end" as kind:
            return {"recurring": True, **_interval(trigger["seconds"]), **_end(trigger)} | (
                {"after_end": True} if kind == "after_end" else {}
            )
        case "cron" if (trigger["week"], trigger["day_match"], trigger["start"]) == ("*", "any", None):
            choices = {"dst_gap": trigger["gap"], "dst_fold": trigger["fold"]}
            usual = {"dst_gap": "shift", "dst_fold": "first"}
            chosen = {name: value for name, value in choices.items() if value != usual[name]}
            return {"cron": trigger["expression"], **zone, **chosen, **_end(trigger)}
        case _:
            return {"trigger": dict(trigger), **zone}


def as_python(config: Mapping[str, Any]) -> str:
    """Return the code that schedules a task by this config."""
    return f"await scheduler.schedule_task(\n{_indented(pformat(dict(config), width=WIDTH, sort_dicts=False))}\n)"


def as_curl(config: Mapping[str, Any], url: str) -> str:
    """Return the request, for a shell; the token, where one is needed, is that of the variable."""
    body = json.dumps(config, indent=2, ensure_ascii=False)
    lines = (
        f"curl -X POST {shlex.quote(url.rstrip('/') + '/api/v1/scheduler/tasks')}",
        '-H "Authorization: Bearer $CHAMBERLAIN_TOKEN"',
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(body)}",
    )
    return " \\\n  ".join(lines)


def as_command(config: Mapping[str, Any]) -> str:
    """Return the command, for a shell."""
    rest = dict(config)
    function = f"{rest.pop('module_id')}:{rest.pop('function_name')}"
    parts = [f"{PROGRAM} tasks add {shlex.quote(rest.pop('name'))}", f"--function {shlex.quote(function)}"]
    if "interval_type" in rest:
        every = f"{rest.pop('interval_value'):g} {rest.pop('interval_type')}"
        parts.append(f"--every {shlex.quote(every)}")
        del rest["recurring"]
    parts += [f"{option} {shlex.quote(rest.pop(name))}" for name, option in OPTIONS.items() if name in rest]
    parts += [f"--tag {shlex.quote(tag)}" for tag in rest.pop("tags", [])]
    parts += [f"-p {_pair(name, value)}" for name, value in rest.pop("parameters", {}).items()]
    parts += [f"--set {_pair(name, value)}" for name, value in rest.items()]
    return " \\\n  ".join(parts)


def _interval(seconds: float) -> dict[str, Any]:
    unit, size = next((each for each in UNITS if seconds % each[1] == 0), ("seconds", 1))
    value = seconds / size
    return {"interval_type": unit, "interval_value": int(value) if value.is_integer() else value}


def _end(trigger: Mapping[str, Any]) -> dict[str, Any]:
    return {"end_date": trigger["end"]} if trigger["end"] is not None else {}


def _pair(name: str, value: Any) -> str:
    return shlex.quote(f"{name}={json.dumps(value, ensure_ascii=False)}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
