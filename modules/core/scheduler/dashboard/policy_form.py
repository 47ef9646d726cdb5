"""What a task is called and how it behaves, as fields of a form, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, get_args

from framework.duration import in_words
from modules.core.scheduler.dashboard.parameter_form import Field
from modules.core.scheduler.task import TaskConfig

Texts = dict[str, str]
LISTS = ("tags",)
OF_TASK = ("name", "description", "priority", "queue", "concurrency_key", "overlap", "max_instances", "max_executions")
DURATIONS = ("timeout", "retry_delay", "retry_max_delay", "misfire_grace_time", "jitter", "expected_by")
PER = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}
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
    Field(
        "catch_up",
        "Catch-up",
        "choice",
        "What becomes of times that passed while nothing ran.",
        usual="latest",
        options=_choices("catch_up"),
    ),
    Field("misfire_grace_time", "Grace", "text", "A run later than this does not start any more, such as 10m."),
    Field("max_executions", "Runs at most", "integer", "After so many it is completed."),
    Field("priority", "Priority", "integer", "Higher goes first.", usual="0"),
    Field("queue", "Queue", "text", "Which nodes run it.", usual="default"),
)
ADVANCED = (
    (
        "Trying again",
        Field("retry_backoff", "Times as long", "number", "How each further wait grows.", usual="2"),
        Field("retry_max_delay", "Longest wait", "text", "No wait is longer than this.", usual="1h"),
        Field("retry_jitter", "Spread of waits", "number", "Each varies by this part of it, 0 to 1.", usual="0.1"),
        Field(
            "delivery",
            "Delivery",
            "choice",
            "Whether a run that was cut off is repeated.",
            usual="at least once",
            options=_choices("delivery"),
        ),
    ),
    (
        "How much at once",
        Field("max_instances", "At a time", "integer", "How many runs of it at once.", usual="1"),
        Field("rate_limit", "Rate limit", "text", "So many starts in so long, such as 10/minute."),
        Field("concurrency_key", "Concurrency key", "text", "Tasks of the module with this key share the limits."),
        Field("max_queued", "Wait at most", "integer", "How many may wait for their turn.", usual="1000"),
    ),
    (
        "Late and spread",
        Field("jitter", "Jitter", "text", "Start up to so much later, so that not all start at once."),
        Field("catch_up_limit", "Catch up at most", "integer", "Only the newest so many of all.", usual="100"),
    ),
    (
        "Where, and who is told",
        Field("executor", "Executor", "choice", "Where the function runs.", options=_choices("executor")),
        Field("expected_by", "Expected by", "text", "When it must have succeeded: 30m after its time, or 06:30."),
        Field("ping_url", "Ping", "text", "A URL that is called after each success."),
    ),
)
"""Groups of fields that few tasks need: a heading, and what stands under it."""
FIELDS = (*NAMING, *POLICIES, *(field for _, *group in ADVANCED for field in group))


def texts_of_policies(task: Mapping[str, Any]) -> Texts:
    """Return what stands in the fields for a shown task; nothing where it is as usual."""
    values = {name: task[name] for name in (*OF_TASK, "delivery", "tags")}
    for field in FIELDS:
        if field.name not in values:
            values[field.name] = task["policies"].get(STORED_AS.get(field.name, field.name))
    return {name: "" if value is None else _text(name, value) for name, value in values.items()}


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
            problems[field.name] = "this is no whole number" if field.kind == "integer" else "this is no number"
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
    kinds: dict[str, Callable[[str], Any]] = {"integer": int, "number": float}
    return kinds.get(field.kind, str)(text)


def _usual(name: str) -> Any:
    return TaskConfig.model_fields[name].get_default(call_default_factory=True)


def _text(name: str, value: Any) -> str:
    """Return a stored value as people write it; nothing for the usual one."""
    usual = _usual(name)
    if isinstance(usual, timedelta):
        usual = usual.total_seconds()
    if value == usual or (name, value) == ("catch_up", "latest"):
        return ""
    if name == "rate_limit":
        count, seconds = value
        return f"{count}/{PER.get(seconds) or in_words(timedelta(seconds=seconds))}"
    if name in LISTS:
        return ", ".join(value)
    if name in DURATIONS and isinstance(value, int | float):
        return in_words(timedelta(seconds=value))
    return f"{value:g}" if isinstance(value, float) else str(value)
