"""From a config to the columns of a task: everything is checked before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row

from framework import strict_json
from framework.outgoing import Outgoing
from framework.result import Error, Result
from modules.core.scheduler.alike import Alike, Plan
from modules.core.scheduler.executors import Executors
from modules.core.scheduler.exporting import config_of
from modules.core.scheduler.firing import trigger_of
from modules.core.scheduler.functions import MASK, FunctionRegistry, masked
from modules.core.scheduler.outside import MODULE_ID, Outside, from_outside
from modules.core.scheduler.policies import Policies
from modules.core.scheduler.refusing import invalid, readable
from modules.core.scheduler.shell_command import RUN_COMMAND
from modules.core.scheduler.task import WAYS, TaskConfig, problems_of
from modules.core.scheduler.trigger import Trigger, TriggerError, awaited_in, pauses_after_each_run, without_calendars
from modules.core.scheduler.trigger.frozen import stamp_of
from modules.core.scheduler.trigger.notes import zone_of
from modules.core.scheduler.trigger_manager import TriggerManager

PARTS_OF_WHEN = {"timezone", "start_date", "end_date", "recurring", "dst_gap", "dst_fold", "calendar_action"}
SCHEDULE_TASK = (MODULE_ID, "scheduler.schedule_task")
MASKED = "it is masked; write the value in"
NO_COMMANDS = "shell commands are not allowed here; CORE_SCHEDULER_ALLOW_COMMANDS=true allows them"


class Planner:
    """Checks configs against the fields, the registered functions and the calendar."""

    def __init__(
        self,
        functions: FunctionRegistry,
        triggers: TriggerManager,
        executors: Executors,
        outside: Outside,
        outgoing: Outgoing,
    ) -> None:
        self._outgoing = outgoing
        self._functions = functions
        self.outside = outside
        self._triggers = triggers
        self._executors = executors
        self._alike = Alike()

    def plan(self, given: TaskConfig | Mapping[str, Any], *, alike: bool = False) -> Result[Plan]:
        """Return the plan of a config, or `INVALID_CONFIG` with every offending field in `details["problems"]`.

        `alike` allows that of a task like others, whose `config` is theirs: for tasks that need no identity.
        """
        if not alike or not isinstance(given, Mapping) or from_outside():
            return self._plan(given)
        version = self._functions.version
        known = self._alike.plan(given, version)
        if known is not None:
            return Result.success(known)
        planned = self._plan(given)
        if planned.error is None:
            function = self._functions.find(planned.data.config.module_id, planned.data.config.function_name)
            self._alike.remember(given, planned.data, function, version)
        return planned

    def _plan(self, given: TaskConfig | Mapping[str, Any]) -> Result[Plan]:
        try:
            config = given if isinstance(given, TaskConfig) else TaskConfig.model_validate(dict(given))
        except ValidationError as error:
            return invalid(problems_of(error))
        problems = self._problems(config)
        try:
            trigger, first = self._triggers.trigger_for(config)
        except TriggerError as error:
            return invalid([*problems, {"field": error.field or "trigger", "message": str(error)}])
        if first is None and awaited_in(trigger) is None:
            problems.append({"field": "trigger", "message": f"it never fires: {trigger.describe(config.timezone)}"})
        if config.expected_by is not None and (awaited_in(trigger) is not None or pauses_after_each_run(trigger)):
            problems.append({"field": "expected_by", "message": "this needs a trigger that has times of its own"})
        if problems:
            return invalid(problems)
        if from_outside() and (refused := self._refusal(config, trigger, first)):
            return Result(error=refused)
        name = config.timezone or zone_of(trigger, self._triggers.timezone)
        return Result.success(Plan(config, _what(config, trigger), _when(config, trigger, first, name)))

    def _refusal(self, config: TaskConfig, trigger: Trigger, first: datetime | None) -> Error | None:
        """Return why a config may not come from outside; neither may a task that would schedule such a one."""
        refused = self.outside.refusal(config, trigger, first)
        if refused is None and (config.module_id, config.function_name) == SCHEDULE_TASK:
            return self._plan(config.parameters).error
        return refused

    def plan_change(self, row: Row[Any], changes: Mapping[str, Any]) -> Result[Plan]:
        """Return the plan of a stored task with some of its fields changed; what says when is given anew as a whole."""
        self.outside.refuse_to_change(row)
        fixed = sorted(set(changes) & {"task_id", "key", "owner", "on_conflict", "replace_existing", "paused"})
        if fixed:
            return invalid([{"field": name, "message": "this cannot be changed"} for name in fixed])
        if problem := self._takes_secrets_along(row, changes):
            return invalid([problem])
        if says_when(changes):
            time = {} if _names_a_way(changes) else {"trigger": without_calendars(readable(trigger_of, row.trigger))}
            return self._in_its_zone(self.plan(config_of(row) | time | dict(changes)), changes)
        partial = sorted(set(changes) & PARTS_OF_WHEN)
        if partial:
            return invalid([{"field": name, "message": "say when anew together with it"} for name in partial])
        return self.plan(config_of(row) | {"trigger": readable(trigger_of, row.trigger)} | dict(changes))

    def _in_its_zone(self, planned: Result[Plan], changes: Mapping[str, Any]) -> Result[Plan]:
        """Return the plan of a changed task, whose zone is that of its new trigger, as if it were a new task."""
        if planned.error is not None or changes.get("timezone") is not None or not _names_a_way(changes):
            return planned
        plan = planned.data
        name = zone_of(trigger_of(plan.when["trigger"]), plan.when["timezone"])
        return Result.success(plan._replace(when={**plan.when, "timezone": name}))

    def _takes_secrets_along(self, row: Row[Any], changes: Mapping[str, Any]) -> dict[str, str] | None:
        """Say what is wrong with giving the parameters of one function to another, which may not hide the same ones."""
        names = (changes.get("module_id", row.module_id), changes.get("function_name", row.function_name))
        function = self._functions.find(row.module_id, row.function_name)
        if names == (row.module_id, row.function_name) or "parameters" in changes:
            return None
        if function is not None and not function.secret:
            return None
        return {"field": "parameters", "message": "give them anew with another function; some of these are secret"}

    @property
    def timezone(self) -> str:
        """The zone of times that name none."""
        return self._triggers.timezone

    def knows(self, module_id: str, function_name: str) -> bool:
        """Whether this function is registered here."""
        return self._functions.find(module_id, function_name) is not None

    def masked(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Return a shown task's parameters with `***` in place of those that its function keeps secret.

        Where nobody knows which those are, the function not being registered here, all of them are hidden.
        """
        parameters, secret = task["parameters"], self._functions.secret_of(task["module_id"], task["function_name"])
        return masked(parameters, secret) if isinstance(parameters, dict) else {"corrupt": True}

    def _problems(self, config: TaskConfig) -> list[dict[str, str]]:
        function = self._functions.find(config.module_id, config.function_name)
        if function is None:
            names = (config.module_id, config.function_name)
            message = NO_COMMANDS if names == RUN_COMMAND else self._functions.unknown(*names)
            return [{"field": "function_name", "message": message}]
        problems = [
            {"field": f"parameters.{problem['field']}".rstrip("."), "message": problem["message"]}
            for problem in function.check(config.parameters)
        ]
        problems += [
            {"field": f"parameters.{name}", "message": MASKED}
            for name in sorted(function.secret)
            if config.parameters.get(name) == MASK
        ]
        for field in ("ping_url", "ping_failure_url"):
            url = getattr(config, field)
            if url is not None and (problem := self._outgoing.problem(url)) is not None:
                problems.append({"field": field, "message": problem})
        if (problem := self._executors.problem(config.executor, function)) is not None:
            problems.append({"field": "executor", "message": problem})
        return problems


def _what(config: TaskConfig, trigger: Trigger) -> dict[str, Any]:
    awaited = awaited_in(trigger)
    gathers = awaited is not None and awaited.debounced is not None
    return {
        "name": config.name,
        "description": config.description,
        "module_id": config.module_id,
        "function_name": config.function_name,
        "parameters": strict_json.dumps(config.parameters),
        "priority": config.priority,
        "overlap": "queue" if gathers and config.overlap is None else config.when_open,
        "queue": config.queue,
        "concurrency_key": config.concurrency_key,
        "max_instances": config.max_instances,
        "delivery": config.delivery,
        "policies": strict_json.dumps(asdict(Policies.of(config))),
        "tags": strict_json.dumps(config.tags),
    }


def _when(config: TaskConfig, trigger: Trigger, first: datetime | None, timezone: str) -> dict[str, Any]:
    stored = trigger.to_json()
    awaited = awaited_in(trigger)
    event, task = (None, None) if awaited is None else awaited.route
    return {
        "trigger": strict_json.dumps(stored),
        "calendars": stamp_of(stored),
        "timezone": timezone,
        "event": event,
        "after_task": task,
        "recurring": trigger.recurring,
        "interval_type": config.interval_type,
        "interval_value": config.interval_value,
        "next_execution": first,
        "max_executions": config.max_executions,
    }


def says_when(changes: Mapping[str, Any]) -> bool:
    """Tell whether an edit gives the time of a task anew."""
    return _names_a_way(changes) or "calendars" in changes


def _names_a_way(changes: Mapping[str, Any]) -> bool:
    return not set(changes).isdisjoint(WAYS)
