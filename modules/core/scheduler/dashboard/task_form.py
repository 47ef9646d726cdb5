"""A task in a form: made, copied, changed; what is wrong is said at the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from zoneinfo import available_timezones

from fastapi import Request
from pydantic import ValidationError

from framework.caller import Scope
from framework.result import Error, ResultError
from modules.core.scheduler.dashboard.desk import Desk, Form, Values
from modules.core.scheduler.dashboard.holiday_form import ACTIONS
from modules.core.scheduler.dashboard.parameter_form import Field, fields_of, parameter_called, parameters_of, texts_of
from modules.core.scheduler.dashboard.policy_form import (
    ADVANCED,
    FIELDS,
    NAMING,
    POLICIES,
    changed,
    config_of,
    texts_of_policies,
)
from modules.core.scheduler.dashboard.when_form import (
    CLOCKS,
    COMMON,
    FIRST,
    OF_WAY,
    WAYS,
    field_called,
    says_otherwise,
    texts_of_when,
    when_of,
)
from modules.core.scheduler.expecting import expecting
from modules.core.scheduler.task import TaskConfig, problems_of
from modules.core.scheduler.trigger import TriggerError
from modules.core.scheduler.trigger_manager import TriggerManager

TIMES = 10
Texts = dict[str, str]


def add(desk: Desk) -> None:
    """Add the screens and what becomes of their forms."""
    _add_new(desk)
    _add_edit(desk)

    @desk.screen("/tasks/-/preview", "preview.html")
    async def preview(request: Request) -> Values:
        return {"screen": "tasks", "preview": _preview(desk, request.query_params)}


def _add_new(desk: Desk) -> None:
    @desk.screen("/tasks/-/new", "task_form.html", scope=Scope.SCHEDULE)
    async def new_task(request: Request) -> Values:
        asked = request.query_params
        if like := asked.get("like"):
            task = (await desk.scheduler.get_task(like)).unwrap()
            function = await _function(desk, f"{task['module_id']}:{task['function_name']}")
            return await _shown(desk, function, texts_of_task(task, fields_of(function["parameters"])), like=task)
        if not asked.get("function"):
            return await _picker(desk)
        function = await _function(desk, asked["function"])
        return await _shown(desk, function, FIRST | {"timezone": _triggers(desk).timezone})

    @desk.form("/tasks/-/new", "task_form.html", scope=Scope.SCHEDULE)
    async def schedule_task(request: Request, form: Form) -> tuple[str, str | None] | Values:
        function = await _function(desk, form.get("function", ""))
        config, problems = _config(function, form)
        if problems:  # what the service would say of the parameters besides
            problems = _of_parameters(desk, config) | problems
        if problems or "preview" in form:
            return await _shown(desk, function, form, problems)
        scheduled = await desk.scheduler.schedule_task(config)
        if scheduled.error is not None:
            return await _shown(desk, function, form, _problems(scheduled.error, form))
        return f"{form['name']} is scheduled.", desk.path(request, f"/tasks/{quote(scheduled.data['task_id'])}")


def _add_edit(desk: Desk) -> None:
    @desk.screen("/tasks/{task_id}/edit", "task_form.html", scope=Scope.SCHEDULE)
    async def edit_task(request: Request) -> Values:
        task = (await desk.scheduler.get_task(str(request.path_params["task_id"]))).unwrap()
        function = await _function(desk, f"{task['module_id']}:{task['function_name']}")
        return await _shown(desk, function, texts_of_task(task, fields_of(function["parameters"])), task=task)

    @desk.form("/tasks/{task_id}/edit", "task_form.html", scope=Scope.SCHEDULE)
    async def update_task(request: Request, form: Form) -> tuple[str, str | None] | Values:
        task = (await desk.scheduler.get_task(str(request.path_params["task_id"]))).unwrap()
        function = await _function(desk, f"{task['module_id']}:{task['function_name']}")
        changes, problems = _changes(task, function, form)
        if problems or "preview" in form:
            return await _shown(desk, function, form, problems, task=task)
        where = desk.path(request, f"/tasks/{quote(task['id'])}")
        if not changes:
            return f"Nothing of {task['name']} was changed.", where
        with expecting(task["id"], {int(form["revision"])} if form.get("revision", "").isdecimal() else None):
            updated = await desk.scheduler.update_task(task["id"], changes)
        if updated.error is not None:
            return await _shown(desk, function, form, _problems(updated.error, form), task=task)
        return f"{updated.data['name']} is changed: {', '.join(sorted(changes))}.", where


def texts_of_task(task: Mapping[str, Any], fields: Sequence[Field]) -> Texts:
    """Return what stands in the fields of the form for a shown task."""
    return texts_of_when(task) | texts_of_policies(task) | texts_of(fields, task["parameters"])


async def _picker(desk: Desk) -> Values:
    functions = (await desk.scheduler.list_functions()).unwrap()
    allowed = [each for each in functions if each["api"]]
    others = len(functions) - len(allowed)
    return {"screen": "tasks", "function": None, "task": None, "functions": allowed, "others": others}


async def _function(desk: Desk, name: str) -> dict[str, Any]:
    module_id, _, function_name = name.partition(":")
    functions = (await desk.scheduler.list_functions(module_id=module_id)).unwrap()
    found = next((each for each in functions if each["function_name"] == function_name), None)
    if found is None:
        raise ResultError(Error("FUNCTION_NOT_FOUND", f"no function {name!r:.100} is registered here"))
    if not found["api"]:
        told = f"{name:.100} is for code only; its module allows it here by registering it with api=True"
        raise ResultError(Error("FUNCTION_NOT_ALLOWED", told))
    return found


async def _shown(
    desk: Desk,
    function: dict[str, Any],
    texts: Mapping[str, str],
    problems: Mapping[str, str] | None = None,
    *,
    task: Mapping[str, Any] | None = None,
    like: Mapping[str, Any] | None = None,
) -> Values:
    fields = fields_of(function["parameters"])
    problems = problems or {}
    given = {name for name, text in texts.items() if text} | set(problems)
    places = {*(each.name for each in (*fields, *FIELDS)), *COMMON}
    places |= {name for names in OF_WAY.values() for name in names}
    return {
        "screen": "tasks",
        "function": function,
        "fields": fields,
        "naming": NAMING,
        "policies": POLICIES,
        "advanced": ADVANCED,
        "clocks": CLOCKS,
        "actions": ACTIONS,
        "calendars": [each["name"] for each in (await desk.scheduler.list_calendars()).unwrap()],
        "given": given,
        "is_advanced": any(field.name in given for _, *group in ADVANCED for field in group),
        "texts": texts,
        "problems": problems,
        "elsewhere": [text for name, text in problems.items() if name not in places],
        "ways": WAYS,
        "zones": sorted(available_timezones()),
        "preview": _preview(desk, texts),
        "task": task,
        "like": like,
    }


def _config(function: Mapping[str, Any], form: Form) -> tuple[dict[str, Any], Texts]:
    """Return the config that a form means, and what is wrong with it, by field."""
    parameters, wrong = parameters_of(fields_of(function["parameters"]), form)
    when, wrong_when = when_of(form)
    rest, wrong_rest = config_of(form)
    names = {name: function[name] for name in ("module_id", "function_name")}
    return {**names, **rest, **when, "parameters": parameters}, wrong | wrong_when | wrong_rest


def _changes(task: Mapping[str, Any], function: Mapping[str, Any], form: Form) -> tuple[dict[str, Any], Texts]:
    """Return what a form says otherwise than the task is, and what is wrong with it, by field."""
    fields = fields_of(function["parameters"])
    before = texts_of_task(task, fields)
    changes, problems = changed(form, before)
    if any(form.get(each.name, "") != before[each.name] for each in fields):
        changes["parameters"], wrong = parameters_of(fields, form, task["parameters"])
        problems |= wrong
    if says_otherwise(form, before):
        when, wrong = when_of(form)
        changes |= when
        problems |= wrong
    return changes, problems


def _of_parameters(desk: Desk, config: Mapping[str, Any]) -> Texts:
    """Return what is wrong with the parameters of a config, by field."""
    function = desk.scheduler.functions.find(config["module_id"], config["function_name"])
    told = [] if function is None else function.check(config["parameters"])
    return {parameter_called(each["field"]): each["message"] for each in reversed(told)}


def _problems(error: Error, form: Form) -> Texts:
    """Return a refusal of the service by the fields of the form; what belongs to none stands under its own name."""
    told = (error.details or {}).get("problems") or [{"field": "", "message": error.message}]
    way = form.get("way", "")
    found: Texts = {}
    for each in told:
        name = str(each["field"])
        if name.partition(".")[0] == "parameters":
            name = parameter_called(name.partition(".")[2])
        elif name not in TaskConfig.model_fields or name in ("trigger", "cron", "schedule_time", "interval_value"):
            name = field_called(name, way) if way in OF_WAY else name
        found.setdefault(name, each["message"])
    return found


def _preview(desk: Desk, form: Mapping[str, str]) -> dict[str, Any]:
    """Return `{"words", "times", "zone", "problem"}` of what a form says about when."""
    when, wrong = when_of(form)
    nothing: dict[str, Any] = {"words": "", "times": [], "zone": None, "problem": next(iter(wrong.values()), None)}
    if wrong:
        return nothing
    names = {"name": form.get("name") or "-", "module_id": "-", "function_name": "-"}
    try:
        config = TaskConfig.model_validate(names | when)
        trigger, _ = _triggers(desk).trigger_for(config)
    except ValidationError as error:
        return nothing | {"problem": problems_of(error)[0]["message"]}
    except TriggerError as error:
        return nothing | {"problem": str(error)}
    times = _triggers(desk).preview_of(config, TIMES)
    zone = config.timezone or _triggers(desk).timezone
    return {"words": trigger.describe(zone), "times": times.data or [], "zone": zone, "problem": None}


def _triggers(desk: Desk) -> TriggerManager:
    return desk.app_context.get_service(TriggerManager)
