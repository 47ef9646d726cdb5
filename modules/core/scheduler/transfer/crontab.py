"""Reads crontabs, line by line: each becomes the config of a task, or is refused with the reason; nothing is guessed.

Syntax and meaning as in crontab(5) of Debian's cron and of cronie.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modules.core.scheduler.transfer.crontab_fields import NICKNAMES, problem_of_fields, with_random_times
from modules.core.scheduler.trigger import TriggerError, zones
from modules.core.scheduler.trigger.cron import Cron
from modules.core.scheduler.trigger.own_time import with_own_time

NO_MAIL = ("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING")
TIME_LIMIT = "1 day"  # cron knows none; ours by default is minutes
AS_CRON_DOES = {"overlap": "allow", "catch_up": "none", "timeout": TIME_LIMIT, "tags": ["crontab"]}
COMMAND = ("core.scheduler", "run_command")
NOT_ALLOWED = "a command runs only where it is allowed: give --allow-commands, or --map 'COMMAND=module:function'"
REBOOT = "@reboot is no time: what is to run at every start belongs in a module's lifespan"

_ASSIGNMENT = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([A-Za-z_]\w*))\s*=\s*(.*)""")
_FIELDS = re.compile(r"((?:\S+\s+){4}\S+)\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one line: the config of a task, or the `reason` why there is none, and what else is to be said."""

    number: int
    text: str
    config: dict[str, Any] | None = None
    reason: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Reader:
    """What the lines so far have set."""

    zone: str | None
    is_system: bool
    user: str
    functions: Mapping[str, tuple[str, str]]
    commands_allowed: bool
    shell: str | None = None
    path: str | None = None
    jitter: int = 0
    poison: str | None = None
    environment: dict[str, int] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def line(self, number: int, text: str) -> Line | None:
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            return None
        assignment = _ASSIGNMENT.fullmatch(stripped)
        if assignment is not None:
            name = next(group for group in assignment.groups()[:3] if group is not None)
            return self._assign(number, stripped, name, _unquoted(assignment[4]))
        try:
            config, notes = self._job(stripped)
        except ValueError as error:
            return Line(number, stripped, reason=str(error))
        return Line(number, stripped, config, notes=notes)

    def _assign(self, number: int, text: str, name: str, value: str) -> Line | None:
        problem = None
        if name in NO_MAIL:
            return Line(number, text, notes=("no mail is sent: what a command writes is kept with its execution",))
        if name == "CRON_TZ":
            try:
                self.zone = zones.zone(value).key
            except ValueError as error:
                problem = str(error)
        elif name == "SHELL":
            self.shell = value
            problem = None if value.startswith("/") else "a shell is an absolute path"
        elif name == "PATH":
            self.path = value
        elif name == "RANDOM_DELAY":
            problem = None if re.fullmatch(r"\d{1,4}", value) else "it is a whole number of minutes"
            self.jitter = 0 if problem else int(value) * 60
        else:
            self.environment.setdefault(name, number)
            note = "variables are not kept: commands below that may need it are refused; set it within the command"
            return Line(number, text, notes=(note,))
        if problem is not None:
            self.poison = f"line {number} sets {name} to {value!r:.50}: {problem}"
            return Line(number, text, reason=problem)
        return None

    def _job(self, text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
        if self.poison is not None:
            raise ValueError(self.poison)
        notes: tuple[str, ...] = ()
        if text.startswith("-"):
            text, notes = text[1:], ("the minus for less logging means nothing here",)
        expression, rest = _expression(text)
        key = self._key(expression, rest)
        try:
            trigger = Cron(_with_own_times(expression, key), self.zone or "UTC")
        except TriggerError as error:
            raise ValueError(str(error)) from None
        command, stdin = _command(self._without_user(rest))
        config = self._config(command, stdin) | {"cron": trigger.expression}
        if self.zone is not None:
            config["timezone"] = self.zone
        if self.jitter:
            config["jitter"] = self.jitter
        if "~" in expression:
            notes = (*notes, f"the random time of {expression!r} was chosen once: {trigger.expression!r}")
        return config | {"key": key} | AS_CRON_DOES, notes

    def _without_user(self, rest: str) -> str:
        """In the form of /etc/crontab the sixth field is the user, who must be the one that this program runs as."""
        if not self.is_system:
            return rest
        user, *command = rest.split(None, 1)
        if user != self.user:
            raise ValueError(f"it runs as {user!r:.50}, and tasks run as {self.user!r}, who runs this program")
        return "".join(command)

    def _config(self, command: str, stdin: str | None) -> dict[str, Any]:
        if not command:
            raise ValueError("there is no command")
        name = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", command).split())[:100]
        mapped = self.functions.get(command)
        if mapped is not None:
            if stdin is not None:
                raise ValueError("a function has no standard input, which the % of this line gives")
            return {"name": name, "module_id": mapped[0], "function_name": mapped[1]}
        if not self.commands_allowed:
            raise ValueError(NOT_ALLOWED)
        if self.environment:
            variable, number = next(iter(self.environment.items()))
            raise ValueError(f"line {number} sets {variable}, which the command may need: set it within the command")
        given = {"stdin": stdin, "shell": self.shell, "path": self.path}
        parameters = {"command": command, **{name: value for name, value in given.items() if value is not None}}
        return {"name": name, "module_id": COMMAND[0], "function_name": COMMAND[1], "parameters": parameters}

    def _key(self, expression: str, rest: str) -> str:
        """Return the key by which the same line is the same task, wherever it stands."""
        digest = hashlib.sha256(f"{expression} {rest}".encode()).hexdigest()[:16]
        self.seen[digest] += 1
        return f"crontab:{digest}" + (f":{self.seen[digest]}" if self.seen[digest] > 1 else "")


def read_crontab(
    text: str,
    *,
    zone: str | None,
    user: str,
    is_system: bool = False,
    functions: Mapping[str, tuple[str, str]] | None = None,
    commands_allowed: bool = False,
) -> list[Line]:
    """Return what became of each line that says anything, in order.

    `zone` holds until a CRON_TZ, None for the scheduler's own. `functions` are `(module_id, function_name)` by the
    command that they stand in for; of the rest, commands become tasks only where `commands_allowed`. `user` is who this
    program runs as, which matters in the form with a user column (`is_system`).
    """
    reader = _Reader(zone, is_system, user, functions or {}, commands_allowed)
    found = [reader.line(number, line) for number, line in enumerate(text.splitlines(), 1)]
    return [line for line in found if line is not None]


def _expression(text: str) -> tuple[str, str]:
    """Return the expression and what follows it, or raise `ValueError`."""
    if text.startswith("@"):
        nickname, *rest = text.split(None, 1)
        if nickname == "@reboot":
            raise ValueError(REBOOT)
        if nickname not in NICKNAMES:
            raise ValueError(f"cron has no {nickname!r:.40}; there are {', '.join(NICKNAMES)}")
        return nickname, rest[0] if rest else ""
    match = _FIELDS.fullmatch(text)
    if match is None:
        raise ValueError("a line has five fields of time, and a command")
    fields = match[1].split()
    problem = problem_of_fields(fields)
    if problem is not None:
        raise ValueError(problem)
    return " ".join(fields), match[2]


def _with_own_times(expression: str, key: str) -> str:
    """Choose random times as cron does when it reads the crontab; here they are the same whenever it is read again."""
    return with_own_time(with_random_times(expression.split()), key) if "~" in expression else expression


def _command(text: str) -> tuple[str, str | None]:
    r"""Return a command and what it reads: it ends at the first `%`, further ones are new lines, `\%` is a `%`."""
    parts = [part.replace("\\%", "%") for part in re.split(r"(?<!\\)%", text)]
    stdin = "\n".join(parts[1:]) + "\n" if len(parts) > 1 else None
    return parts[0].strip(), stdin


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
