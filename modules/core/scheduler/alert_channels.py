"""How an alert reaches somebody: as a line in the log, by a webhook, or by a command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from framework import strict_json
from framework.clock import SystemClock
from framework.errors import SettingsError, one_line
from framework.outgoing import Outgoing
from framework.time_limit import finishes_within
from modules.core.scheduler.alert_rules import AlertRule, Kind
from modules.core.scheduler.settings import SchedulerSettings
from modules.core.scheduler.shell_command import run_command

log = logging.getLogger(__name__)

COMMAND_SECONDS = 30.0  # real seconds
WORDS = {
    Kind.FAILED: "failed",
    Kind.TIMED_OUT: "timed out",
    Kind.GAVE_UP: "failed for good",
    Kind.LOST: "was lost with its node",
    Kind.MISSED: "was missed",
    Kind.OVERDUE: "is overdue",
    Kind.CLEANUP_FAILED: "failed to clean up",
}


def check_settings(settings: SchedulerSettings, outgoing: Outgoing) -> None:
    """Raise `SettingsError` where something could never be told: a host or commands that are not allowed."""
    urls = {f"the webhook of the alert {rule.name!r}": rule.webhook for rule in settings.alerts}
    for name, url in {"CORE_SCHEDULER_HEARTBEAT_URL": settings.heartbeat_url, **urls}.items():
        if url is not None and (problem := outgoing.problem(url)) is not None:
            raise SettingsError(f"{name} cannot be called: {problem}")
    names = [rule.name for rule in settings.alerts]
    if len(set(names)) < len(names):
        raise SettingsError(f"CORE_SCHEDULER_ALERTS: two alerts have the same name: {', '.join(sorted(names))}")
    for rule in settings.alerts:
        if rule.command is not None and not settings.allow_commands:
            told = f"the alert {rule.name!r} has a command, and CORE_SCHEDULER_ALLOW_COMMANDS is not true"
            raise SettingsError(told)


def text_of(content: Mapping[str, Any]) -> str:
    """Return an alert as one line for people."""
    parts = [_part(task) for task in content["tasks"]]
    if content["others"]:
        parts.append(f"and {content['others']} of other tasks")
    if content["suppressed"]:
        parts.append(f"{content['suppressed']} of these {content['count']} were held back since {content['since']}")
    return "; ".join(parts)


def _part(task: Mapping[str, Any]) -> str:
    times = f" ({task['count']} times)" if task["count"] > 1 else ""
    error = f": {task['error']}" if task["error"] else ""
    return " ".join(f"{task['name']} {WORDS[Kind(task['kind'])]}{times}{error}".split())


async def deliver(rule: AlertRule, content: Mapping[str, Any], outgoing: Outgoing) -> bool:
    """Tell everybody whom a rule names, the log first; return whether nobody has to be told again."""
    text = text_of(content)
    log.error("alert %s: %s", rule.name, text, extra={"alert": rule.name, "incidents": content["count"]})
    told = strict_json.dumps({"alert": rule.name, "text": text, **content})
    problems = [
        problem
        for problem in (
            None if rule.webhook is None else await outgoing.send(rule.webhook, told.encode()),
            None if rule.command is None else await _run(rule.command, told),
        )
        if problem is not None
    ]
    for problem in problems:
        log.warning("alert %s did not get through: %s", rule.name, problem, extra={"alert": rule.name})
    return not problems


async def _run(command: str, told: str) -> str | None:
    running = asyncio.create_task(run_command(command, stdin=told))
    if not await finishes_within(running, SystemClock(), COMMAND_SECONDS):
        running.cancel()
        await asyncio.wait([running])
        return f"its command had not ended after {COMMAND_SECONDS:g} s"
    try:
        error = running.result().error
    except OSError as problem:
        return one_line(problem)
    return None if error is None else error.message
