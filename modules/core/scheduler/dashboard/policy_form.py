"""What a task is called and how it behaves, as fields of a form, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from framework.duration import in_words
from modules.core.scheduler.dashboard.parameter_form import Field
from modules.core.scheduler.task import TaskConfig

Texts = dict[str, str]
LISTS = ("tags",)
DURATIONS = ("timeout", "retry_delay", "misfire_grace_time", "jitter")
STORED_AS = {"misfire_grace_time": "grace"}


def _choices(name: str) -> tuple[tuple[str, str], ...]:
    """Return what a config takes for a key."""
    annotation = TaskConfig.model_fields[name].annotation
    values = [each for part in get_args(annotation) for each in (get_args(part) or (part,)) if isinstance(each, str)]
    return tuple((value, value.replace("_", " ")) for value in values)


NAMING = (
    Field("name", "Name", "text", "What people call it.", required=True),
    Field("description", "Description", "text", "What it is for."),
    Field("tags", "Tags", "text", "Words to find it by, with commas between them."),
)
POLICIES = (
    Field("max_retries", "Retries", "integer", "How often a run that failed is tried again.", usual="0"),
    Field("retry_delay", "First wait", "text", "Before the first retry; each further one waits longer.", usual="10s"),
    Field("timeout", "Time limit", "text", "How long a run may take, such as 90s or 5m."),
    Field("overlap", "Overlap", "choice", "When it is due while it still runs.", options=_choices("overlap")),
    Field("max_instances", "At a time", "integer", "How many runs of it at once.", usual="1"),
    Field(
        "catch_up",
        "Catch-up",
        "choice",
        "What becomes of times that passed while nothing ran.",
        options=_choices("catch_up"),
    ),
    Field("misfire_grace_time", "Grace", "text", "A run later than this does not start any more, such as 10m."),
    Field("jitter", "Jitter", "text", "Start up to so much later, so that not all start at once."),
    Field("max_executions", "Runs at most", "integer", "After so many it is completed."),
    Field("priority", "Priority", "integer", "Higher goes first.", usual="0"),
    Field("queue", "Queue", "text", "Which nodes run it.", usual="default"),
    Field(
        "delivery", "Delivery", "choice", "Whether a run that was cut off is repeated.", options=_choices("delivery")
    ),
)
FIELDS = (*NAMING, *POLICIES)


def texts_of_policies(task: Mapping[str, Any]) -> Texts:
    """Return what stands in the fields for a shown task."""
    stored = task["policies"]
    values = {name: task[name] for name in ("name", "description", "priority", "queue", "overlap", "max_instances")}
    values |= {"tags": ", ".join(task["tags"]), "max_executions": task["max_executions"], "delivery": task["delivery"]}
    values |= {name: stored.get(name) for name in ("max_retries", "catch_up")}
    values |= {name: _span(stored.get(STORED_AS.get(name, name))) for name in DURATIONS}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def config_of(form: Mapping[str, str]) -> tuple[dict[str, Any], Texts]:
    """Return the keys of a config that a form gives, and what is wrong with it, by field; what is empty is left out."""
    config: dict[str, Any] = {}
    problems: Texts = {}
    for field in FIELDS:
        text = form.get(field.name, "").strip()
        if not text:
            continue
        try:
            config[field.name] = _value(field, text)
        except ValueError:
            problems[field.name] = "this is no whole number"
    if "name" not in config:
        problems["name"] = "give it a name"
    return config, problems


def changed(form: Mapping[str, str], before: Mapping[str, str]) -> tuple[dict[str, Any], Texts]:
    """Return the keys that a form says otherwise than these texts; what was emptied is as by default again."""
    config, problems = config_of(form)
    names = [each.name for each in FIELDS if form.get(each.name, "").strip() != before.get(each.name, "").strip()]
    changes = {name: config[name] if name in config else _usual(name) for name in names if name not in problems}
    return changes, {name: text for name, text in problems.items() if name in names}


def _value(field: Field, text: str) -> Any:
    if field.name in LISTS:
        return [each.strip() for each in text.split(",") if each.strip()]
    return int(text) if field.kind == "integer" else text


def _usual(name: str) -> Any:
    return TaskConfig.model_fields[name].get_default(call_default_factory=True)


def _span(seconds: float | None) -> str:
    """Return a duration as people write it; nothing where there is none."""
    return in_words(timedelta(seconds=seconds)) if seconds else ""
